/** Pipelines over a scripted source and a lake in memory: two datasets, each in two tables, opened again and again. */
import type { Position } from "../change/position.ts";
import type { Sink } from "../change/sink.ts";
import type { TransformContext } from "../change/transform.ts";
import { types } from "../dataset/column_type.ts";
import type { Dataset } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import type { WeirError } from "../errors.ts";
import { DeadLetters } from "../pipeline/dead_letters.ts";
import { Pipeline, type PipelineOptions } from "../pipeline/pipeline.ts";
import { MemoryLake, MemorySink } from "./memory_sink.ts";
import { MemorySource } from "./memory_source.ts";
import { MemoryStorage } from "./memory_storage.ts";
import { withDatabase } from "./temporary.ts";
import { WatchedSink } from "./watched_sink.ts";

function dataset(name: string): Dataset {
  return {
    namespace: "shop",
    name,
    source: { namespace: "public", table: name },
    columns: [
      { name: "id", type: types.int64, nullable: false },
      { name: "price", type: types.int32, nullable: true },
      { name: "document", type: types.string, nullable: true },
    ],
    key: ["id"],
  };
}

/** What the scene captures, in this order. */
export const scenes: readonly Dataset[] = [dataset("orders"), dataset("customers")];

/** One run. Nothing of it outlives the process but what its tables hold. */
export interface SceneRun {
  readonly pipeline: Pipeline;
  readonly running: Promise<void>;
  /** Two tables each. */
  readonly sinks: Readonly<Record<"orders" | "customers", readonly [WatchedSink, WatchedSink]>>;
  readonly errors: readonly { readonly dataset: string; readonly error: WeirError }[];
  readonly recopies: readonly { readonly dataset: string; readonly reason: string }[];
  /** Datasets whose part of a batch was transformed, one entry a batch. */
  readonly transformed: readonly string[];
  /** Resolves when a batch that ends at or after the position is in every table; rejects when the run does. */
  reached(position: Position): Promise<void>;
  stop(): Promise<void>;
}

/** What a run does otherwise. */
export type SceneOptions = Partial<Pick<PipelineOptions, "maxRetainedWalBytes">> & {
  /** Called when a dataset's part of a batch is transformed; may wait, and may throw. */
  readonly onTransform?: (dataset: string, context: TransformContext) => void | Promise<void>;
  /** Called with the tables before anything happens to them. */
  readonly onOpen?: (sinks: SceneRun["sinks"]) => void;
};

/** A source and a lake, and runs between them. */
export class PipelineScene {
  readonly source: MemorySource;
  /** Where the dead letters lie. */
  readonly letters = new MemoryStorage();
  readonly #lake: MemoryLake;
  readonly #connection: Connection;
  readonly #close: (() => Promise<void>)[] = [];

  constructor(options: { readonly folder: string; readonly pipeline: Connection; readonly lake: Connection }) {
    this.source = new MemorySource({ datasets: scenes, folder: options.folder, rowsPerPart: 3 });
    this.#connection = options.pipeline;
    this.#lake = new MemoryLake(options.lake);
  }

  /** Starts a pipeline as a new process would: its tables know only what the lake tells. Resolves when it streams. */
  async start(options: SceneOptions = {}): Promise<SceneRun> {
    const { onTransform = () => {}, onOpen = () => {}, ...rest } = options;
    const stopped = new AbortController();
    const sinks = { orders: this.#sinks("orders"), customers: this.#sinks("customers") };
    onOpen(sinks);
    const errors: SceneRun["errors"][number][] = [];
    const recopies: SceneRun["recopies"][number][] = [];
    const transformed: string[] = [];
    const progress = new EventTarget();
    let offset = -1;
    const plans = scenes.map((dataset) => ({
      dataset,
      tables: [{
        transforms: [watchingTransform(async (name, context) => {
          transformed.push(name);
          await onTransform(name, context);
        })],
        rowsBelongTo: "key" as const,
        sinks: sinks[dataset.name as keyof typeof sinks],
      }],
    }));
    const pipeline = new Pipeline({
      ...rest,
      source: this.source,
      plans,
      connection: this.#connection,
      deadLetters: new DeadLetters(this.letters),
      signal: stopped.signal,
      onDatasetError: (dataset, error) => errors.push({ dataset, error }),
      onRecopy: (dataset, reason) => recopies.push({ dataset, reason }),
      onProgress: ({ position }) => {
        offset = Math.max(offset, Number(position?.offset ?? -1));
        progress.dispatchEvent(new Event("batch"));
      },
    });
    const running = pipeline.run();
    this.#close.push(() => (stopped.abort(), running.catch(() => {})));
    await Promise.race([pipeline.streaming, running]);
    const reached = async (position: Position) => {
      const arrived = Promise.withResolvers<void>();
      const look = () => offset >= Number(position.offset) && arrived.resolve();
      progress.addEventListener("batch", look);
      look();
      await Promise.race([arrived.promise, running]);
      progress.removeEventListener("batch", look);
    };
    const stop = async () => {
      stopped.abort();
      await running;
    };
    return { pipeline, running, sinks, errors, recopies, transformed, reached, stop };
  }

  /** A table's rows as text, in the order of the texts. */
  async rows(sink: Sink): Promise<readonly string[]> {
    using scan = await sink.scan();
    if (scan === undefined) return [];
    const rows = await this.#lake.connection.rows(`SELECT id, price, document FROM (${scan.sql})`);
    return rows.map(({ id, price, document }) => JSON.stringify([String(id), price, document])).toSorted();
  }

  /** The rows a table should have, in the form of {@linkcode rows}. */
  expected(name: string, upTo?: number): readonly string[] {
    const rows = this.source.rows(scenes.find((dataset) => dataset.name === name)!, upTo);
    return rows.map(({ id, price, document }) => {
      return JSON.stringify([id, price === null ? null : Number(price), document]);
    }).toSorted();
  }

  /** Ends every run, however its test ended: the engine goes away next. */
  async close(): Promise<void> {
    for (const close of this.#close) await close();
  }

  #sinks(name: string): readonly [WatchedSink, WatchedSink] {
    const sink = (format: string) => new WatchedSink(new MemorySink(this.#lake, { namespace: format, name }));
    return [sink("one"), sink("two")];
  }
}

/** Runs a body with an empty lake and an empty source. */
export async function withPipelineScene(
  body: (scene: PipelineScene, fixture: { readonly connection: Connection }) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ folder, database, connection }) => {
    const lake = await database.connect();
    const scene = new PipelineScene({ folder, pipeline: connection, lake });
    try {
      await body(scene, { connection });
    } finally {
      await scene.close();
      lake.close();
    }
  });
}

function watchingTransform(
  onApply: (dataset: string, context: TransformContext) => Promise<void>,
): PipelineOptions["plans"][number]["tables"][number]["transforms"][number] {
  return {
    name: "watch",
    define: (input) => input,
    apply: async (input, context) => {
      await onApply(input.definition.name, context);
      return input;
    },
  };
}
