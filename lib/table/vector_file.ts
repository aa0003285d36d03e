/**
 * The vectors of a batch as a Parquet file of one column: written as they come from a model, page by page, and read by the engine as
 * any table. Files of lake tables take the pages as they are.
 *
 * Why: as a table of the engine they cost 5 µs a row of 128 numbers instead of 1, since it looks at every number for its statistics,
 * and they took a batch's memory.
 */
import type { PageGroup, VectorPages } from "../change/relation.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { storageError, WeirError } from "../errors.ts";
import { ListColumnWriter, sums, writerTo } from "./list_column.ts";
import type { Lists } from "./list_page.ts";
import { batchRowGroupRows } from "./parquet.ts";
import { readFooter, replaceColumn, rowsOfGroups, writeFooter } from "./parquet_footer.ts";

/** Where vectors go. */
export interface VectorFileTarget {
  /** Absolute path below a folder of the engine's. */
  readonly path: string;
  /** How many lists will come. */
  readonly rows: number;
}

const column = "vector";
const copiedBytes = 4 * 2 ** 20;

/** The file while it is written. */
export class VectorFile implements Disposable {
  readonly #path: string;
  readonly #rows: number;
  readonly #file: Deno.FsFile;
  readonly #footer: Awaited<ReturnType<typeof readFooter>>;
  readonly #column: ListColumnWriter;
  #written = 0;

  private constructor(
    { path, rows }: VectorFileTarget,
    open: { readonly file: Deno.FsFile; readonly footer: Awaited<ReturnType<typeof readFooter>> },
  ) {
    const { file, footer } = open;
    this.#path = path;
    this.#rows = rows;
    this.#file = file;
    this.#footer = footer;
    const at = { startBytes: footer.startBytes, groupRows: rowsOfGroups(footer.metadata) };
    this.#column = new ListColumnWriter(writerTo(file, path), at);
  }

  /** Makes the file, as yet without a vector. */
  static async create(connection: Connection, target: VectorFileTarget): Promise<VectorFile> {
    const { path, rows } = target;
    await connection.run(`COPY (SELECT NULL::FLOAT[] AS ${identifier(column)} FROM range(${rows})) TO ${literal(path)}
      (FORMAT parquet, ROW_GROUP_SIZE ${batchRowGroupRows})`);
    using open = new DisposableStack();
    const file = open.use(await Deno.open(path, { read: true, write: true }));
    const footer = await readFooter(file, path);
    await file.seek(footer.startBytes, Deno.SeekMode.Start);
    open.move();
    return new VectorFile(target, { file, footer });
  }

  /** Writes the next lists. */
  async append(lists: Lists): Promise<void> {
    this.#written += lists.lengths.length;
    await this.#column.write(lists);
  }

  /** Ends the file. From then on it is a table: see {@linkcode vectorsSql}. */
  async finish(): Promise<Omit<VectorPages, "of">> {
    if (this.#written !== this.#rows) {
      throw new WeirError("internal", `${this.#rows} vectors were to be written, and ${this.#written} were`);
    }
    await this.#column.flush();
    const { metadata, startBytes } = this.#footer;
    const { chunks } = this.#column;
    chunks.forEach((chunk, group) => replaceColumn(metadata, { group, name: column, chunk }));
    const { bytes } = sums(chunks);
    await writeFooter(this.#file, { startBytes: startBytes + bytes, metadata }).catch((thrown) => {
      throw storageError(thrown, this.#path);
    });
    const rows = rowsOfGroups(metadata);
    const groups: PageGroup[] = chunks.map(({ bytes, values, nulls }, group) => {
      return { rows: rows[group]!, bytes, values, nulls };
    });
    return { groups, copyTo: (write) => copyBytes(this.#path, { startBytes, bytes, write }) };
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** A table with the one column `vector`, FLOAT[], out of a finished file. */
export function vectorsSql(path: string): string {
  return `read_parquet(${literal(path)}, hive_partitioning = false)`;
}

async function copyBytes(
  path: string,
  part: {
    readonly startBytes: number;
    readonly bytes: number;
    readonly write: (bytes: Uint8Array) => Promise<void>;
  },
): Promise<void> {
  using file = await Deno.open(path);
  await file.seek(part.startBytes, Deno.SeekMode.Start);
  const buffer = new Uint8Array(Math.min(copiedBytes, part.bytes));
  for (let left = part.bytes; left > 0;) {
    const read = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (read === null) throw new WeirError("internal", `${path} is shorter than what was written`);
    await part.write(buffer.subarray(0, read));
    left -= read;
  }
}
