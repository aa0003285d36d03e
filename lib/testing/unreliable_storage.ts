/**
 * A storage as bad as a store behind a network may be: calls are slow, fail before or after they were done, or are done once
 * the caller has been told of a failure already.
 */
import type { Random } from "../domain/random.ts";
import { WeirError } from "../errors.ts";
import type { ReadableFiles, Storage, StoredObject } from "../storage/storage.ts";

/** How a call went wrong. `late`: it is done after the caller was told that it failed. */
export type Trouble = "before" | "after" | "late" | "slow";

/** How often calls go wrong, 0 to 1. */
export interface TroubleShares {
  /** Of all calls. */
  readonly fails: number;
  /** Of all calls. */
  readonly slow: number;
}

/** Slowest call, milliseconds. */
const slowestMs = 25;
/** Latest call, milliseconds after its failure: beyond the first waits of a commit that is tried again. */
const latestMs = 150;

/** A {@linkcode Storage} whose calls go wrong at random; what DuckDB reads and writes itself passes through. */
export class UnreliableStorage implements Storage {
  readonly #inner: Storage;
  readonly #random: Random;
  readonly #late = new Set<Promise<unknown>>();
  readonly #counts: Record<Trouble, number> = { before: 0, after: 0, late: 0, slow: 0 };
  /** May be replaced while a test runs. */
  shares: TroubleShares;

  constructor(inner: Storage, options: { readonly random: Random; readonly shares: TroubleShares }) {
    this.#inner = inner;
    this.#random = options.random;
    this.shares = options.shares;
  }

  /** How many calls went wrong so far. */
  get counts(): Readonly<Record<Trouble, number>> {
    return this.#counts;
  }

  /** Waits for the calls that are still to be done. */
  async settled(): Promise<void> {
    while (this.#late.size > 0) await Promise.all(this.#late);
  }

  uri(path: string): string {
    return this.#inner.uri(path);
  }

  path(uri: string): string {
    return this.#inner.path(uri);
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return this.#reading(path, () => this.#inner.read(path));
  }

  stat(path: string): Promise<StoredObject | undefined> {
    return this.#reading(path, () => this.#inner.stat(path));
  }

  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    return this.#writing(path, () => this.#inner.putIfAbsent(path, bytes));
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    return this.#writing(path, () => this.#inner.put(path, bytes));
  }

  async *list(folder: string): AsyncIterable<StoredObject> {
    await this.#reading(folder, () => Promise.resolve());
    yield* this.#inner.list(folder);
    await this.#reading(folder, () => Promise.resolve());
  }

  delete(path: string): Promise<void> {
    return this.#writing(path, () => this.#inner.delete(path));
  }

  subfolders(folder: string): Promise<readonly string[]> {
    return this.#reading(folder, () => this.#inner.subfolders(folder));
  }

  prepareFolder(path: string): Promise<string> {
    return this.#inner.prepareFolder(path);
  }

  publish(path: string): Promise<void> {
    return this.#reading(path, () => this.#inner.publish(path));
  }

  readable(paths: readonly string[]): Promise<ReadableFiles> {
    return this.#inner.readable(paths);
  }

  async #reading<T>(path: string, read: () => Promise<T>): Promise<T> {
    await this.#wait();
    if (this.#random.chance(this.shares.fails)) throw this.#trouble("before", path);
    return await read();
  }

  async #writing<T>(path: string, write: () => Promise<T>): Promise<T> {
    await this.#wait();
    if (!this.#random.chance(this.shares.fails)) return await write();
    const trouble = this.#random.element(["before", "after", "late"] as const);
    if (trouble === "after") await write();
    if (trouble === "late") this.#doLate(write);
    throw this.#trouble(trouble, path);
  }

  /** Like a request that reached the server although its connection broke: whatever comes of it, nobody hears. */
  #doLate(write: () => Promise<unknown>): void {
    const done = pause(1 + this.#random.below(latestMs)).then(write).catch(() => {}).finally(() =>
      this.#late.delete(done)
    );
    this.#late.add(done);
  }

  async #wait(): Promise<void> {
    if (!this.#random.chance(this.shares.slow)) return;
    this.#counts.slow++;
    await pause(1 + this.#random.below(slowestMs));
  }

  #trouble(trouble: Trouble, path: string): WeirError {
    this.#counts[trouble]++;
    return new WeirError("storage", `Planned trouble: ${trouble}`, { detail: { path } });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
