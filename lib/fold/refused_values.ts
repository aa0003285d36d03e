/** Names every value that the lake type cannot hold: key, column, reason. Runs only when a row was marked refused. */
import type { DatasetChanges, SpoolColumn } from "../change/micro_batch.ts";
import type { TransformContext } from "../change/transform.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { keyNamesIn, readCsv, refusedSql } from "./spool_reader.ts";

/** What {@linkcode reportRefusedValues} needs. */
export interface RefusedValuesOptions {
  readonly connection: Connection;
  readonly changes: DatasetChanges;
  readonly definition: TableDefinition;
  readonly deadLetter: TransformContext["deadLetter"];
}

/** Writes a dead letter for each refused value, and one for the whole row where the value is part of the key. */
export async function reportRefusedValues(options: RefusedValuesOptions): Promise<void> {
  for (const [index, segment] of options.changes.segments.entries()) {
    for (const column of segment.columns.filter((candidate) => candidate.fallible)) {
      await reportColumn(options, { index, column });
    }
  }
}

async function reportColumn(
  options: RefusedValuesOptions,
  place: { readonly index: number; readonly column: SpoolColumn },
): Promise<void> {
  const { column, index } = place;
  const { connection, changes, definition } = options;
  const segment = changes.segments[index]!;
  const keyNames = keyNamesIn(options, index);
  const inKey = keyNames.includes(column.name);
  const ordinal = segment.layout === "rows" ? "row_number() OVER () - 1" : "CAST(_ordinal AS BIGINT)";
  const key = keyNames.map((name, place) => `${literal(definition.key[place]!)}, ${identifier(name)}`).join(", ");
  const rows = await connection.rows(
    `SELECT * FROM (SELECT ${ordinal} AS ordinal, json_object(${key})::VARCHAR AS key,
       ${column.reasonSql ?? "'the lake type cannot hold the value'"} AS reason, ${refusedSql(column)} AS refused
       FROM ${readCsv(segment, keyNames)}) WHERE refused`,
  );
  for (const row of rows) {
    options.deadLetter({
      ordinal: row["ordinal"] as bigint,
      reason: inKey ? `key column ${column.name}: ${row["reason"]}` : String(row["reason"]),
      ...(inKey ? {} : { key: String(row["key"]), column: column.name }),
    });
  }
}
