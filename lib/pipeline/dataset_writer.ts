/**
 * Makes one dataset's part of a batch ready for its lake tables: folding, then each table's transforms.
 *
 * Promise: nothing is written here; the next batch can be made ready while this one is committed. What a transform reads of the
 * lake is the lake as of its batch's start.
 */
import type { LetterDraft } from "../change/dead_letter.ts";
import type { DatasetChanges, SpoolSegment } from "../change/micro_batch.ts";
import type { Position } from "../change/position.ts";
import type { Relation } from "../change/relation.ts";
import type { Sink, TableChange } from "../change/sink.ts";
import type { TransformContext } from "../change/transform.ts";
import type { Column } from "../dataset/column.ts";
import { sameType } from "../dataset/column_type.ts";
import { sourceTable, type TableDefinition } from "../dataset/dataset.ts";
import { oldRows } from "../dataset/row_retention.ts";
import { evolveColumns, type SchemaChange } from "../dataset/schema_change.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { fold } from "../fold/fold.ts";
import { copyPartOffset, type DeadLetters } from "./dead_letters.ts";
import { commitOrder, type DatasetPlan, lakeDefinition, type TablePlan } from "./plan.ts";
import { Scratch } from "../engine/scratch.ts";
import { type BatchEnd, FoldedChanges, type FoldedParts } from "./folded_changes.ts";
import { tableChange } from "./table_change.ts";
import { type BatchLetters, type CopiedRows, TransformedChanges } from "./transformed_changes.ts";

/** What every writer of a pipeline shares. */
export interface WriterContext {
  /** Transforms run on it. */
  readonly connection: Connection;
  /** Batches are folded on it while the one before is transformed. Default: `connection`. */
  readonly foldConnection?: Connection;
  readonly deadLetters: DeadLetters;
  readonly signal: AbortSignal;
}

/** A table's rows of a batch. */
interface TableRows {
  readonly plan: TablePlan;
  /** Those that wait. */
  readonly sinks: readonly Sink[];
  readonly relation: Relation;
}

interface TransformScope {
  readonly connection: Connection;
  readonly scratch: Scratch;
  readonly drafts: LetterDraft[];
  readonly sinks: readonly Sink[];
  /** Resolves when the dataset's changes of the batch before are in the lake. */
  readonly before: Promise<void>;
}

