/** Relations of changes written down row by row. */
import type { Relation } from "../change/relation.ts";
import { duckdbType } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";

/** One row: SQL literals by column name. A column left out is NULL. */
export type LiteralRow = Readonly<Record<string, string>>;

/** What {@linkcode relationOf} makes. */
export interface RelationContent {
  readonly definition: TableDefinition;
  readonly rows: readonly LiteralRow[];
  /** `_replaces` of every row. Default true, which is always safe. */
  readonly replaces?: boolean;
  /** `_delete` of every row. Default false. */
  readonly deletes?: boolean;
}

let relations = 0;

/** A relation of changes as the pipeline hands them on: the definition's columns, `_ordinal`, `_delete` and `_replaces`. */
export async function relationOf(connection: Connection, content: RelationContent): Promise<Relation> {
  const { definition, rows, replaces = true, deletes = false } = content;
  const name = `written_down_${++relations}`;
  const columns = definition.columns.map((column) => `${identifier(column.name)} ${duckdbType(column.type)}`);
  const flags = "_ordinal BIGINT, _delete BOOLEAN, _replaces BOOLEAN";
  await connection.run(`CREATE TABLE ${name} (${[...columns, flags].join(", ")})`);
  const lines = rows.map((row, ordinal) => {
    const unknown = Object.keys(row).find((key) => !definition.columns.some((column) => column.name === key));
    if (unknown !== undefined) throw new TypeError(`Cannot write a row: there is no column "${unknown}"`);
    // Each value of its own type: those of several rows would take one that is common to them first.
    const values = definition.columns.map(({ name, type }) => `CAST(${row[name] ?? "NULL"} AS ${duckdbType(type)})`);
    return `(${[...values, ordinal, deletes, replaces].join(", ")})`;
  });
  if (lines.length > 0) await connection.run(`INSERT INTO ${name} VALUES ${lines.join(", ")}`);
  return { name, definition, rows: rows.length };
}
