/**
 * A source whose commits a test writes down, keeping the source promise (see `change/source.ts`): batches in order, cut where
 * asked, sent again until acknowledged, and a position from before the acknowledged one refused as lost.
 */
import type { DatasetChanges, MicroBatch } from "../change/micro_batch.ts";
import type { Position } from "../change/position.ts";
import type { InitialCopyPart, RecordedPosition, Source, SourceLag, VerificationPoint } from "../change/source.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { WeirError } from "../errors.ts";
import { applyEvents, type ScriptedEvent, type ScriptedRow, spoolChanges, spoolRows } from "./scripted_spool.ts";

/** Events of one source commit by dataset name. */
export type ScriptedCommit = Readonly<Record<string, readonly ScriptedEvent[]>>;

/** Options of {@linkcode MemorySource}. */
export interface MemorySourceOptions {
  readonly datasets: readonly Dataset[];
  /** Folder for spool files, which the engine may read. */
  readonly folder: string;
  /** Most source commits in one batch. Default 1. */
  readonly commitsPerBatch?: number;
  /** Most rows in a part of an initial copy. Default: all. */
  readonly rowsPerPart?: number;
  /** Default `memory:1/1`. */
  readonly instance?: string;
}

/** A scripted source. The n-th commit ends at offset n; offset 0 is the empty source. */
export class MemorySource implements Source {
  readonly datasets: readonly Dataset[];
  readonly #options: MemorySourceOptions;
  readonly #commits: ScriptedCommit[] = [];
  readonly #cuts = new Set<number>();
  #acknowledged = 0;
  #handedOut = 0;
  #files = 0;
  #arrived = Promise.withResolvers<void>();

  constructor(options: MemorySourceOptions) {
    this.datasets = options.datasets;
    this.#options = options;
  }

  /** Commits at the source; a running `changes` goes on with it. */
  append(commit: ScriptedCommit): Position {
    this.#commits.push(commit);
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
    return this.#position(this.#commits.length);
  }

  /** Rows of a dataset after every commit so far. */
  rows(dataset: Dataset, upTo: number = this.#commits.length): readonly ScriptedRow[] {
    const none: ReadonlyMap<string, ScriptedRow> = new Map();
    const commits = this.#commits.slice(0, upTo);
    return [...commits.reduce((rows, commit) => applyEvents(dataset, rows, commit[dataset.name] ?? []), none).values()];
  }

  /** The largest acknowledged position. */
  get acknowledged(): Position {
    return this.#position(this.#acknowledged);
  }

  start(recorded: readonly RecordedPosition[]): Promise<void> {
    for (const { position } of recorded) this.#refuseLost(position);
    return Promise.resolve();
  }

  async *copy(datasets: readonly Dataset[], signal: AbortSignal): AsyncIterable<InitialCopyPart> {
    const at = this.#commits.length;
    for (const dataset of datasets) {
      const rows = this.rows(dataset, at);
      const size = this.#options.rowsPerPart ?? Math.max(rows.length, 1);
      for (let first = 0; first === 0 || first < rows.length; first += size) {
        signal.throwIfAborted();
        const path = this.#newPath();
        const changes = await spoolRows(dataset, rows.slice(first, first + size), { path });
        const last = first + size >= rows.length;
        yield { dataset, position: this.#position(at), changes, last, release: () => removed([path]) };
      }
    }
  }

  async *changes(after: Position, cutAt: readonly Position[], signal: AbortSignal): AsyncIterable<MicroBatch> {
    this.#refuseLost(after);
    for (const cut of cutAt) this.#cuts.add(this.#offset(cut));
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    for (let from = this.#offset(after); !signal.aborted;) {
      if (from === this.#commits.length) await Promise.race([this.#arrived.promise, aborted.promise]);
      const to = this.#batchEnd(from);
      if (signal.aborted || to === from) continue;
      this.#handedOut = to;
      yield await this.#batch(from, to);
      from = to;
    }
  }

  /** A point at the newest commit. It runs no SQL: there is no server behind it. */
  verificationPoint(): Promise<VerificationPoint> {
    this.#cuts.add(this.#commits.length);
    return Promise.resolve({
      position: this.#position(this.#commits.length),
      copyTo: () => Promise.reject(new TypeError("A memory source runs no statements; compare with its rows()")),
      comparable: (dataset) => Promise.resolve({ atSource: dataset, inLake: dataset, gone: [] }),
      close: () => Promise.resolve(),
    });
  }

  acknowledge(position: Position): void {
    this.#acknowledged = Math.max(this.#acknowledged, this.#offset(position));
  }

  compare(left: Position, right: Position): number {
    return this.#offset(left) - this.#offset(right);
  }

  distanceBytes(from: Position, to: Position): number {
    return this.#offset(to) - this.#offset(from);
  }

  lag(): SourceLag {
    return { bytes: this.#commits.length - this.#handedOut, seconds: 0 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #batchEnd(from: number): number {
    const most = Math.min(this.#commits.length, from + (this.#options.commitsPerBatch ?? 1));
    return Math.min(most, ...[...this.#cuts].filter((cut) => cut > from));
  }

  async #batch(from: number, to: number): Promise<MicroBatch> {
    const changes = new Map<string, DatasetChanges>();
    const paths: string[] = [];
    let ordinal = 0n;
    for (const dataset of this.datasets) {
      const events = this.#commits.slice(from, to).flatMap((commit) => commit[dataset.name] ?? []);
      if (events.length === 0) continue;
      const path = this.#newPath();
      paths.push(path);
      const found = await spoolChanges(dataset, events, { path, firstOrdinal: ordinal });
      ordinal += BigInt(events.length);
      changes.set(found.source, found);
    }
    const rows = [...changes.values()].reduce((sum, { segments }) => sum + (segments[0]?.rows ?? 0), 0);
    const span = { after: this.#position(from), to: this.#position(to), commitTimeMs: 1_700_000_000_000 + to };
    return { ...span, rows, bytes: 0, changes, release: () => removed(paths) };
  }

  #newPath(): string {
    return `${this.#options.folder}/memory_source_${this.#files++}.csv`;
  }

  #position(offset: number): Position {
    return { instance: this.#options.instance ?? "memory:1/1", offset: String(offset) };
  }

  #offset(position: Position): number {
    if (position.instance === this.#position(0).instance) return Number(position.offset);
    throw new WeirError("sourceMismatch", "The position is of another source");
  }

  #refuseLost(position: Position): void {
    if (this.#offset(position) >= this.#acknowledged) return;
    throw new WeirError("sourceLost", "The source has forgotten changes after this position");
  }
}

async function removed(paths: readonly string[]): Promise<void> {
  for (const path of paths) await Deno.remove(path);
}
