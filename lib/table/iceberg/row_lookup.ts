/**
 * Finds the rows a change replaces: a semi-join of its keys with the key columns of live files.
 *
 * Promise: every live row with such a key is found, and none that is deleted already. Files whose statistics exclude all
 * keys are not opened.
 */
import type { DuckDBBigIntVector } from "@duckdb/node-api";
import type { TableChange } from "../../change/sink.ts";
import { duckdbType, type ScalarType } from "../../dataset/column_type.ts";
import type { Connection } from "../../engine/connection.ts";
import { identifier } from "../../engine/quote.ts";
import { compareBounds, singleValue } from "./bounds.ts";
import type { TablePlace } from "./load_state.ts";
import { ofColumn } from "./metrics.ts";
import { readFiles, readName } from "./parquet_fields.ts";
import { columnType, type IcebergField, type IcebergSchema } from "./schema.ts";
import type { LiveFile } from "./state.ts";

/** Ranges that a batch's keys are summed up in: enough to tell new keys from old ones, few enough to compare with all files. */
const rangeCount = 32;

/** What is looked for. */
export interface LookupRequest {
  readonly files: readonly LiveFile[];
  readonly schema: IcebergSchema;
  readonly change: TableChange;
  /** Key columns, in key order. */
  readonly key: readonly string[];
}

/** Positions to delete, by file URI; each file named has at least one. */
export async function findRows(place: TablePlace, request: LookupRequest): Promise<Map<string, Set<number>>> {
  const found = new Map<string, Set<number>>();
  if (request.files.length === 0) return found;
  for (const search of searchesOf(request)) await searchFiles(place, { ...request, ...search, found });
  return found;
}

interface Search {
  readonly columns: readonly IcebergField[];
  /** SELECT giving the columns' values. */
  readonly keys: string;
}

/** Removals may name a prefix of the key, so they are searched for apart from upserts unless both have the same columns. */
function searchesOf({ change, key, schema }: LookupRequest): Search[] {
  const fields = (names: readonly string[]) => names.map((name) => schema.fields.find((field) => field.name === name)!);
  const select = (names: readonly string[], from: string) =>
    `SELECT ${
      fields(names).map((field) => `CAST(${identifier(field.name)} AS ${sqlType(field)}) AS ${readName(field)}`)
    } FROM ${from}`;
  const removals = change.removals && change.removals.rows > 0 ? identifier(change.removals.name) : undefined;
  const upserts = change.upserts && change.upserts.rows > 0 && key.length > 0
    ? select(key, `${identifier(change.upserts.name)} WHERE _replaces`)
    : undefined;
  const together = removals !== undefined && upserts !== undefined && change.scope.length === key.length;
  if (together) return [{ columns: fields(key), keys: `${select(key, removals)} UNION ALL ${upserts}` }];
  return [
    ...(removals === undefined ? [] : [{ columns: fields(change.scope), keys: select(change.scope, removals) }]),
    ...(upserts === undefined ? [] : [{ columns: fields(key), keys: upserts }]),
  ];
}

function sqlType(field: IcebergField): string {
  return duckdbType(columnType(field.type));
}

async function searchFiles(
  { connection, storage }: TablePlace,
  search: Search & Pick<LookupRequest, "files"> & { found: Map<string, Set<number>> },
): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE iceberg_keys AS ${search.keys}`);
  const ranges = await keyRanges(connection, search.columns[0]!);
  const files = search.files.filter((file) => mayHold(file, search.columns[0]!, ranges));
  if (files.length > 0) {
    const paths = files.map(({ entry }) => storage.path(entry.file.file_path));
    using readable = await storage.readable(paths);
    const names = search.columns.map(readName);
    const matches = `SELECT CAST(file_index AS BIGINT), file_row_number
      FROM ${readFiles(paths.map(readable.duckdbPath), search.columns)} SEMI JOIN iceberg_keys USING (${
      names.join(", ")
    })`;
    await collect(connection, matches, (index, position) => {
      const { entry, deletes } = files[index]!;
      if (deletes?.positions.has(position)) return;
      const positions = search.found.get(entry.file.file_path);
      if (positions === undefined) search.found.set(entry.file.file_path, new Set([position]));
      else positions.add(position);
    });
  }
  await connection.run("DROP TABLE iceberg_keys");
}

/** Reads pairs of integers chunk by chunk, without an object per row. */
async function collect(
  connection: Connection,
  sql: string,
  take: (index: number, position: number) => void,
): Promise<void> {
  await connection.eachChunk(sql, (chunk) => {
    const { rowCount } = chunk;
    const indexes = chunk.getColumnVector(0) as DuckDBBigIntVector;
    const positions = chunk.getColumnVector(1) as DuckDBBigIntVector;
    for (let row = 0; row < rowCount; row++) take(Number(indexes.getItem(row)), Number(positions.getItem(row)));
  });
}

interface KeyRange {
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
}

/** Ranges of the keys' first column; undefined where its text cannot be trusted to order as its bounds do. */
async function keyRanges(connection: Connection, field: IcebergField): Promise<KeyRange[] | undefined> {
  const type = columnType(field.type) as ScalarType;
  if (type.kind === "float32" || type.kind === "float64") return undefined;
  const text = (value: string) =>
    type.kind === "string" ? `encode(${value})` : type.kind === "binary" ? value : `CAST(${value} AS VARCHAR)`;
  const column = readName(field);
  const rows = await connection.rows(
    `SELECT ${text(`min(${column})`)} AS lower, ${text(`max(${column})`)} AS upper
     FROM (SELECT ${column}, ntile(${rangeCount}) OVER (ORDER BY ${column}) AS tile FROM iceberg_keys WHERE ${column} IS NOT NULL)
     GROUP BY tile`,
  );
  const ranges = rows.map(({ lower, upper }) => ({ lower: boundOf(type, lower), upper: boundOf(type, upper) }));
  return ranges.every((range): range is KeyRange => range.lower !== undefined && range.upper !== undefined)
    ? ranges
    : undefined;
}

function boundOf(type: ScalarType, value: unknown): Uint8Array | undefined {
  return typeof value === "string" ? singleValue(type, value) : (value as { bytes: Uint8Array }).bytes;
}

/** Whether a file's bounds let it hold any of the keys. */
function mayHold({ entry }: LiveFile, field: IcebergField, ranges: readonly KeyRange[] | undefined): boolean {
  const type = columnType(field.type) as ScalarType;
  const lower = ofColumn(entry.file.lower_bounds, field.id);
  const upper = ofColumn(entry.file.upper_bounds, field.id);
  if (ranges === undefined || lower === undefined || upper === undefined) return true;
  return ranges.some((range) =>
    compareBounds(type, range.lower, upper) <= 0 && compareBounds(type, range.upper, lower) >= 0
  );
}
