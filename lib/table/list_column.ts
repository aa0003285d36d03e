/** A column of lists in a Parquet file, page by page. */
import { storageError, WeirError } from "../errors.ts";
import { writeAll } from "../storage/write_all.ts";
import { type ListPage, listPage, type Lists } from "./list_page.ts";
import type { ColumnChunk } from "./parquet_footer.ts";

/** Written at once: each wait for the disk is also one for everybody else's turn. */
const writtenBytes = 8 * 2 ** 20;

/** A function that writes into a local file where it stands. */
export function writerTo(file: Deno.FsFile, path: string): (bytes: Uint8Array) => Promise<void> {
  return (bytes) =>
    writeAll(file, bytes).catch((thrown) => {
      throw storageError(thrown, path);
    });
}

/** Writes pages one after another, and says what they come to in each row group. */
export class ListColumnWriter {
  readonly chunks: ColumnChunk[] = [];
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #groupRows: readonly number[];
  #place: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Rows that the last row group lacks. */
  #left = 0;

  constructor(
    write: (bytes: Uint8Array) => Promise<void>,
    at: { readonly startBytes: number; readonly groupRows: readonly number[] },
  ) {
    this.#write = write;
    this.#groupRows = at.groupRows;
    this.#place = at.startBytes;
  }

  /** A page never reaches into the next row group. */
  async write({ lengths, starts, numbers }: Lists): Promise<void> {
    for (let first = 0; first < lengths.length;) {
      if (this.#left === 0) this.#begin();
      const [from, end] = [first, Math.min(lengths.length, first + this.#left)];
      this.#add(listPage({ lengths: lengths.subarray(from, end), starts: (list) => starts(from + list), numbers }));
      this.#left -= end - from;
      first = end;
    }
    if (this.#waitingBytes >= writtenBytes) await this.flush();
  }

  /** Writes what waits for it. */
  async flush(): Promise<void> {
    this.#waitingBytes = 0;
    for (const bytes of this.#waiting.splice(0)) await this.#write(bytes);
  }

  #begin(): void {
    const rows = this.#groupRows[this.chunks.length];
    if (rows === undefined) throw new WeirError("internal", "There are more vectors than rows of a Parquet file");
    this.chunks.push({ startBytes: this.#place, bytes: 0, values: 0, nulls: 0 });
    this.#left = rows;
  }

  #add({ parts, ...page }: ListPage): void {
    const chunk = this.chunks.pop()!;
    this.chunks.push({ ...chunk, ...sums([chunk, page]) });
    this.#place += page.bytes;
    this.#waiting.push(...parts);
    this.#waitingBytes += page.bytes;
  }
}

/** What pages come to. */
export type PageSums = Omit<ColumnChunk, "startBytes">;

/** Adds up. */
export function sums(parts: readonly PageSums[]): PageSums {
  const sum = (figure: keyof PageSums) => parts.reduce((total, part) => total + part[figure], 0);
  return { bytes: sum("bytes"), values: sum("values"), nulls: sum("nulls") };
}
