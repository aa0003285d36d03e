/** The storage contract: named immutable objects with put-if-absent. Table formats commit through it. */
import type { OtherPlace } from "./other_place.ts";

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
  /** Undefined where there is no such object. */
  read(path: string): Promise<Uint8Array | undefined>;
  stat(path: string): Promise<StoredObject | undefined>;
  /** Whether this call made the object. False: it was there already and is unchanged. */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Writes whole, replacing what was there. For hints only: a power cut may bring back what was there before. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** Everything below a folder; the names directly in one folder come in the order of their bytes. */
  list(folder: string): AsyncIterable<StoredObject>;
  /** Names of the folders directly below a folder, sorted. */
  subfolders(folder: string): Promise<readonly string[]>;
  /** Removing what is not there is no error. */
  delete(path: string): Promise<void>;
  /** Makes a folder ready for DuckDB's COPY, and gives what DuckDB writes it as: always a local one. */
  prepareFolder(path: string): Promise<string>;
  /** Takes a file that DuckDB wrote below a prepared folder: when the promise resolves it is durable, and all may read it. */
  publish(path: string): Promise<void>;
  /** Has DuckDB read these objects, which never change. Throws `tableUnreadable` for one that is not there. */
  readable(paths: readonly string[]): Promise<ReadableFiles>;
  /**
   * Takes up a place of the same kind beside the root, or below it under other keys, and gives its path; beside the root a path is
   * the URI itself. Again for the same place: from now on it is reached like this. Absent where there is only the root.
   *
   * @throws {WeirError} `precondition` for a place that such a storage cannot reach.
   */
  reach?(place: OtherPlace): string;
}

/** Objects that DuckDB may read, as local files, until this is disposed. */
export interface ReadableFiles extends Disposable {
  /** What DuckDB reads an object as. Throws `RangeError` for one that was not asked for, where that can be told. */
  duckdbPath(path: string): string;
}
