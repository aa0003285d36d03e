/** From a table's rows of a batch to what its sinks commit. */
import type { Relation } from "../change/relation.ts";
import type { TableChange } from "../change/sink.ts";
import type { SchemaChange } from "../dataset/schema_change.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import type { FoldedParts } from "./folded_changes.ts";
import type { TablePlan } from "./plan.ts";

/** The batch that a table's rows are of. */
export type TableBatch = Pick<FoldedParts, "changes" | "folded" | "schemaChanges" | "scratch" | "end"> & {
  readonly connection: Connection;
};

/** What a table's commit changes; undefined where nothing does. */
export async function tableChange(
  { plan, relation }: { readonly plan: TablePlan; readonly relation: Relation },
  batch: TableBatch,
): Promise<TableChange | undefined> {
  const { folded, end } = batch;
  const schemaChanges = schemaChangesOf(plan, batch);
  const upserts = await staying(relation, batch);
  const removals = await leaving(plan, batch);
  const truncate = batch.changes.truncatedBefore !== undefined;
  if (schemaChanges.length === 0 && !truncate && upserts === undefined && removals === undefined) return undefined;
  return {
    definition: relation.definition,
    schemaChanges,
    truncate,
    ...(upserts && { upserts }),
    ...(removals && { removals }),
    scope: folded.definition.key,
    position: end.to,
    ...(end.after === undefined ? {} : { after: end.after }),
    commitTimeMs: end.commitTimeMs,
  };
}

/** Children have their parents' keys, and nothing else of their columns. */
function schemaChangesOf({ rowsBelongTo }: TablePlan, { folded, schemaChanges }: TableBatch): readonly SchemaChange[] {
  if (rowsBelongTo === "key") return schemaChanges;
  const key = new Set(folded.definition.key);
  return schemaChanges.filter((change) =>
    change.kind === "renameColumn" ? key.has(change.to) : change.kind === "widenColumn" && key.has(change.name)
  );
}

async function staying(relation: Relation, { connection, scratch }: TableBatch): Promise<Relation | undefined> {
  const { rows, deletes, replacing, vectors } = relation;
  if (deletes === 0) return rows === 0 ? undefined : relation;
  const name = scratch.name("upserts");
  const left = deletes === undefined ? undefined : rows - deletes;
  const upserts = await subset(connection, { of: relation, name, where: "NOT _delete", rows: left });
  return upserts && {
    ...upserts,
    deletes: 0,
    ...(replacing === undefined ? {} : { replacing }),
    ...(vectors && { vectors }),
  };
}

/** Of children those go whose parent leaves or is replaced. */
function leaving({ rowsBelongTo }: TablePlan, batch: TableBatch): Promise<Relation | undefined> {
  const { connection, folded, scratch } = batch;
  const { deletes, replacing } = folded;
  const name = scratch.name("removals");
  if (rowsBelongTo === "key") return subset(connection, { of: folded, name, where: "_delete", rows: deletes });
  const rows = deletes === undefined || replacing === undefined ? undefined : deletes + replacing;
  return subset(connection, { of: folded, name, where: "_delete OR _replaces", rows });
}

interface Subset {
  readonly of: Relation;
  readonly name: string;
  readonly where: string;
  /** How many they are, where that is known. */
  readonly rows: number | undefined;
}

/** Some rows of a relation, as a view; undefined for none. */
async function subset(connection: Connection, { of, name, where, rows }: Subset): Promise<Relation | undefined> {
  if (rows === 0) return undefined;
  await connection.run(`CREATE VIEW ${identifier(name)} AS SELECT * FROM ${identifier(of.name)} WHERE ${where}`);
  const counted = rows ?? Number(await connection.value(`SELECT count(*) FROM ${identifier(name)}`));
  return counted === 0 ? undefined : { name, definition: of.definition, rows: counted };
}
