/** The storage contract: named immutable objects with put-if-absent. Table formats commit through it. */

/** One object of a listing. */
export interface StoredObject {
  /** Path below the storage's root, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/**
 * Where tables live. Paths are relative to the root, use `/` and never start with it.
 *
 * Promise: a reader sees an object whole or not at all; `putIfAbsent` succeeds for exactly one of several writers, and what it
 * put is durable when the promise resolves.
 */
export interface Storage {
  /** Absolute URI of a path as table metadata spells it, e.g. `file:///lake/payments/x.parquet`. One spelling for ever. */
  uri(path: string): string;
  /** The path that a URI of {@linkcode Storage.uri} names. Throws `tableUnreadable` for one outside the root. */
  path(uri: string): string;
  /** What DuckDB reads or writes this path as. */
  duckdbPath(path: string): string;
  /** Undefined where there is no such object. */
  read(path: string): Promise<Uint8Array | undefined>;
  stat(path: string): Promise<StoredObject | undefined>;
  /** Whether this call made the object. False: it was there already and is unchanged. */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Writes whole, replacing what was there. For hints only: a power cut may bring back what was there before. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** Everything below a folder, in path order. */
  list(folder: string): AsyncIterable<StoredObject>;
  /** Removing what is not there is no error. */
  delete(path: string): Promise<void>;
  /** Makes a folder ready for a writer that does not go through this contract (DuckDB's COPY). */
  prepareFolder(path: string): Promise<void>;
  /** Makes a file that DuckDB wrote durable. */
  sync(path: string): Promise<void>;
}
