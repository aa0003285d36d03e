/**
 * One capture from a source into the lake: what `pipeline` and `capture` have in common, from opening the lake to the last
 * verified table.
 */
import type { WeirError } from "../../lib/errors.ts";
import type { Progress } from "../../lib/cli/progress.ts";
import type { Dataset } from "../../lib/dataset/dataset.ts";
import type { Embedder } from "../../lib/embed/embedder.ts";
import type { TextDeclaration } from "../../lib/embed/text_declaration.ts";
import { DeadLetters } from "../../lib/pipeline/dead_letters.ts";
import { Pipeline } from "../../lib/pipeline/pipeline.ts";
import type { DatasetPlan } from "../../lib/pipeline/plan.ts";
import { PostgresSource } from "../../lib/source/postgres/source.ts";
import type { CaptureSettings } from "./capture_settings.ts";
import { startModel } from "./embedding_model.ts";
import { icebergCatalogOf } from "../../lib/table/iceberg/rest/configured_catalog.ts";
import { Lake } from "./lake.ts";
import { below } from "./lake_place.ts";
import { mirrorFormats } from "./mirror_settings.ts";
import { requireKnownTables, requireSortable } from "./layout_requests.ts";
import { type OtherwisePartitioned, otherwisePartitioned } from "./otherwise_partitioned.ts";
import { partitionNotes, requirePartitions } from "./partition_notes.ts";
import { otherModelNotes } from "./model_notes.ts";
import { planOf } from "./plans.ts";
import { sourceObjects } from "./source_objects.ts";
import { policyOf } from "./upkeep_settings.ts";
import { stateFolder } from "../../lib/settings/state_folder.ts";
import { type VerifiedTable, verifyLake } from "./verification.ts";

/** Declared datasets, or the tables to infer them for. */
export type CapturedTables = { readonly datasets: readonly Dataset[] } | { readonly tables: readonly string[] };

/** What a run captures, and how it tells about it. */
export interface CaptureRunOptions {
  readonly job: string;
  readonly url: string;
  readonly settings: CaptureSettings;
  readonly tables: CapturedTables;
  /** What a dataset's vectors are made from. Undefined: none. */
  readonly textOf: (dataset: Dataset) => TextDeclaration | undefined;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** How long the stream waits for a server that is silent. Default: the source's own. */
  readonly silenceMs?: number;
}

/** A source, a lake and the pipeline between them. Disposing closes what was opened. */
export class CaptureRun implements AsyncDisposable {
  readonly source: PostgresSource;
  readonly lake: Lake;
  readonly pipeline: Pipeline;
  readonly plans: readonly DatasetPlan[];
  readonly deadLetters: DeadLetters;
  /** Undefined where no table gets vectors. */
  readonly embedder: Embedder | undefined;
  readonly #options: CaptureRunOptions;
  readonly #stop = new AbortController();
  /** What disposing closes. */
  #opened = new AsyncDisposableStack();
  #startedMs = 0;
  #carriedAtMs = 0;
  #carriedRows = 0;

