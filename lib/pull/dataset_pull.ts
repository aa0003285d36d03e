/** One dataset's way from a batch to the rows of its lake tables, as the jobs go it. */
import type { DatasetChanges } from "../change/micro_batch.ts";
import type { Sink } from "../change/sink.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { DatasetWriter, type WriterContext } from "../pipeline/dataset_writer.ts";
import type { BatchEnd } from "../pipeline/folded_changes.ts";
import { declaredDefinition } from "../pipeline/plan.ts";
import { tableFolders } from "../query/lake_folders.ts";
import { type LakePlace, lakeTable } from "../query/lake_tables.ts";
import { LakeSink } from "../sink/lake_sink.ts";
import type { EmbedOptions } from "../transform/embed.ts";
import { tableSteps } from "../transform/table_steps.ts";
import { PulledSink, type PulledTable } from "./pulled_sink.ts";

/** What a dataset's rows go through. */
export interface DatasetPullOptions extends WriterContext {
  /** Absent: no table gets vectors. */
  readonly embedding?: EmbedOptions;
  /** The lake whose rows complete what the source did not send. Absent: such values are NULL. */
  readonly lake?: LakePlace;
}

/** A dataset to be pulled. */
export class DatasetPull {
  readonly dataset: Dataset;
  readonly #writer: DatasetWriter;
  readonly #sinks: readonly PulledSink[];

  private constructor(dataset: Dataset, { writer, sinks }: {
    readonly writer: DatasetWriter;
    readonly sinks: readonly PulledSink[];
  }) {
    this.dataset = dataset;
    this.#writer = writer;
    this.#sinks = sinks;
  }

  /** Looks for the dataset's tables in the lake; nothing of them is read yet. */
  static async open(dataset: Dataset, options: DatasetPullOptions): Promise<DatasetPull> {
    const { connection, lake } = options;
    const sinks: PulledSink[] = [];
    const tables = [];
    for (const steps of tableSteps(dataset, options.embedding)) {
      const { namespace, name } = declaredDefinition({ ...steps, sinks: [] }, dataset);
      const present = lake === undefined ? undefined : await presentSink({ namespace, name }, lake);
      const sink = new PulledSink({ format: "none", namespace, name, location: "" }, { connection, present });
      sinks.push(sink);
      tables.push({ ...steps, sinks: [sink] });
    }
    return new DatasetPull(dataset, { writer: new DatasetWriter({ dataset, tables }, options), sinks });
  }

  /** The rows that the changes would write, by lake table. */
  async rows(changes: DatasetChanges, end: BatchEnd): Promise<ReadonlyMap<string, PulledTable>> {
    await using folded = await this.#writer.fold(changes, { ...end, wants: () => true, before: Promise.resolve() });
    await (await this.#writer.transform(folded)).commit(() => true);
    return new Map(this.#sinks.flatMap((sink) => {
      const { namespace, name } = sink.table;
      const kept = sink.take();
      return kept === undefined ? [] : [[`${namespace}.${name}`, kept] as const];
    }));
  }
}

/** The first format that a table is there in. */
async function presentSink(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  lake: LakePlace,
): Promise<Sink | undefined> {
  const place = (await tableFolders(lake)).find((table) => table.namespace === namespace && table.name === name);
  return place === undefined ? undefined : new LakeSink(lakeTable(place, lake));
}
