/**
 * Reads spool files into one typed DuckDB table, whatever relation versions they hold.
 *
 * Promise: a value arrives exactly or, where the lake type cannot hold it, as NULL with a dead letter; nothing is lost in
 * silence. Options of `read_csv` follow the measured traps of design §10.
 */
import type { DatasetChanges, SpoolColumn, SpoolSegment } from "../change/micro_batch.ts";
import { spoolCsvOptions } from "../change/spool_format.ts";
import type { Column } from "../dataset/column.ts";
import { duckdbType, sameType } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import { evolveColumns } from "../dataset/schema_change.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";

/** What {@linkcode readSpool} needs. */
export interface ReadSpoolOptions {
  readonly connection: Connection;
  readonly changes: DatasetChanges;
  /** The source columns after every schema change of the batch. */
  readonly definition: TableDefinition;
  /** Name of the table to make. */
  readonly table: string;
}

/**
 * Makes the typed table: `_op`, `_ordinal`, `_unchanged` (names of columns not sent), `_old_<key>`, the definition's columns,
 * and `_refused` (the row holds a value the lake type cannot hold).
 */
export async function readSpool(options: ReadSpoolOptions): Promise<void> {
  const { connection, changes, table } = options;
  const selects = changes.segments.map((segment, index) => segmentSelect(options, { segment, index }));
  const rows = selects.length === 0 ? noChangesSql(options.definition) : selects.join(" UNION ALL ");
  await connection.run(`CREATE OR REPLACE TABLE ${identifier(table)} AS ${rows}`);
}

/** The typed table without a row: of a batch in which the table was only truncated, or every key was over the limit. */
function noChangesSql({ columns, key }: TableDefinition): string {
  const old = columns.filter((column) => key.includes(column.name))
    .map((column) => ({ ...column, name: `_old_${column.name}` }));
  const values = [...old, ...columns].map(({ name, type }) => `NULL::${duckdbType(type)} AS ${identifier(name)}`);
  const change = ["'I' AS _op", "0::BIGINT AS _ordinal", "NULL::VARCHAR[] AS _unchanged"];
  return `SELECT ${[...change, ...values].join(", ")}, false AS _refused WHERE false`;
}

interface SegmentPlace {
  readonly segment: SpoolSegment;
  readonly index: number;
}

function segmentSelect(options: ReadSpoolOptions, place: SegmentPlace): string {
  const { segment } = place;
  const { definition } = options;
  const finalNames = namesAfter(options.changes, place.index);
  const sources = new Map(segment.columns.map((column, index) => [finalNames[index], column]));
  const values = definition.columns.map((column) =>
    `${valueSql(sources.get(column.name), column)} AS ${identifier(column.name)}`
  );
  const refused = segment.columns.filter((column) => column.fallible).map(refusedSql).join(" OR ") || "false";
  const select = [...changeColumns(options, place, finalNames), ...values, `(${refused}) AS _refused`];
  return `SELECT ${select.join(", ")} FROM ${readCsv(segment, keyNamesIn(options, place.index))}`;
}

/** The names a segment's columns have once the later segments' schema changes are applied; dropped ones are undefined. */
function namesAfter(changes: DatasetChanges, index: number): readonly (string | undefined)[] {
  const later = changes.segments.slice(index + 1).flatMap((segment) => segment.schemaChanges);
  return changes.segments[index]?.columns.map(({ name, type }) =>
    later.reduce<readonly Column[]>((columns, change) => {
      // An added column of the same name is another column: this one was dropped before.
      return change.kind === "addColumn" ? columns : evolveColumns(columns, [change]);
    }, [{ name, type, nullable: true }])[0]?.name
  ) ?? [];
}

/** Key column names, in key order, as the segment of an index spells them. */
export function keyNamesIn(
  { changes, definition }: Pick<ReadSpoolOptions, "changes" | "definition">,
  index: number,
): readonly string[] {
  const finalNames = namesAfter(changes, index);
  return definition.key.map((name) => changes.segments[index]?.columns[finalNames.indexOf(name)]?.name ?? name);
}

function changeColumns(
  options: ReadSpoolOptions,
  place: SegmentPlace,
  finalNames: readonly (string | undefined)[],
): readonly string[] {
  const { definition } = options;
  const { segment } = place;
  const keys = definition.columns.filter((column) => definition.key.includes(column.name));
  if (segment.layout === "rows") {
    const old = keys.map((column) => `NULL::${duckdbType(column.type)} AS ${identifier(`_old_${column.name}`)}`);
    return ["'I' AS _op", "0::BIGINT AS _ordinal", "NULL::VARCHAR[] AS _unchanged", ...old];
  }
  const old = keys.map((column) => {
    const source = segment.columns[finalNames.indexOf(column.name)];
    const raw = identifier(`_old_${source?.name ?? column.name}`);
    const sql = source?.sql.replaceAll(identifier(source.name), raw) ?? "NULL";
    return `CAST(${sql} AS ${duckdbType(column.type)}) AS ${identifier(`_old_${column.name}`)}`;
  });
  const names = `[${finalNames.map((name) => name === undefined ? "NULL" : literal(name)).join(", ")}]::VARCHAR[]`;
  const unchanged = segment.unchangedRows === 0
    ? "NULL::VARCHAR[]"
    : `list_transform(string_split(_unchanged, ','), lambda i: list_extract(${names}, i::INTEGER + 1))`;
  return ["_op", "CAST(_ordinal AS BIGINT) AS _ordinal", `${unchanged} AS _unchanged`, ...old];
}

function valueSql(source: SpoolColumn | undefined, column: Column): string {
  const type = duckdbType(column.type);
  if (source === undefined) return `NULL::${type}`;
  return sameType(source.type, column.type) ? source.sql : `CAST(${source.sql} AS ${type})`;
}

/** True for a row whose value of this column the lake type cannot hold. */
export function refusedSql(column: SpoolColumn): string {
  return `(${identifier(column.name)} IS NOT NULL AND (${column.sql}) IS NULL)`;
}

/** `read_csv` over a segment's files, every column as the raw text; of a segment of rows the key does not matter. */
export function readCsv(segment: SpoolSegment, key: readonly string[] = []): string {
  const change = segment.layout === "rows"
    ? []
    : ["_op", "_ordinal", "_unchanged", ...key.map((name) => `_old_${name}`)];
  const columns = [...change, ...segment.columns.map((column) => column.name)]
    .map((name) => `${literal(name)}: 'VARCHAR'`);
  const paths = segment.paths.map((path) => literal(path)).join(", ");
  return `read_csv([${paths}], ${spoolCsvOptions(segment.longestLineBytes)}, columns = {${columns.join(", ")}})`;
}
