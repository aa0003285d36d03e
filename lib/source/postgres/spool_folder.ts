/**
 * The folder spool files stand in, and the writing of them.
 *
 * Promise: what was written is bounded by what waits for the disk (`maxPendingBytes`), and a file of a batch that nobody
 * got to see is removed.
 */
import { join } from "node:path";
import { storageError } from "../../errors.ts";
import { writeAll } from "../../storage/write_all.ts";
import { SpoolBuffer } from "./spool_buffer.ts";

/** Bytes that may wait for the disk before reading pauses. */
const maxPendingBytes = 16 * 2 ** 20;
/** A buffer goes to the disk when it holds so many bytes. */
const bufferBytes = 2 ** 20;
/** Full-size buffers kept for the next to need one: new memory is zeroed, and has V8 look for what may be freed. */
const maxSpareBuffers = 4;
/** First capacity: a table that sees few changes must not cost a megabyte. */
const firstBufferBytes = 16 * 1024;

/** A folder of spool files. */
export class SpoolFolder {
  readonly path: string;
  #pendingBytes = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  #files = 0;
  readonly #spare: SpoolBuffer[] = [];

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder and removes what an earlier run left there. */
  async clear(): Promise<void> {
    try {
      await Deno.mkdir(this.path, { recursive: true });
      for await (const entry of Deno.readDir(this.path)) {
        if (entry.isFile && entry.name.endsWith(".csv")) await Deno.remove(join(this.path, entry.name));
      }
    } catch (thrown) {
      throw storageError(thrown, this.path);
    }
  }

  /** A new file; it exists on disk from its first full buffer or its end on. */
  open(): SpoolFile {
    return new SpoolFile(this, join(this.path, `${Date.now().toString(36)}-${Deno.pid}-${this.#files++}.csv`));
  }

  /** An empty buffer of full size. */
  takeBuffer(): SpoolBuffer {
    return this.#spare.pop() ?? new SpoolBuffer(bufferBytes);
  }

  /** Keeps a buffer that nobody uses any more for the next, if it is of full size. */
  giveBack(buffer: SpoolBuffer): void {
    if (buffer.bytes.length !== bufferBytes || this.#spare.length >= maxSpareBuffers) return;
    buffer.length = 0;
    this.#spare.push(buffer);
  }

  /** A promise to wait for before more is written, or undefined while there is room. */
  get backPressure(): Promise<void> | undefined {
    return this.#drained?.promise;
  }

  /** Accounts for bytes that wait for the disk (positive) or reached it (negative). */
  account(bytes: number): void {
    this.#pendingBytes += bytes;
    if (this.#pendingBytes > maxPendingBytes) this.#drained ??= Promise.withResolvers<void>();
    else if (this.#pendingBytes < maxPendingBytes / 2) {
      this.#drained?.resolve();
      this.#drained = undefined;
    }
  }
}

/** One spool file being written. */
export class SpoolFile {
  readonly path: string;
  buffer = new SpoolBuffer(firstBufferBytes);
  /** Most room that was made for a row: none is longer. */
  longestRowBytes = 0;
  /** Bytes handed to the disk so far. */
  #flushedBytes = 0;
  readonly #folder: SpoolFolder;
  #file: Promise<Deno.FsFile> | undefined;
  #written: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(folder: SpoolFolder, path: string) {
    this.#folder = folder;
    this.path = path;
  }

  /** Bytes of the file, written or not. */
  get bytes(): number {
    return this.#flushedBytes + this.buffer.length;
  }

  /** Makes room for a row, and sends a full buffer to the disk first. */
  reserve(rowBytes: number): void {
    if (rowBytes > this.longestRowBytes) this.longestRowBytes = rowBytes;
    if (this.buffer.length + rowBytes > bufferBytes && this.buffer.length > bufferBytes / 2) {
      this.#flush(this.#folder.takeBuffer());
    }
    this.buffer.reserve(rowBytes);
  }

  /** Everything is in the file afterwards. Throws `storage` or `storageFull`. */
  async end(): Promise<void> {
    this.#flush(new SpoolBuffer(0));
    await this.#closeFile();
    if (this.#failure !== undefined) {
      await this.#removeFile();
      throw storageError(this.#failure, this.path);
    }
  }

  /** Gives the file up. Never throws. */
  async discard(): Promise<void> {
    await this.#closeFile();
    await this.#removeFile();
  }

  /** Once everything is written. A file that could not be opened has nothing to close, and its failure is known. */
  async #closeFile(): Promise<void> {
    await this.#written;
    const file = this.#file;
    // A file whose end failed is discarded after it.
    this.#file = undefined;
    await file?.then((open) => open.close(), () => {});
  }

  #flush(next: SpoolBuffer): void {
    const { buffer } = this;
    const full = buffer.bytes.subarray(0, buffer.length);
    this.#flushedBytes += full.length;
    this.buffer = next;
    this.#folder.account(full.length);
    this.#file ??= Deno.open(this.path, { write: true, create: true, truncate: true });
    const file = this.#file;
    this.#written = this.#written.then(async () => {
      try {
        if (this.#failure === undefined) await writeAll(await file, full);
      } catch (thrown) {
        this.#failure = thrown;
      } finally {
        this.#folder.account(-full.length);
        this.#folder.giveBack(buffer);
      }
    });
  }

  async #removeFile(): Promise<void> {
    await Deno.remove(this.path).catch(() => {});
  }
}

/** Removes files that may be gone already. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) await Deno.remove(path).catch(() => {});
}
