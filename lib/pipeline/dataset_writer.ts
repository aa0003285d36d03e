/**
 * Writes one dataset's part of a batch into its lake tables.
 *
 * Promise: dead letters first, then child tables, then the main table; a sink at or past the batch's end is passed over. So a
 * crash anywhere leaves the main table at the batch's start whenever any table of its format is, and a replay finds the values
 * that the source did not send again.
 */
import type { DatasetChanges, SpoolSegment } from "../change/micro_batch.ts";
import type { Position } from "../change/position.ts";
import type { Relation } from "../change/relation.ts";
import type { Sink, TableChange } from "../change/sink.ts";
import type { TransformContext } from "../change/transform.ts";
import type { Column } from "../dataset/column.ts";
import { sameType } from "../dataset/column_type.ts";
import { sourceTable, type TableDefinition } from "../dataset/dataset.ts";
import { evolveColumns, type SchemaChange } from "../dataset/schema_change.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { failPoint } from "../fail_point.ts";
import { fold } from "../fold/fold.ts";
import type { DeadLetters, LetterDraft } from "./dead_letters.ts";
import { commitOrder, type DatasetPlan, lakeDefinition, type TablePlan } from "./plan.ts";
import { Scratch } from "./scratch.ts";

/** What every writer of a pipeline shares. */
export interface WriterContext {
  readonly connection: Connection;
  readonly deadLetters: DeadLetters;
  readonly signal: AbortSignal;
}

/** Where a batch ends. */
export interface BatchEnd {
  readonly to: Position;
  readonly commitTimeMs: number;
}

/** One table's relation, ready to be committed. */
interface Ready {
  readonly plan: TablePlan;
  readonly relation: Relation;
  readonly sinks: readonly Sink[];
}

/** Writes one dataset. Its source columns follow the relation versions that stream by. */
export class DatasetWriter {
  readonly plan: DatasetPlan;
  readonly #context: WriterContext;
  #source: TableDefinition;

  constructor(plan: DatasetPlan, context: WriterContext) {
    this.plan = plan;
    this.#context = context;
    this.#source = sourceTable(plan.dataset);
  }

  /** Source columns as of the last batch. */
  get source(): TableDefinition {
    return this.#source;
  }

  /** Takes the columns of a relation version, keeping what the declaration says of those it knows. */
  adopt(segment: SpoolSegment): void {
    const declared = new Map(this.plan.dataset.columns.map((column) => [column.name, column]));
    const columns = segment.columns.map(({ name, type }): Column => {
      const known = declared.get(name);
      return known !== undefined && sameType(known.type, type) ? known : { name, type, nullable: true };
    });
    this.#source = { ...this.#source, columns, key: this.#source.key };
  }

