/**
 * The micro-batch loop: source → folding → transforms → sinks, with one batch read ahead.
 *
 * Promise: the source is acknowledged only up to the smallest position that every sink has recorded; a dataset that fails is
 * left where it stands while the others go on; a stop, asked for or not, loses nothing and repeats nothing.
 */
import type { MicroBatch } from "../change/micro_batch.ts";
import type { Position } from "../change/position.ts";
import type { Sink } from "../change/sink.ts";
import type { Source, SourceLag, VerificationPoint } from "../change/source.ts";
import { errorPolicy, toWeirError, WeirError } from "../errors.ts";
import { failPoint } from "../fail_point.ts";
import { CommittedPositions } from "./committed_positions.ts";
import { DatasetWriter, type WriterContext } from "./dataset_writer.ts";
import { copyDatasets } from "./initial_copy.ts";
import type { DatasetPlan } from "./plan.ts";
import { recopyReason } from "./recopy.ts";

/** What a pipeline reports while it runs. */
export interface PipelineProgress {
  readonly phase: "copy" | "stream";
  /** Source rows carried since the start. */
  readonly rows: number;
  readonly batches: number;
  readonly lag: SourceLag;
  readonly position?: Position;
  readonly deadLetters: number;
}

/** Options of {@linkcode Pipeline}. */
export interface PipelineOptions extends WriterContext {
  readonly source: Source;
  readonly plans: readonly DatasetPlan[];
  /** Log bytes a failing dataset may hold back at the source before it is detached and must be copied again. Default 4 GiB. */
  readonly maxRetainedWalBytes?: number;
  /** Longest time a table without changes goes without recording its position, milliseconds. Default 10,000. */
  readonly recordIdleMs?: number;
  readonly onProgress?: (progress: PipelineProgress) => void;
  /** Told once for each dataset that is set aside, with the reason. */
  readonly onDatasetError?: (dataset: string, error: WeirError) => void;
}

/** Attempts of one dataset's batch when the error is of a kind that passes. */
const writeAttempts = 4;
/** Points opened for one verification, at most. */
const verificationAttempts = 10;
/** Wait before the second attempt, milliseconds; doubled each time. */
const firstWaitMs = 250;
/** Kinds that concern the whole job, not one dataset. */
const fatalKinds = new Set(["fenced", "storageFull", "tooManyDeadLetters", "interrupted"]);

/** Somebody who waits for every table to stand at a position. */
interface WaitingPoint {
  readonly position: Position;
  readonly arrived: (isThere: boolean) => Promise<void>;
}