  private constructor(options: CaptureRunOptions, parts: RunParts) {
    const { source, lake, embedder } = parts;
    const { settings } = options;
    this.#options = options;
    this.source = source;
    this.lake = lake;
    this.embedder = embedder;
    this.deadLetters = new DeadLetters(lake.storage, { share: settings.deadLetterShare });
    this.plans = parts.datasets.map((dataset, lane) => {
      const text = options.textOf(dataset);
      const embedding = text && embedder ? { embedding: { text, embedder } } : {};
      return planOf(dataset, { lake, lane, layout: settings, ...embedding });
    });
    requireKnownTables(settings, this.plans);
    this.pipeline = new Pipeline({
      source,
      plans: this.plans,
      connection: lake.connection,
      transformConnections: lake.transformConnections,
      copyConnections: lake.copyConnections,
      foldConnection: lake.copyConnections.at(-1)!,
      deadLetters: this.deadLetters,
      signal: AbortSignal.any([options.signal, this.#stop.signal]),
      maxRetainedWalBytes: settings.maxRetainedWalBytes,
      onProgress: ({ phase, rows, lag }) => {
        if (lake.upkeep !== undefined) lake.upkeep.isBehind = lag.seconds > behindSeconds + 2 * settings.batchSeconds;
        if (rows > this.#carriedRows) [this.#carriedRows, this.#carriedAtMs] = [rows, performance.now()];
        options.progress.update({
          activity: phase === "copy" ? "copying" : "capturing",
          rows,
          lagBytes: lag.bytes,
          lagSeconds: lag.seconds,
        });
      },
      onDatasetError: (dataset, error) => options.progress.note(datasetNote(dataset, error)),
      onRecopy: (dataset, reason) => options.progress.note(`${dataset} is copied again: ${reason}`),
    });
  }

  /** Opens lake and source. Throws what either throws; nothing is left open then. */
  static async open(options: CaptureRunOptions): Promise<CaptureRun> {
    const { settings } = options;
    requirePartitions(settings);
    requireSortable(settings);
    await using open = new AsyncDisposableStack();
    const icebergCatalog = icebergCatalogOf(settings);
    if (settings.formats.includes("iceberg")) await icebergCatalog?.connect();
    const lake = open.use(
      await Lake.open({
        place: settings,
        stateFolder,
        formats: settings.formats,
        icebergVersion: settings.icebergVersion === "2" ? 2 : 3,
        icebergCatalog,
        deltaDeletes: settings.deltaDeletes,
        partitionKeepDays: settings.partitionKeepDays,
        memoryLimitBytes: settings.memoryLimitBytes,
        threads: settings.threads,
        mirrors: mirrorFormats(settings),
        upkeep: {
          isOn: settings.upkeep === "on",
          policy: policyOf(settings),
          onTrouble: (table, error) => options.progress.note(upkeepNote(table, error)),
        },
      }),
    );
    open.defer(async () => {
      await lake.upkeep?.close();
      await lake.mirrors.close();
    });
    const { batchRows, batchSeconds, maxValueBytes } = settings;
    const limits = {
      batchRows,
      batchMs: batchSeconds * 1000,
      maxValueBytes,
      batchBytes,
      copyPartBytes,
      ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
    };
    const { url, tables } = options;
    const source = new PostgresSource({
      url,
      ...sourceObjects(options),
      ...tables,
      ...limits,
      onWait: (text) => options.progress.note(text),
      folder: lake.stateFolder,
    });
    open.defer(() => source.close());
    const { datasets, leftOut } = await source.inspect();
    if (leftOut.length > 0) options.progress.note(leftOutNote(leftOut));
    const isEmbedding = datasets.some((dataset) => options.textOf(dataset) !== undefined);
    const embedder = isEmbedding ? await startModel(settings, options) : undefined;
    open.defer(() => embedder?.close());
    const run = new CaptureRun(options, { source, lake, embedder, datasets });
    for (const table of await otherwisePartitioned(run.plans)) options.progress.note(partitionedNote(table));
    for (const note of await partitionNotes(run.plans, settings)) options.progress.note(note);
    if (embedder !== undefined && !settings.resync) {
      const sinks = run.plans.flatMap(({ tables }) => tables).flatMap((table) => table.sinks);
      const { model } = embedder;
      for (const note of await otherModelNotes(sinks, { model, connection: lake.connection })) {
        options.progress.note(note);
      }
    }
    await lake.mirrors.begin();
    if (settings.resync) await run.#forgetEverything();
    run.#opened = open.move();
    return run;
  }

  /** Runs the pipeline; once it streams, runs `work` beside it, and stops when that is done or the user wants it. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#startedMs = this.#carriedAtMs = performance.now();
    const running = this.pipeline.run();
    // The first of the two that fails is the one to tell about.
    const failed = new Promise<never>((_, reject) => running.catch(reject));
    try {
      await Promise.race([this.pipeline.streaming, this.untilStopped(), failed]);
      const { dropped } = this.source;
      if (dropped.length > 0) this.#options.progress.note(droppedNote(dropped));
      // Copied rows are in the lake with the table commit, not with the last part.
      if (this.#carriedRows > 0) this.#carriedAtMs = performance.now();
      const result = await Promise.race([work(), failed]);
      this.#stop.abort();
      await running;
      await this.lake.upkeep?.close();
      await this.lake.mirrors.close();
      return result;
    } catch (thrown) {
      this.#stop.abort();
      await running.catch(() => {});
      throw thrown;
    }
  }

  /** Below it lie the dead letters, a folder for each table. */
  get deadLetterFolder(): string {
    return below(this.#options.settings.lake, "dead_letters");
  }

  /** From the start of the pipeline until the last row was in the lake, milliseconds. */
  get carriedMs(): number {
    return this.#carriedAtMs - this.#startedMs;
  }

  /** Resolves when the user stops the run. */
  untilStopped(): Promise<void> {
    const { signal } = this.#options;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  /** Holds every table against the source; fewer, or none, when the user stops the run meanwhile. */
  async verify(): Promise<readonly VerifiedTable[]> {
    const { signal } = this.#options;
    return await verifyLake({
      signal,
      pipeline: this.pipeline,
      plans: this.plans,
      lake: this.lake,
      maxValueBytes: this.#options.settings.maxValueBytes,
      onTable: (table, { index, of }) =>
        this.#options.progress.update({ activity: `verifying ${table} (${index + 1} of ${of})`, rows: 0 }),
      onLeftOut: (text) => this.#options.progress.note(text),
    }).catch((thrown) => {
      if (signal.aborted) return [];
      throw thrown;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  async #forgetEverything(): Promise<void> {
    await this.source.teardown();
    for (const table of this.plans.flatMap((plan) => plan.tables)) {
      for (const sink of table.sinks) await sink.recordPosition(undefined);
    }
  }
}

/**
 * What one batch spools at most, bytes (a source commit may be larger). A batch costs a third of a second whatever it holds, mostly for
 * planning: of batches of half the size a backlog of payments took a seventh longer.
 */
const batchBytes = 64 * 2 ** 20;

/** The same for a part of a copy, of which there are several at a time. */
const copyPartBytes = 32 * 2 ** 20;

/** Seconds, beside two batches, by which a job may lag before upkeep that can wait does. */
const behindSeconds = 2;

interface RunParts {
  readonly source: PostgresSource;
  readonly lake: Lake;
  readonly embedder: Embedder | undefined;
  readonly datasets: readonly Dataset[];
}

function droppedNote(tables: readonly string[]): string {
  return `dropped at the source: ${tables.join(", ")}; their lake tables stay as they were captured last`;
}

function leftOutNote(tables: readonly string[]): string {
  return `no longer captured: ${tables.join(", ")} (this run does not name them); ` +
    "their lake tables stay as they are, and are copied again when they are named again";
}

function partitionedNote({ sink: { table }, partition }: OtherwisePartitioned): string {
  const how = partition.length === 0 ? "not partitioned" : `partitioned by ${partition.join(", ")}`;
  return `${table.namespace}.${table.name} stays as it was made in ${table.format}: ${how}; ` +
    "remove its folder, and it is made and copied anew as --partition-by says";
}

/** What is told of upkeep that failed. */
export function upkeepNote(table: string, error: WeirError): string {
  return `upkeep of ${table} is tried again later: ${error.message}\n  What to do: ${error.advice}`;
}

function datasetNote(dataset: string, error: WeirError): string {
  return `${dataset} was set aside: ${error.message}\n  What to do: ${error.advice}`;
}
