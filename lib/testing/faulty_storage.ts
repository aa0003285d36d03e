/** A storage that fails on purpose, so that a commit's outcome is lost, refused or unknown. */
import { WeirError } from "../errors.ts";
import type { ReadableFiles, Storage, StoredObject } from "../storage/storage.ts";

/**
 * When a write fails: `before` nothing is stored; `after` the object is there although the caller is told of an error, as
 * with a connection lost after the server acted.
 */
export type Fault = "before" | "after";

/** Chooses the fault of a write to a path, or none. */
export type FaultPlan = (path: string) => Fault | undefined;

/** A {@linkcode Storage} whose writes fail as planned; everything else passes through. */
export class FaultyStorage implements Storage {
  readonly #inner: Storage;
  /** May be replaced while a test runs. */
  plan: FaultPlan;

  constructor(inner: Storage, plan: FaultPlan = () => undefined) {
    this.#inner = inner;
    this.plan = plan;
  }

  uri(path: string): string {
    return this.#inner.uri(path);
  }

  path(uri: string): string {
    return this.#inner.path(uri);
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return this.#inner.read(path);
  }

  stat(path: string): Promise<StoredObject | undefined> {
    return this.#inner.stat(path);
  }

  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    return this.#faulty(path, () => this.#inner.putIfAbsent(path, bytes));
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    return this.#faulty(path, () => this.#inner.put(path, bytes));
  }

  list(folder: string): AsyncIterable<StoredObject> {
    return this.#inner.list(folder);
  }

  subfolders(folder: string): Promise<readonly string[]> {
    return this.#inner.subfolders(folder);
  }

  delete(path: string): Promise<void> {
    return this.#inner.delete(path);
  }

  prepareFolder(path: string): Promise<string> {
    return this.#inner.prepareFolder(path);
  }

  publish(path: string): Promise<void> {
    return this.#inner.publish(path);
  }

  readable(paths: readonly string[]): Promise<ReadableFiles> {
    return this.#inner.readable(paths);
  }

  async #faulty<T>(path: string, write: () => Promise<T>): Promise<T> {
    const fault = this.plan(path);
    if (fault === "before") throw new WeirError("storage", "Planned fault before the write", { detail: { path } });
    const result = await write();
    if (fault === "after") throw new WeirError("storage", "Planned fault after the write", { detail: { path } });
    return result;
  }
}