/** One run over a source. */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #writers: ReadonlyMap<string, DatasetWriter>;
  readonly #positions: CommittedPositions;
  readonly #failures = new Map<DatasetWriter, WeirError>();
  readonly #waiting: WaitingPoint[] = [];
  readonly #adopted = new Set<DatasetWriter>();
  /** Pending while a verification point is being opened. */
  #opening: Promise<void> | undefined;
  readonly #streaming = Promise.withResolvers<void>();
  #rows = 0;
  #batches = 0;

  constructor(options: PipelineOptions) {
    this.#options = options;
    // A stop that was asked for lets the batch in hand end: only then do all its tables stand at one position.
    const context = { ...options, signal: new AbortController().signal };
    this.#writers = new Map(options.plans.map((plan) => {
      const { namespace, table } = plan.dataset.source;
      return [`${namespace}.${table}`, new DatasetWriter(plan, context)];
    }));
    this.#positions = new CommittedPositions(options.source, options.recordIdleMs ?? 10_000);
  }

  /** Datasets that were set aside, with the reason. */
  get failures(): ReadonlyMap<string, WeirError> {
    return new Map(
      [...this.#failures].map((
        [writer, error],
      ) => [`${writer.plan.dataset.namespace}.${writer.plan.dataset.name}`, error]),
    );
  }

  /** Resolves when the initial copy is done and the stream begins. */
  get streaming(): Promise<void> {
    return this.#streaming.promise;
  }

  /** Source rows carried since the start. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Opens a verification point and calls `reached` inside the loop once every table stands exactly there: what it reads of
   * the sinks belongs together. Resolves after the call; rejects when it throws. A point at which a table waits for its copy
   * is given up for a later one.
   *
   * Throws `conflict` where that goes on and on.
   */
  async verificationPoint(reached: () => Promise<void> | void): Promise<VerificationPoint> {
    for (let attempt = 0; attempt < verificationAttempts; attempt++) {
      const point = await this.#verificationPoint(reached);
      if (point !== undefined) return point;
    }
    throw new WeirError("conflict", "Tables are copied again and again, so that they never all stand at one position");
  }

  /** Undefined where the point passed while a table was not there. */
  async #verificationPoint(reached: () => Promise<void> | void): Promise<VerificationPoint | undefined> {
    // No batch may be applied while the point is being opened: it could be the very one that ends there.
    const opening = Promise.withResolvers<void>();
    this.#opening = opening.promise;
    let arrival: Promise<boolean>;
    let point: VerificationPoint;
    try {
      point = await this.#options.source.verificationPoint();
      arrival = this.#arrival(point.position, reached);
    } finally {
      opening.resolve();
      this.#opening = undefined;
    }
    try {
      if (await arrival) return point;
      await point.close();
      return undefined;
    } catch (thrown) {
      await point.close();
      throw thrown;
    }
  }

  /** Whether every table stood at the position when it was passed. */
  #arrival(position: Position, reached: () => Promise<void> | void): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        position,
        arrived: async (isThere) => {
          if (!isThere) return resolve(false);
          await Promise.resolve().then(reached).then(() => resolve(true), reject);
        },
      });
    });
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { source, signal } = this.#options;
    await this.#positions.load(this.#sinks());
    await source.start(this.#positions.all());
    while (!signal.aborted) {
      await this.#copy();
      if (signal.aborted) break;
      await this.#stream();
    }
    await this.#recordAll();
  }

  async #copy(): Promise<void> {
    const writers = this.#live().filter((writer) => sinksOf(writer).some((sink) => !this.#positions.has(sink)));
    await copyDatasets({
      source: this.#options.source,
      writers,
      wants: (sink) => !this.#positions.has(sink),
      signal: this.#options.signal,
      onRows: (rows) => {
        this.#rows += rows;
        this.#report("copy");
      },
    });
    for (const writer of writers) this.#adopted.delete(writer);
    await this.#positions.load(this.#sinks());
  }

  /** Streams until the signal aborts or a dataset must be copied again. */
  async #stream(): Promise<void> {
    const { source, signal } = this.#options;
    const after = this.#positions.smallest(this.#live().flatMap(sinksOf));
    if (after === undefined) {
      throw this.#firstFailure() ?? new WeirError("configuration", "There is no table to capture");
    }
    this.#streaming.resolve();
    // A point opened before the tables were copied is not passed any more.
    await this.#arrive(after);
    for await (const batch of source.changes(after, this.#positions.all(), signal)) {
      await this.#opening;
      try {
        await this.#apply(batch);
      } finally {
        await batch.release();
      }
      await this.#afterBatch(batch);
      if (this.#live().some((writer) => sinksOf(writer).some((sink) => !this.#positions.has(sink)))) return;
    }
  }

  async #apply(batch: MicroBatch): Promise<void> {
    for (const [name, changes] of batch.changes) {
      const writer = this.#writers.get(name);
      if (writer === undefined || this.#failures.has(writer)) continue;
      const wants = (sink: Sink) => this.#positions.isBefore(sink, batch.to);
      if (!sinksOf(writer).some(wants)) continue;
      const reason = await recopyReason(writer, { changes, first: !this.#adopted.has(writer) });
      this.#adopted.add(writer);
      if (reason !== undefined) {
        await this.#forget(writer, reason);
        continue;
      }
      await this.#guarded(
        writer,
        () => writer.write(changes, { to: batch.to, commitTimeMs: batch.commitTimeMs, wants }),
      );
    }
    this.#rows += batch.rows;
    this.#batches++;
  }

  /** A failing dataset is set aside and the others go on; what concerns the whole job stops it. */
  async #guarded(writer: DatasetWriter, write: () => Promise<void>): Promise<void> {
    for (let attempt = 1, waitMs = firstWaitMs;; attempt++, waitMs *= 2) {
      try {
        await write();
        await this.#positions.load(sinksOf(writer));
        return;
      } catch (thrown) {
        const { namespace, name } = writer.plan.dataset;
        const error = toWeirError(thrown, "internal", { table: `${namespace}.${name}` });
        if (fatalKinds.has(error.kind)) throw error;
        if (errorPolicy(error.kind).retry === "timed" && attempt < writeAttempts && !this.#options.signal.aborted) {
          await new Promise((resolve) => setTimeout(resolve, waitMs));
          // Some sinks may have taken the batch before another failed; they must not take it twice.
          await this.#positions.load(sinksOf(writer));
          continue;
        }
        this.#failures.set(writer, error);
        this.#options.onDatasetError?.(`${namespace}.${name}`, error);
        return;
      }
    }
  }

  async #afterBatch(batch: MicroBatch): Promise<void> {
    const sinks = this.#live().flatMap(sinksOf);
    await this.#positions.passed(sinks, { position: batch.to, now: this.#reached(batch.to).length > 0 });
    await this.#detachOverdue(batch.to);
    await failPoint("pipeline.beforeAcknowledge");
    const smallest = this.#positions.smallest(this.#holding());
    if (smallest !== undefined) this.#options.source.acknowledge(smallest);
    this.#report("stream", batch.to);
    await this.#arrive(batch.to);
    if (this.#live().length === 0) throw this.#firstFailure();
  }

  #reached(now: Position): readonly WaitingPoint[] {
    return this.#waiting.filter(({ position }) => this.#options.source.compare(now, position) >= 0);
  }

  /** Tells those who wait for points up to here whether every table stands at theirs. */
  async #arrive(now: Position): Promise<void> {
    for (const waiting of this.#reached(now)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      await waiting.arrived(this.#positions.areAt(this.#live().flatMap(sinksOf), waiting.position));
    }
  }

  /** A dataset that holds back too much of the source's log loses its position: better copied again than a full disk there. */
  async #detachOverdue(now: Position): Promise<void> {
    const limitBytes = this.#options.maxRetainedWalBytes ?? 4 * 2 ** 30;
    for (const writer of this.#failures.keys()) {
      const held = this.#positions.smallest(sinksOf(writer));
      if (held === undefined || this.#options.source.distanceBytes(held, now) <= limitBytes) continue;
      await this.#forget(writer, `it held back more than ${limitBytes} bytes of the source's log while it failed`);
    }
  }

  /** Takes the recorded positions away, so that the tables are copied again. */
  async #forget(writer: DatasetWriter, reason: string): Promise<void> {
    const { namespace, name } = writer.plan.dataset;
    for (const sink of sinksOf(writer)) await this.#positions.forget(sink);
    this.#options.onDatasetError?.(
      `${namespace}.${name}`,
      new WeirError("unsupportedSchemaChange", `${namespace}.${name} is copied again: ${reason}`, {
        detail: { table: `${namespace}.${name}` },
        advice: "Nothing to do: the job copies the table by itself",
      }),
    );
  }

  async #recordAll(): Promise<void> {
    const last = this.#positions.last;
    if (last === undefined) return;
    await this.#positions.passed(this.#live().flatMap(sinksOf), { position: last, now: true });
    const smallest = this.#positions.smallest(this.#holding());
    if (smallest !== undefined) this.#options.source.acknowledge(smallest);
  }

  #live(): readonly DatasetWriter[] {
    return [...this.#writers.values()].filter((writer) => !this.#failures.has(writer));
  }

  /** Sinks whose position the source must keep: all but those that were detached. */
  #holding(): readonly Sink[] {
    return this.#sinks().filter((sink) => this.#positions.has(sink));
  }

  #sinks(): readonly Sink[] {
    return [...this.#writers.values()].flatMap(sinksOf);
  }

  #firstFailure(): WeirError | undefined {
    return [...this.#failures.values()][0];
  }

  #report(phase: PipelineProgress["phase"], position?: Position): void {
    this.#options.onProgress?.({
      phase,
      rows: this.#rows,
      batches: this.#batches,
      lag: this.#options.source.lag(),
      deadLetters: this.#options.deadLetters.count,
      ...(position === undefined ? {} : { position }),
    });
  }
}

function sinksOf(writer: DatasetWriter): readonly Sink[] {
  return writer.plan.tables.flatMap((table) => table.sinks);
}
