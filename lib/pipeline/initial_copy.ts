/**
 * The initial copy of datasets into the sinks that have no position.
 *
 * Promise: one table commit per table and format, at the consistent point of the snapshot it was read under; a copy that is
 * interrupted leaves nothing behind but files that it removes, and is made anew; a dataset that fails does not keep the others
 * from being copied.
 */
import type { InitialCopyPart, Source } from "../change/source.ts";
import type { Sink, TableLoad } from "../change/sink.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { columnDifference } from "../dataset/schema_change.ts";
import type { Connection } from "../engine/connection.ts";
import type { WeirError } from "../errors.ts";
import { failPoint } from "../fail_point.ts";
import type { DeadLetters } from "./dead_letters.ts";
import { currentDefinition, type DatasetWriter } from "./dataset_writer.ts";
import { commitOrder } from "./plan.ts";
import { sharingRows } from "./sharing_rows.ts";
import { type CopiedRows, writeLetters } from "./transformed_changes.ts";

/** What {@linkcode copyDatasets} needs. */
export interface CopyOptions {
  readonly source: Source;
  readonly writers: readonly DatasetWriter[];
  /** Sinks to be filled: those without a position. */
  readonly wants: (sink: Sink) => boolean;
  /** On each of them one part is transformed at a time, then written: so many parts are in hand at most. */
  readonly connections: readonly Connection[];
  readonly deadLetters: Pick<DeadLetters, "removeCopied">;
  readonly signal: AbortSignal;
  /** Called after each part with its rows. */
  readonly onRows: (rows: number) => void;
  /** Called when a dataset cannot be carried into its tables; the others go on unless it throws. */
  readonly onFailure: (writer: DatasetWriter, thrown: unknown) => void;
}

/** Copies every dataset that has a sink without a position. */
export async function copyDatasets(options: CopyOptions): Promise<void> {
  const waiting = options.writers.filter((writer) =>
    writer.plan.tables.some((table) => table.sinks.some(options.wants))
  );
  if (waiting.length === 0) return;
  const writers = new Map(waiting.map((writer) => [sourceName(writer.plan.dataset), writer]));
  const failed = new Set<DatasetWriter>();
  let copy: TableCopy | undefined;
  try {
    const datasets = waiting.map((writer) => writer.plan.dataset);
    const onFailure = (dataset: Dataset, error: WeirError) => {
      const writer = writers.get(sourceName(dataset));
      if (writer !== undefined) options.onFailure(writer, error);
    };
    for await (const part of options.source.copy(datasets, options.signal, onFailure)) {
      const writer = writers.get(sourceName(part.dataset));
      if (writer === undefined) throw new TypeError(`Cannot copy "${part.dataset.name}": it was not asked for`);
      if (failed.has(writer)) {
        await part.release();
        continue;
      }
      copy ??= new TableCopy(writer, options);
      try {
        await copy.add(part);
        if (part.last) await copy.commit();
      } catch (thrown) {
        await copy.abandon();
        failed.add(writer);
        options.onFailure(writer, thrown);
      }
      if (part.last || failed.has(writer)) copy = undefined;
    }
  } finally {
    await copy?.abandon();
  }
}

function sourceName({ source }: Dataset): string {
  return `${source.namespace}.${source.table}`;
}

/** One dataset on its way into its sinks. */
class TableCopy {
  readonly #writer: DatasetWriter;
  readonly #options: CopyOptions;
  readonly #loads = new Map<Sink, TableLoad>();
  #parts = 0;
  /** The last part of each connection. */
  readonly #inHand: Promise<void>[];
  /** Files are written one part after another. */
  #writing: Promise<void> = Promise.resolve();

  constructor(writer: DatasetWriter, options: CopyOptions) {
    this.#writer = writer;
    this.#options = options;
    this.#inHand = options.connections.map(() => Promise.resolve());
  }

  /** Takes a part in hand, as soon as a connection is free. */
  async add(part: InitialCopyPart): Promise<void> {
    const number = this.#parts++;
    const lane = number % this.#inHand.length;
    try {
      if (number === 0) await this.#begin(part);
      await this.#inHand[lane];
    } catch (thrown) {
      await part.release();
      throw thrown;
    }
    const connection = this.#options.connections[lane] as Connection;
    const carried = this.#carry(part, { number, connection });
    // A failure is met where the lane is awaited next; until then it must not count as unhandled.
    carried.catch(() => {});
    this.#inHand[lane] = carried;
  }

  async #carry(
    part: InitialCopyPart,
    { number, connection }: { readonly number: number; readonly connection: Connection },
  ): Promise<void> {
    const to = { to: part.position, commitTimeMs: Date.now() };
    await using rows = await this.#writer.transformCopied(part.changes, { ...to, part: number, connection })
      .finally(() => part.release());
    this.#writing = this.#writing.then(() => this.#write(rows));
    await this.#writing;
    this.#options.onRows(part.changes.segments.reduce((sum, segment) => sum + segment.rows, 0));
  }

  async commit(): Promise<void> {
    await Promise.all(this.#inHand);
    for (const load of this.#loads.values()) {
      await load.commit();
      await failPoint("pipeline.afterCopyCommit");
    }
    this.#loads.clear();
  }

  async abandon(): Promise<void> {
    await Promise.allSettled(this.#inHand);
    for (const load of this.#loads.values()) await load.abandon().catch(() => {});
  }

  async #write(copied: CopiedRows): Promise<void> {
    for (const { plan, relation } of copied.tables) {
      if (relation.rows === 0) continue;
      const loading = plan.sinks.filter((sink) => this.#loads.has(sink));
      await sharingRows(loading, async (sink, shared) => await this.#loads.get(sink)!.add(relation, shared));
    }
    await writeLetters(copied.letters);
    await failPoint("pipeline.afterCopyPart");
  }

  async #begin(part: InitialCopyPart): Promise<void> {
    const [segment] = part.changes.segments;
    if (segment !== undefined) this.#writer.adopt(segment);
    // What is still refused is written again.
    await this.#options.deadLetters.removeCopied(this.#writer.name);
    for (const plan of commitOrder(this.#writer.plan)) {
      const definition = currentDefinition(this.#writer, plan);
      for (const sink of plan.sinks.filter(this.#options.wants)) {
        const held = (await sink.status()).columns;
        const load = await sink.load({
          definition,
          schemaChanges: held === undefined ? [] : columnDifference(held, definition.columns),
          truncate: held !== undefined,
          scope: definition.key,
          position: part.position,
          commitTimeMs: Date.now(),
        });
        this.#loads.set(sink, load);
      }
    }
  }
}
