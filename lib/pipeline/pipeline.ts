/**
 * The micro-batch loop: source → folding → transforms → sinks. While one batch is committed the next is transformed, the one after
 * it folded, and the one after that read.
 *
 * Promise: the source is acknowledged only up to the smallest position that every sink has recorded; a dataset that fails is
 * left where it stands while the others go on; a stop, asked for or not, loses nothing and repeats nothing.
 */
import { atMost } from "../at_most.ts";
import type { DatasetChanges, MicroBatch } from "../change/micro_batch.ts";
import type { Position } from "../change/position.ts";
import type { Sink } from "../change/sink.ts";
import type { RecordedPosition, Source, SourceLag, VerificationPoint } from "../change/source.ts";
import type { Connection } from "../engine/connection.ts";
import { errorPolicy, toWeirError, WeirError } from "../errors.ts";
import { failPoint } from "../fail_point.ts";
import { allOrFirstError } from "./all_or_first_error.ts";
import { CommittedPositions } from "./committed_positions.ts";
import { DatasetWriter, type WriterContext } from "./dataset_writer.ts";
import type { FoldedChanges } from "./folded_changes.ts";
import { copyDatasets } from "./initial_copy.ts";
import type { DatasetPlan } from "./plan.ts";
import { otherStepsReason, recopyReason } from "./recopy.ts";
import type { TransformedChanges } from "./transformed_changes.ts";
import { VerificationPoints } from "./verification_points.ts";

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
  /** Datasets of the stream are transformed side by side, one on each. Default: `connection` alone. */
  readonly transformConnections?: readonly Connection[];
  /** Parts of an initial copy are transformed side by side, one on each. Default: the connection of the stream alone. */
  readonly copyConnections?: readonly Connection[];
  /** Log bytes a failing dataset may hold back at the source before it is detached and must be copied again. Default 8 GiB. */
  readonly maxRetainedWalBytes?: number;
  /** Longest time a table without changes goes without recording its position, milliseconds. Default 10,000. */
  readonly recordIdleMs?: number;
  readonly onProgress?: (progress: PipelineProgress) => void;
  /** Told of each dataset that is set aside, with the reason. */
  readonly onDatasetError?: (dataset: string, error: WeirError) => void;
  /** Told of each dataset that is copied again, with the reason: nobody has to do anything. */
  readonly onRecopy?: (dataset: string, reason: string) => void;
}

/** Attempts of a step of one dataset's batch when the error is of a kind that passes. */
const stepAttempts = 4;
/** Wait before the second attempt, milliseconds; doubled each time. */
const firstWaitMs = 250;
/** Datasets committed at the same time: while one waits for its storage another writes. */
export const datasetsAtOnce = 2;
/** Kinds that concern the whole job, not one dataset. */
const fatalKinds = new Set(["fenced", "storageFull", "tooManyDeadLetters", "interrupted"]);

