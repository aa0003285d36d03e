/**
 * Folds the changes of a batch to one row per key, in source order.
 *
 * Promise: a key change is a delete of the old key and an insert of the new one; a delete ends a key's chain; a key that
 * was born inside the batch is never looked for in the lake (`_replaces` false); a key that the lake type cannot hold in
 * whole is in no row, also as the one a row had before. Sound because PostgreSQL checks a replica identity's uniqueness row
 * by row: a deferrable key cannot be one.
 */
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";

/** What {@linkcode latestByKey} needs. */
export interface LatestByKeyOptions {
  readonly connection: Connection;
  readonly definition: TableDefinition;
  /** Typed rows as `readSpool` makes them. */
  readonly rows: string;
  /** Name of the table to make. */
  readonly table: string;
  /** Events before this ordinal were wiped by a truncate. */
  readonly truncatedBefore?: bigint;
}

/** Makes the folded table: `_ordinal`, `_delete`, `_replaces` and the definition's columns; of a delete only the key is set. */
export async function latestByKey(options: LatestByKeyOptions): Promise<void> {
  const { connection, definition } = options;
  const key = definition.key.map(identifier);
  const columns = definition.columns.map((column) => identifier(column.name));
  const rest = columns.filter((name) => !key.includes(name));
  const truncated = options.truncatedBefore !== undefined;
  await connection.run(`
    CREATE OR REPLACE TABLE ${identifier(options.table)} AS
    WITH typed AS (FROM ${identifier(options.rows)} WHERE _ordinal >= ${options.truncatedBefore ?? 0n}),
    events AS (
      SELECT ${key.join(", ")}, _ordinal, _op = 'D' AS _delete, _op = 'I' OR ${
    keyChanged(definition)
  } AS _born FROM typed
      WHERE ${key.map((name) => `${name} IS NOT NULL`).join(" AND ")}
      UNION ALL BY NAME
      SELECT ${oldKeyAsKey(definition)}, _ordinal, true AS _delete, false AS _born FROM typed
      WHERE ${definition.key.map((name) => `${identifier(`_old_${name}`)} IS NOT NULL`).join(" AND ")}
    ),
    latest AS (
      SELECT ${key.join(", ")}, max(_ordinal) AS _ordinal, arg_max(_delete, _ordinal) AS _delete,
        ${truncated ? "true" : "arg_min(_born, _ordinal)"} AS _born
      FROM events GROUP BY ${groupOf(definition).join(", ")}
    )
    SELECT latest._ordinal, false AS _delete, NOT _born AS _replaces, ${
    columns.map((name) => `typed.${name}`).join(", ")
  }
    FROM latest JOIN typed ON typed._ordinal = latest._ordinal WHERE NOT _delete
    UNION ALL BY NAME
    SELECT _ordinal, true AS _delete, true AS _replaces, ${key.join(", ")}${rest.length === 0 ? "" : ", "}${
    rest.map((name) => `NULL AS ${name}`).join(", ")
  }
    FROM latest WHERE _delete AND NOT _born`);
}

/** DuckDB takes -0 for 0, but an update from one to the other is a delete and an insert, and the lake tells them apart. */
function groupOf(definition: TableDefinition): readonly string[] {
  const isFloat = (name: string) =>
    definition.columns.some((column) => column.name === name && /^float/.test(column.type.kind));
  return definition.key.flatMap((name) =>
    isFloat(name) ? [identifier(name), `signbit(${identifier(name)})`] : identifier(name)
  );
}

/** True for an update that moved the row to another key. */
export function keyChanged(definition: TableDefinition): string {
  return `(${definition.key.map((name) => `${identifier(`_old_${name}`)} IS NOT NULL`).join(" OR ")})`;
}

function oldKeyAsKey(definition: TableDefinition): string {
  return definition.key.map((name) => `${identifier(`_old_${name}`)} AS ${identifier(name)}`).join(", ");
}