type FoldScope = Omit<TransformScope, "sinks"> & Pick<FoldedParts, "wants">;

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

  /** `namespace.table` of the dataset in the lake. */
  get name(): string {
    const { namespace, name } = this.plan.dataset;
    return `${namespace}.${name}`;
  }

  /** Source columns as of the last batch. */
  get source(): TableDefinition {
    return this.#source;
  }

  /** Takes the columns of a relation version, keeping what the declaration says of those it knows. */
  adopt(segment: SpoolSegment): void {
    this.#source = { ...this.#source, columns: this.#declared(segment) };
  }

  /**
   * At a start the contract may be ahead of the stream: the drop of a column whose name another has by then takes that one
   * away, and a key that goes by another column's old name cannot be followed through renames.
   */
  #sourceAfter({ key, segments }: DatasetChanges, schemaChanges: readonly SchemaChange[]): TableDefinition {
    const columns = evolveColumns(this.#source.columns, schemaChanges);
    const held = new Set(columns.map(({ name }) => name));
    const last = segments.at(-1);
    const lost = last === undefined ? [] : this.#declared(last).filter(({ name }) => !held.has(name));
    return { ...this.#source, columns: [...columns, ...lost], key };
  }

  #declared(segment: SpoolSegment): readonly Column[] {
    const declared = new Map(this.plan.dataset.columns.map((column) => [column.name, column]));
    return segment.columns.map(({ name, type }): Column => {
      const known = declared.get(name);
      return known !== undefined && sameType(known.type, type) ? known : { name, type, nullable: true };
    });
  }

  /** Folds changes. Only what reads the lake waits for those `before`. */
  async fold(
    changes: DatasetChanges,
    { wants, before, ...end }: BatchEnd & Pick<FoldedParts, "wants" | "before">,
  ): Promise<FoldedChanges> {
    const { connection, foldConnection = connection } = this.#context;
    const schemaChanges = changes.segments.flatMap((segment) => segment.schemaChanges);
    const source = this.#sourceAfter(changes, schemaChanges);
    await using open = new AsyncDisposableStack();
    const scratch = open.use(new Scratch(connection));
    const drafts: LetterDraft[] = [];
    const scope = { connection: foldConnection, scratch, drafts, before };
    const folded = await this.#fold(changes, { ...scope, source, wants });
    this.#source = source;
    open.move();
    return new FoldedChanges({ changes, schemaChanges, end, folded, scratch, drafts, wants, before });
  }

  /** Makes folded changes ready for every sink that wants them. May be called again after an error. */
  async transform(of: FoldedChanges): Promise<TransformedChanges> {
    const { connection } = this.#context;
    const { parts } = of;
    const drafts = [...parts.drafts];
    const tables: { sinks: readonly Sink[]; change: TableChange }[] = [];
    for (const table of await this.#transformTables(parts.folded, { ...parts, connection, drafts })) {
      const change = await tableChange(table, { ...parts, connection });
      if (change !== undefined) tables.push({ sinks: table.sinks, change });
    }
    const { changes, folded, end } = parts;
    return new TransformedChanges({ folded: of, tables, letters: this.#letters(changes, { ...end, folded, drafts }) });
  }

  /** Makes a part of an initial copy ready, on a connection of its own: parts may be made ready side by side. */
  async transformCopied(
    changes: DatasetChanges,
    options: BatchEnd & { readonly part: number; readonly connection: Connection },
  ): Promise<CopiedRows> {
    const { connection } = options;
    await using open = new AsyncDisposableStack();
    const scratch = open.use(new Scratch(connection));
    const drafts: LetterDraft[] = [];
    const scope = { connection, scratch, drafts, before: Promise.resolve(), wants: () => true };
    const folded = await this.#fold(changes, { ...scope, source: this.#source });
    const tables = await this.#transformTables(folded, scope);
    const to = { ...options.to, offset: copyPartOffset(options.to.offset, options.part) };
    open.move();
    return {
      tables,
      letters: this.#letters(changes, { folded, drafts, to }),
      [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
    };
  }

  async #fold(
    changes: DatasetChanges,
    { source, wants, ...scope }: FoldScope & { readonly source: TableDefinition },
  ): Promise<Relation> {
    const main = this.plan.tables.find((table) => table.rowsBelongTo === "key");
    const sinks = (main?.sinks ?? []).filter(wants);
    const left = async () => {
      const status = await (await fullest(sinks))?.status();
      return status?.retention && oldRows(status.retention, Date.now());
    };
    return await fold({ ...this.#transformContext({ ...scope, sinks }), changes, definition: source, left });
  }

  /** In commit order; only tables with a sink that waits. */
  async #transformTables(folded: Relation, { wants, ...scope }: FoldScope): Promise<readonly TableRows[]> {
    const tables: TableRows[] = [];
    for (const plan of commitOrder(this.plan)) {
      const sinks = plan.sinks.filter(wants);
      if (sinks.length === 0) continue;
      const relation = await transformed(plan, folded, this.#transformContext({ ...scope, sinks }));
      tables.push({ plan, sinks, relation });
    }
    return tables;
  }

  #transformContext(scope: TransformScope): TransformContext {
    return {
      connection: scope.connection,
      signal: this.#context.signal,
      temporaryName: scope.scratch.name,
      temporaryFile: scope.scratch.file,
      deadLetter: (letter) => void scope.drafts.push(letter),
      currentRows: async (keys, columns) => {
        await scope.before;
        const scan = await (await fullest(scope.sinks))?.scan();
        if (scan === undefined) return undefined;
        scope.scratch.keep(scan);
        const key = keys.definition.key.map(identifier);
        const wanted = [...new Set([...key, ...columns.map(identifier)])];
        return `SELECT ${wanted.map((name) => `lake.${name}`).join(", ")} FROM (${scan.sql}) AS lake
          SEMI JOIN ${identifier(keys.name)} AS wanted ON ${
          key.map((name) => `lake.${name} = wanted.${name}`).join(" AND ")
        }`;
      },
    };
  }

  #letters(
    changes: DatasetChanges,
    made: { readonly folded: Relation; readonly drafts: readonly LetterDraft[]; readonly to: Position },
  ): BatchLetters {
    return {
      deadLetters: this.#context.deadLetters,
      drafts: [...changes.deadLetters, ...made.drafts],
      table: this.name,
      position: made.to,
      rows: made.folded.rows,
    };
  }
}

/** The first sink whose rows stay for good; where there is none, the first: what has left it, no other has either. */
async function fullest(sinks: readonly Sink[]): Promise<Sink | undefined> {
  for (const sink of sinks) if ((await sink.status()).retention === undefined) return sink;
  return sinks[0];
}

async function transformed(plan: TablePlan, folded: Relation, context: TransformContext): Promise<Relation> {
  let relation = folded;
  for (const transform of plan.transforms) relation = await transform.apply(relation, context);
  return relation;
}

/** The definition of a table plan for the writer's present source columns. */
export function currentDefinition(writer: DatasetWriter, plan: TablePlan): TableDefinition {
  return lakeDefinition(plan, writer.source);
}
