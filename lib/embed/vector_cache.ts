/**
 * Vectors of texts that were embedded before, in a file that outlives the process and that several processes may share.
 *
 * Promise: a vector comes out as it went in, for the same model, revision and text alone; the file stays below its bound, and what
 * was not asked for in the longest time leaves first. A file that is damaged is begun anew: it holds nothing that cannot be
 * computed again.
 */
import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** What {@linkcode VectorCache} keeps, and where. */
export interface VectorCacheOptions {
  /** The file; its folder is made. */
  readonly path: string;
  /** Model as `id@revision`. */
  readonly model: string;
  readonly dimensions: number;
  /** Size of the file above which vectors leave. */
  readonly mostBytes: number;
}

/** A vector to keep. */
export interface CachedVector {
  /** Hash of the text. */
  readonly key: Uint8Array;
  readonly vector: Float32Array;
}

const pageBytes = 4096;
/** What a page and a row of it take beside the vector, and a row of the index, bytes. */
const overhead = { page: 36, row: 30, index: 55 };

/** What a vector takes in the file, about, bytes: rows are whole in a page. */
export function keptVectorBytes(dimensions: number): number {
  const row = dimensions * Float32Array.BYTES_PER_ELEMENT + overhead.row;
  const rowsPerPage = Math.floor((pageBytes - overhead.page) / row);
  return (rowsPerPage > 0 ? pageBytes / rowsPerPage : Math.ceil(row / pageBytes) * pageBytes) + overhead.index;
}

/** The share of the bound that is made free at once, so that it does not happen at every batch. */
const leavingShare = 0.1;
/** Another process may be writing. */
const busyMs = 10_000;

const tables = `
  PRAGMA page_size = ${pageBytes};
  PRAGMA busy_timeout = ${busyMs};
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS runs (run INTEGER PRIMARY KEY AUTOINCREMENT);
  CREATE TABLE IF NOT EXISTS models (id INTEGER PRIMARY KEY, model TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS vectors (
    model INTEGER NOT NULL, text BLOB NOT NULL, run INTEGER NOT NULL, vector BLOB NOT NULL, UNIQUE (model, text));
  CREATE INDEX IF NOT EXISTS vectors_by_run ON vectors (run);`;

/** The vectors of one model in such a file. */
export class VectorCache implements Disposable {
  readonly #database: DatabaseSync;
  readonly #options: VectorCacheOptions;
  readonly #model: number;
  /** Counts the processes that opened the file: what was asked for in a later one was asked for later. */
  readonly #run: number;
  readonly #find: StatementSync;
  readonly #touch: StatementSync;
  readonly #keep: StatementSync;

  private constructor(database: DatabaseSync, options: VectorCacheOptions) {
    this.#database = database;
    this.#options = options;
    database.exec(tables);
    database.prepare("INSERT INTO models (model) VALUES (?) ON CONFLICT DO NOTHING").run(options.model);
    this.#model = Number(database.prepare("SELECT id FROM models WHERE model = ?").get(options.model)!["id"]);
    this.#run = Number(database.prepare("INSERT INTO runs DEFAULT VALUES").run().lastInsertRowid);
    this.#find = database.prepare("SELECT rowid AS place, run, vector FROM vectors WHERE model = ? AND text = ?");
    this.#touch = database.prepare("UPDATE vectors SET run = ? WHERE rowid = ?");
    this.#keep = database.prepare("INSERT OR REPLACE INTO vectors (model, text, run, vector) VALUES (?, ?, ?, ?)");
  }

  /** Opens the file, or makes it. Throws what the file system throws. */
  static open(options: VectorCacheOptions): VectorCache {
    mkdirSync(dirname(options.path), { recursive: true });
    try {
      return new VectorCache(new DatabaseSync(options.path), options);
    } catch (thrown) {
      if (!/not a database|malformed/.test(String(thrown))) throw thrown;
      for (const suffix of ["", "-wal", "-shm"]) rmSync(options.path + suffix, { force: true });
      return new VectorCache(new DatabaseSync(options.path), options);
    }
  }

  /** The vectors that are there, in the order of the keys. */
  find(keys: readonly Uint8Array[]): readonly (Float32Array | undefined)[] {
    return this.#atOnce(() => keys.map((key) => this.#findOne(key)));
  }

  /** Keeps vectors, and lets old ones go where the file has become too large. */
  keep(vectors: readonly CachedVector[]): void {
    this.#atOnce(() => {
      for (const { key, vector } of vectors) {
        const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
        this.#keep.run(this.#model, key, this.#run, bytes);
      }
    });
    while (this.bytes > this.#options.mostBytes && this.size > 0) this.#letGo();
  }

  /** What the vectors take in the file. */
  get bytes(): number {
    const pragma = (name: string) => Number(Object.values(this.#database.prepare(`PRAGMA ${name}`).get()!)[0]);
    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
  }

  /** How many vectors there are, of all models. */
  get size(): number {
    return Number(this.#database.prepare("SELECT count(*) AS size FROM vectors").get()!["size"]);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #findOne(key: Uint8Array): Float32Array | undefined {
    const found = this.#find.get(this.#model, key);
    const bytes = found?.["vector"];
    if (!(bytes instanceof Uint8Array)) return undefined;
    if (bytes.byteLength !== this.#options.dimensions * Float32Array.BYTES_PER_ELEMENT) return undefined;
    if (found?.["run"] !== this.#run) this.#touch.run(this.#run, Number(found?.["place"]));
    return new Float32Array(bytes.slice().buffer);
  }

  #letGo(): void {
    this.#database.prepare(
      `DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors ORDER BY run, rowid LIMIT ?)`,
    ).run(Math.ceil(this.size * (1 - (1 - leavingShare) * Math.min(1, this.#options.mostBytes / this.bytes))));
  }

  #atOnce<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (thrown) {
      this.#database.exec("ROLLBACK");
      throw thrown;
    }
  }
}