  /** Applies the changes to every sink for which `wants` is true. */
  async write(changes: DatasetChanges, options: BatchEnd & { readonly wants: (sink: Sink) => boolean }): Promise<void> {
    await using scratch = new Scratch(this.#context.connection);
    const schemaChanges = changes.segments.flatMap((segment) => segment.schemaChanges);
    const source = { ...this.#source, ...evolved(this.#source, schemaChanges) };
    const letters: LetterDraft[] = [];
    const main = this.plan.tables.find((table) => table.rowsBelongTo === "key");
    const waiting = (table: TablePlan) => table.sinks.filter(options.wants);
    const context = (sinks: readonly Sink[]) => this.#transformContext({ scratch, letters, sinks });
    const folded = await fold({ ...context(main === undefined ? [] : waiting(main)), changes, definition: source });
    const ready: Ready[] = [];
    for (const plan of commitOrder(this.plan)) {
      const sinks = waiting(plan);
      if (sinks.length > 0) ready.push({ plan, sinks, relation: await transformed(plan, folded, context(sinks)) });
    }
    await this.#writeLetters(changes, { ...options, letters, rows: folded.rows });
    for (const table of ready) await this.#commit(table, { ...options, changes, folded, schemaChanges, scratch });
    this.#source = source;
  }

  /** Runs rows of an initial copy through the transforms and gives each table's relation to `take`. */
  async writeCopied(
    changes: DatasetChanges,
    options: BatchEnd & {
      readonly take: (plan: TablePlan, relation: Relation) => Promise<void>;
      readonly part: number;
    },
  ): Promise<void> {
    await using scratch = new Scratch(this.#context.connection);
    const letters: LetterDraft[] = [];
    const context = this.#transformContext({ scratch, letters, sinks: [] });
    const folded = await fold({ ...context, changes, definition: this.#source });
    for (const plan of commitOrder(this.plan)) await options.take(plan, await transformed(plan, folded, context));
    const to = { ...options.to, offset: `${options.to.offset}-copy-${options.part}` };
    await this.#writeLetters(changes, { ...options, to, letters, rows: folded.rows });
  }

  #transformContext(
    scope: { readonly scratch: Scratch; readonly letters: LetterDraft[]; readonly sinks: readonly Sink[] },
  ): TransformContext {
    return {
      connection: this.#context.connection,
      signal: this.#context.signal,
      temporaryName: scope.scratch.name,
      deadLetter: (letter) => void scope.letters.push(letter),
      currentRows: async (keys, columns) => {
        const scan = await scope.sinks[0]?.scan();
        if (scan === undefined) return undefined;
        const key = keys.definition.key.map(identifier);
        const wanted = [...new Set([...key, ...columns.map(identifier)])];
        return `SELECT ${wanted.map((name) => `lake.${name}`).join(", ")} FROM (${scan}) AS lake
          SEMI JOIN ${identifier(keys.name)} AS wanted ON ${
          key.map((name) => `lake.${name} = wanted.${name}`).join(" AND ")
        }`;
      },
    };
  }

  async #writeLetters(
    changes: DatasetChanges,
    batch: BatchEnd & { readonly letters: readonly LetterDraft[]; readonly rows: number },
  ): Promise<void> {
    const { namespace, name } = this.plan.dataset;
    const refused = changes.deadLetters.map(({ id, ...letter }): LetterDraft => ({
      ...letter,
      ordinal: BigInt(id.split(":")[1] ?? 0),
    }));
    const drafts = [...refused, ...batch.letters];
    await this.#context.deadLetters.write(drafts, {
      table: `${namespace}.${name}`,
      position: batch.to,
      rows: batch.rows,
    });
    if (drafts.length > 0) await failPoint("pipeline.afterDeadLetters");
  }

  async #commit(
    ready: Ready,
    batch: BatchEnd & {
      readonly changes: DatasetChanges;
      readonly folded: Relation;
      readonly schemaChanges: readonly SchemaChange[];
      readonly scratch: Scratch;
    },
  ): Promise<void> {
    const change = await tableChange(ready, { ...batch, connection: this.#context.connection });
    if (change === undefined) return;
    await allOrFirstError(ready.sinks.map(async (sink) => {
      await sink.commit(change);
      await failPoint("pipeline.afterTableCommit");
    }));
  }
}

/** Waits for every one, also after an error: what they read is dropped afterwards. */
export async function allOrFirstError(running: readonly (Promise<void> | undefined)[]): Promise<void> {
  const ended = await Promise.allSettled(running);
  const failed = ended.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function evolved(source: TableDefinition, changes: readonly SchemaChange[]): Pick<TableDefinition, "columns" | "key"> {
  const renamed = (name: string) =>
    changes.reduce((held, change) => change.kind === "renameColumn" && change.from === held ? change.to : held, name);
  return { columns: evolveColumns(source.columns, changes), key: source.key.map(renamed) };
}

async function transformed(plan: TablePlan, folded: Relation, context: TransformContext): Promise<Relation> {
  let relation = folded;
  for (const transform of plan.transforms) relation = await transform.apply(relation, context);
  return relation;
}

/** What a table's commit changes; undefined where nothing does. */
async function tableChange(
  ready: Ready,
  batch: BatchEnd & {
    readonly changes: DatasetChanges;
    readonly folded: Relation;
    readonly schemaChanges: readonly SchemaChange[];
    readonly scratch: Scratch;
    readonly connection: Connection;
  },
): Promise<TableChange | undefined> {
  const { plan, relation } = ready;
  const { connection, scratch, folded } = batch;
  const key = new Set(folded.definition.key);
  const schemaChanges = plan.rowsBelongTo === "key"
    ? batch.schemaChanges
    : batch.schemaChanges.filter((change) =>
      change.kind === "renameColumn" ? key.has(change.to) : change.kind === "widenColumn" && key.has(change.name)
    );
  const upserts = await subset(connection, { relation, name: scratch.name("upserts"), where: "NOT _delete" });
  const removedWhere = plan.rowsBelongTo === "key" ? "_delete" : "_delete OR _replaces";
  const removals = await subset(connection, { relation: folded, name: scratch.name("removals"), where: removedWhere });
  const truncate = batch.changes.truncatedBefore !== undefined;
  if (schemaChanges.length === 0 && !truncate && upserts.rows === 0 && removals.rows === 0) return undefined;
  return {
    definition: relation.definition,
    schemaChanges,
    truncate,
    ...(upserts.rows === 0 ? {} : { upserts }),
    ...(removals.rows === 0 ? {} : { removals }),
    scope: folded.definition.key,
    position: batch.to,
    commitTimeMs: batch.commitTimeMs,
  };
}

async function subset(
  connection: Connection,
  options: { readonly relation: Relation; readonly name: string; readonly where: string },
): Promise<Relation> {
  const { relation, name, where } = options;
  await connection.run(
    `CREATE VIEW ${identifier(name)} AS SELECT * FROM ${identifier(relation.name)} WHERE ${where}`,
  );
  const rows = Number(await connection.value(`SELECT count(*) FROM ${identifier(name)}`));
  return { name, definition: relation.definition, rows };
}

/** The definition of a table plan for the writer's present source columns. */
export function currentDefinition(writer: DatasetWriter, plan: TablePlan): TableDefinition {
  return lakeDefinition(plan, writer.source);
}
