/**
 * From the changes of one source table to one relation with a row per key.
 *
 * Promise: the relation holds exactly what the source table's changed rows look like at the end of the batch, and which keys
 * left it. Insert-only batches, the common case, are not folded at all.
 */
import type { DatasetChanges } from "../change/micro_batch.ts";
import type { Relation } from "../change/relation.ts";
import type { TransformContext } from "../change/transform.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { OldRows } from "../dataset/row_retention.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { latestByKey } from "./latest_by_key.ts";
import { reportRefusedValues } from "./refused_values.ts";
import { readSpool } from "./spool_reader.ts";
import { fillUnchangedValues } from "./unchanged_values.ts";

/** What {@linkcode fold} needs. */
export interface FoldOptions extends Omit<TransformContext, "signal" | "temporaryFile"> {
  readonly changes: DatasetChanges;
  /** The source columns after every schema change of the batch. */
  readonly definition: TableDefinition;
  /** Rows that may have left the lake with their time. Default: none. */
  readonly left?: () => Promise<OldRows | undefined>;
}

/** Reads and folds; the relation keeps `_ordinal`, `_delete`, `_replaces` and the definition's columns. */
export async function fold(options: FoldOptions): Promise<Relation> {
  const { connection, changes, definition } = options;
  const rows = options.temporaryName("typed");
  await readSpool({ connection, changes, definition, table: rows });
  const inserts = insertsSql(options);
  const [typed] = await connection.rows(
    `SELECT count(*) FILTER (_refused) AS refused, count(*) FILTER (${inserts.condition}) AS kept FROM ${
      identifier(rows)
    }`,
  );
  if (typed!.refused !== 0n) await reportRefusedValues(options);
  const name = options.temporaryName("folded");
  if (definition.key.length === 0 || isInsertOnly(changes)) {
    await connection.run(`CREATE OR REPLACE VIEW ${identifier(name)} AS ${inserts.select} FROM ${identifier(rows)}
      WHERE ${inserts.condition}`);
    return { name, definition, rows: Number(typed!.kept), deletes: 0, replacing: 0 };
  }
  const truncated = changes.truncatedBefore === undefined ? {} : { truncatedBefore: changes.truncatedBefore };
  if (changes.segments.some((segment) => segment.unchangedRows > 0)) {
    await fillUnchangedValues({ ...options, rows, ...truncated });
  }
  await latestByKey({ connection, definition, rows, table: name, ...truncated });
  return { name, definition, ...await countRows(connection, name) };
}

async function countRows(connection: Connection, table: string): Promise<Omit<Relation, "name" | "definition">> {
  const [counted] = await connection.rows(`SELECT count(*) AS rows, count(*) FILTER (_delete) AS deletes,
    count(*) FILTER (_replaces AND NOT _delete) AS replacing FROM ${identifier(table)}`);
  const { rows, deletes, replacing } = counted!;
  return { rows: Number(rows), deletes: Number(deletes), replacing: Number(replacing) };
}

function isInsertOnly(changes: DatasetChanges): boolean {
  return changes.truncatedBefore === undefined &&
    changes.segments.every((segment) => segment.layout === "rows" || segment.inserts === segment.rows);
}

/** The changed rows as they are where all of them are new: what is kept of the typed ones, and which. */
function insertsSql({ definition, changes }: FoldOptions): { readonly select: string; readonly condition: string } {
  const columns = definition.columns.map((column) => identifier(column.name)).join(", ");
  const key = definition.key.map((column) => `${identifier(column)} IS NOT NULL`).join(" AND ") || "true";
  const ordinal = changes.segments.some((segment) => segment.layout === "rows") ? "rowid" : "_ordinal";
  return {
    select: `SELECT ${ordinal} AS _ordinal, false AS _delete, false AS _replaces, ${columns}`,
    condition: `${key} AND ${ordinal} >= ${changes.truncatedBefore ?? 0n}`,
  };
}