/** One run over a source. */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #writers: ReadonlyMap<string, DatasetWriter>;
  readonly #positions: CommittedPositions;
  readonly #failures = new Map<DatasetWriter, WeirError>();
  readonly #points: VerificationPoints;
  readonly #adopted = new Set<DatasetWriter>();
  readonly #recordIdleMs: number;
  /** Not before this clock is a failing dataset detached. */
  #detachAfterMs = 0;
  readonly #streaming = Promise.withResolvers<void>();
  #rows = 0;
  #batches = 0;

  constructor(options: PipelineOptions) {
    this.#options = options;
    // A stop that was asked for lets the batch in hand end: only then do all its tables stand at one position.
    const { signal } = new AbortController();
    const { transformConnections = [options.connection] } = options;
    this.#writers = new Map(options.plans.map((plan, index) => {
      const { namespace, table } = plan.dataset.source;
      const connection = transformConnections[index % transformConnections.length]!;
      return [`${namespace}.${table}`, new DatasetWriter(plan, { ...options, connection, signal })];
    }));
    this.#points = new VerificationPoints(options.source);
    this.#recordIdleMs = options.recordIdleMs ?? 10_000;
    this.#positions = new CommittedPositions(options.source, this.#recordIdleMs);
  }

  /** Datasets that were set aside, with the reason. */
  get failures(): ReadonlyMap<string, WeirError> {
    return new Map([...this.#failures].map(([writer, error]) => [writer.name, error]));
  }

  /** Resolves when the initial copy is done and the stream begins. */
  get streaming(): Promise<void> {
    return this.#streaming.promise;
  }

  /** Source rows carried since the start. */
  get rows(): number {
    return this.#rows;
  }

  /** Opens a point and calls `reached` inside the loop once every table stands exactly there (see {@linkcode VerificationPoints}). */
  async verificationPoint(reached: () => Promise<void> | void): Promise<VerificationPoint> {
    return await this.#points.open(reached);
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { source, signal } = this.#options;
    await this.#positions.load(this.#sinks());
    await source.start(this.#live().flatMap((writer) => this.#recorded(writer)));
    await this.#forgetOtherSteps();
    while (!signal.aborted) {
      await this.#copy();
      if (signal.aborted) break;
      await this.#stream();
    }
    await this.#recordAll();
    this.#points.giveUp();
  }

  /** What a dataset's tables have recorded. That some of it is void is told once. */
  #recorded(writer: DatasetWriter): readonly RecordedPosition[] {
    const { namespace, table } = writer.plan.dataset.source;
    let isTold = false;
    return sinksOf(writer).flatMap((sink): RecordedPosition[] => {
      const position = this.#positions.of(sink);
      if (position === undefined) return [];
      const forget = async (reason: string) => {
        await this.#positions.forget(sink);
        if (!isTold) this.#options.onRecopy?.(writer.name, reason);
        isTold = true;
      };
      return [{ source: `${namespace}.${table}`, position, forget }];
    });
  }

  async #forgetOtherSteps(): Promise<void> {
    for (const writer of this.#live()) {
      if (!sinksOf(writer).some((sink) => this.#positions.has(sink))) continue;
      const reason = await otherStepsReason(writer);
      if (reason !== undefined) await this.#forget(writer, reason);
    }
  }

  async #copy(): Promise<void> {
    const writers = this.#live().filter((writer) => sinksOf(writer).some((sink) => !this.#positions.has(sink)));
    await copyDatasets({
      source: this.#options.source,
      writers,
      wants: (sink) => !this.#positions.has(sink),
      connections: this.#options.copyConnections ?? [this.#options.connection],
      deadLetters: this.#options.deadLetters,
      signal: this.#options.signal,
      onRows: (rows) => {
        this.#rows += rows;
        this.#report("copy");
      },
      onFailure: (writer, thrown) => this.#setAside(writer, thrown),
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
    await this.#removeLettersAfterPositions();
    this.#streaming.resolve();
    // A point opened before the tables were copied is not passed any more.
    await this.#arrive(after);
    const failed = new AbortController();
    const both = AbortSignal.any([signal, failed.signal]);
    let [before, last] = [nothing, nothing];
    try {
      for await (const batch of source.changes(after, this.#positions.all(), both)) {
        [before, last] = [last, this.#carry(batch, [last, before])];
        last.done.catch(() => failed.abort());
        await Promise.all([last.folded, last.begins]);
        // A table that lost its position is copied again: nothing more may be read before that.
        if (this.#missesPosition()) return;
      }
    } finally {
      await last.done;
    }
  }

  /** What was refused after a table's position is read, and refused, again. */
  async #removeLettersAfterPositions(): Promise<void> {
    const { deadLetters, source } = this.#options;
    for (const writer of this.#live()) {
      const position = this.#positions.smallest(sinksOf(writer));
      if (position === undefined) continue;
      const isAfter = (offset: string) => source.compare({ ...position, offset }, position) > 0;
      await this.#guarded(writer, () => deadLetters.removeAfter(writer.name, isAfter));
    }
  }

  /**
   * Has a batch folded while the one before is transformed and that before it committed. Datasets side by side: one that waits for
   * its own rows of an earlier batch holds up no other.
   *
   * @param earlier The two batches before, the newer first.
   */
  #carry(batch: MicroBatch, earlier: readonly [Carried, Carried]): Carried {
    const [previous, { done: room }] = earlier;
    const changes: Folded = new Map();
    const folding = new Map([...batch.changes].flatMap(([name, each]) => {
      const writer = this.#writers.get(name);
      if (writer === undefined || this.#failures.has(writer)) return [];
      return [[writer, this.#foldDataset(writer, { batch, changes: each, earlier, folded: changes })] as const];
    }));
    const folded = allOrFirstError([...folding.values()]).finally(() => batch.release());
    // No more than three batches are in memory.
    const begins = Promise.all([previous.transformed, room]).then(() => {});
    const transformed = begins.then(() => this.#transform(folding, changes));
    const done = this.#commit(batch, { transformed, previous: previous.done }).finally(async () => {
      await Promise.allSettled([folded, transformed]);
      for (const each of changes.values()) await each[Symbol.asyncDispose]();
    });
    // What becomes of them is told where the commit is awaited.
    for (const step of [folded, begins, transformed]) step.catch(() => {});
    return { changes, folded, begins, transformed, done };
  }

  async #foldDataset(
    writer: DatasetWriter,
    { batch, changes, earlier, folded }: {
      readonly batch: MicroBatch;
      readonly changes: DatasetChanges;
      readonly earlier: readonly [Carried, Carried];
      readonly folded: Folded;
    },
  ): Promise<void> {
    const wants = (sink: Sink) => this.#positions.isBefore(sink, batch.to);
    if (!sinksOf(writer).some(wants)) return;
    const reason = await recopyReason(writer, { changes, first: !this.#adopted.has(writer) });
    this.#adopted.add(writer);
    if (reason !== undefined) {
      // What became of the batches before is told where they are awaited.
      await earlier[0].done.catch(() => {});
      return await this.#forget(writer, reason);
    }
    const { after, to, commitTimeMs } = batch;
    const before = earlier.map((each) => each.changes.get(writer)?.settled).find((settled) => settled !== undefined);
    await this.#guarded(writer, async () => {
      const end = { after, to, commitTimeMs };
      folded.set(writer, await writer.fold(changes, { ...end, wants, before: before ?? Promise.resolve() }));
    });
  }

  async #transform(folding: ReadonlyMap<DatasetWriter, Promise<void>>, folded: Folded): Promise<Transformed> {
    const transformed: Transformed = new Map();
    await allOrFirstError([...folding].map(async ([writer, ready]) => {
      await ready;
      const changes = folded.get(writer);
      if (changes === undefined || this.#failures.has(writer)) return;
      await this.#guarded(writer, async () => void transformed.set(writer, await writer.transform(changes)));
    }));
    // In this order they begin to be committed: the next batch may wait for what one leaves in the lake, and few rows are soon there.
    return new Map([...transformed].sort(([, left], [, right]) => left.rows - right.rows));
  }

  async #commit(
    batch: MicroBatch,
    { transformed, previous }: { readonly transformed: Promise<Transformed>; readonly previous: Promise<void> },
  ): Promise<void> {
    await previous;
    await atMost(datasetsAtOnce, [...await transformed], async ([writer, changes]) => {
      if (this.#failures.has(writer)) return;
      await this.#guarded(writer, async (attempt) => {
        // Some sinks may have taken the batch before another failed; they must not take it twice.
        if (attempt > 1) await this.#positions.load(sinksOf(writer));
        await this.#commitTo(writer, changes, batch.to);
        await this.#positions.load(sinksOf(writer));
      });
    });
    this.#rows += batch.rows;
    this.#batches++;
    await this.#points.opening;
    await this.#afterBatch(batch);
  }

  /** A key that a format cannot widen in place becomes wider as the tables are copied again. */
  async #commitTo(writer: DatasetWriter, changes: TransformedChanges, to: Position): Promise<void> {
    try {
      await changes.commit((sink) => this.#positions.isBefore(sink, to));
    } catch (thrown) {
      const { kind, message } = toWeirError(thrown);
      if (kind !== "unsupportedSchemaChange" || !changes.widensKey) throw thrown;
      await this.#forget(writer, `its key became wider, which rows already written cannot follow: ${message}`);
    }
  }

  #missesPosition(): boolean {
    return this.#live().some((writer) => sinksOf(writer).some((sink) => !this.#positions.has(sink)));
  }

  /** A failing dataset is set aside and the others go on; what concerns the whole job stops it. */
  async #guarded(writer: DatasetWriter, step: (attempt: number) => Promise<void>): Promise<void> {
    for (let attempt = 1, waitMs = firstWaitMs;; attempt++, waitMs *= 2) {
      try {
        return await step(attempt);
      } catch (thrown) {
        const { kind } = toWeirError(thrown);
        const isTimed = errorPolicy(kind).retry === "timed" && !fatalKinds.has(kind) && !this.#failures.has(writer);
        if (!isTimed || attempt >= stepAttempts || this.#options.signal.aborted) return this.#setAside(writer, thrown);
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  /** Leaves a dataset where it stands; throws what concerns the whole job. */
  #setAside(writer: DatasetWriter, thrown: unknown): void {
    const table = writer.name;
    const error = toWeirError(thrown, "internal", { table });
    if (fatalKinds.has(error.kind)) throw error;
    // Its other batch, under way at the same time, has failed before and said why.
    if (this.#failures.has(writer)) return;
    this.#failures.set(writer, error);
    this.#options.onDatasetError?.(table, error);
  }

  async #afterBatch(batch: MicroBatch): Promise<void> {
    await this.#recordEnd({ position: batch.to, now: batch.recordNow === true || this.#points.isReached(batch.to) });
    await this.#detachOverdue(batch.to);
    await failPoint("pipeline.beforeAcknowledge");
    const smallest = this.#positions.smallest(this.#holding());
    if (smallest !== undefined) this.#options.source.acknowledge(smallest);
    this.#report("stream", batch.to);
    await this.#arrive(batch.to);
    if (this.#live().length === 0) throw this.#firstFailure();
  }

  /** Tables that had no part in what was read note its end, at once or when they have not for too long. */
  async #recordEnd(end: { readonly position: Position; readonly now: boolean }): Promise<void> {
    for (const writer of this.#live()) await this.#guarded(writer, () => this.#positions.passed(sinksOf(writer), end));
  }

  async #arrive(now: Position): Promise<void> {
    await this.#points.arrive(now, (position) => this.#positions.areAt(this.#live().flatMap(sinksOf), position));
  }

  /** A dataset that holds back too much of the source's log loses its position: better copied again than a full disk there. */
  async #detachOverdue(now: Position): Promise<void> {
    if (performance.now() < this.#detachAfterMs) return;
    const limitBytes = this.#options.maxRetainedWalBytes ?? 8 * 2 ** 30;
    for (const writer of this.#failures.keys()) {
      const held = this.#positions.smallest(sinksOf(writer).filter((sink) => this.#positions.has(sink)));
      if (held === undefined || this.#options.source.distanceBytes(held, now) <= limitBytes) continue;
      const reason = `it held back more than ${limitBytes} bytes of the source's log while it failed`;
      await this.#forget(writer, reason).catch((thrown) => this.#notForgotten(writer, toWeirError(thrown)));
    }
  }

  /** A table that cannot even take note that its position is given up keeps its claim for now; the others go on. */
  #notForgotten(writer: DatasetWriter, error: WeirError): void {
    if (fatalKinds.has(error.kind)) throw error;
    this.#detachAfterMs = performance.now() + this.#recordIdleMs;
    this.#options.onDatasetError?.(writer.name, error);
  }

  /** Takes the recorded positions away, so that the tables are copied again. */
  async #forget(writer: DatasetWriter, reason: string): Promise<void> {
    for (const sink of sinksOf(writer)) if (this.#positions.has(sink)) await this.#positions.forget(sink);
    this.#options.onRecopy?.(writer.name, reason);
  }

  async #recordAll(): Promise<void> {
    const last = this.#positions.last;
    if (last === undefined) return;
    await this.#recordEnd({ position: last, now: true });
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

/** What a batch became, by dataset. */
type Folded = Map<DatasetWriter, FoldedChanges>;
type Transformed = Map<DatasetWriter, TransformedChanges>;

/** A batch on its way into the lake. */
interface Carried {
  readonly changes: Folded;
  /** Resolves when all of it is folded. */
  readonly folded: Promise<void>;
  /** Resolves when it may be transformed. */
  readonly begins: Promise<void>;
  readonly transformed: Promise<Transformed>;
  readonly done: Promise<void>;
}

/** Before the first batch. */
const nothing: Carried = {
  changes: new Map(),
  folded: Promise.resolve(),
  begins: Promise.resolve(),
  transformed: Promise.resolve(new Map()),
  done: Promise.resolve(),
};

function sinksOf(writer: DatasetWriter): readonly Sink[] {
  return writer.plan.tables.flatMap((table) => table.sinks);
}
