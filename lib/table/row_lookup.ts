/**
 * Finds the rows a change replaces: a semi-join of its keys with the key columns of live files.
 *
 * Promise: every live row with such a key is found, and none that is deleted already. Files whose statistics exclude all
 * keys are not opened.
 */
import type { DuckDBBigIntVector } from "@duckdb/node-api";
import type { TableChange } from "../change/sink.ts";
import { duckdbType, type ScalarType } from "../dataset/column_type.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import type { Storage } from "../storage/storage.ts";
import type { PositionBitmap } from "./deleted_rows/position_bitmap.ts";
import { compareBounds, singleValue } from "./single_value.ts";

/** Ranges that a batch's keys are summed up in: enough to tell new keys from old ones, few enough to compare with all files. */
const rangeCount = 32;

/** Least and greatest value of a column in a file, in the form of `single_value.ts`; undefined where not known. */
export interface ColumnBounds {
  readonly lower?: Uint8Array | undefined;
  readonly upper?: Uint8Array | undefined;
}

/** A column that keys are made of. */
export interface KeyColumn {
  /** In the change's relations. */
  readonly name: string;
  /** In what {@linkcode LookupRequest.read} gives. */
  readonly readName: string;
  readonly type: ScalarType;
}

/** A live file that is searched. */
export interface SearchedFile {
  /** Names the file in what is found. */
  readonly uri: string;
  /** Below the storage root. */
  readonly path: string;
  /** Deleted ones too. */
  readonly rows: bigint;
  readonly deleted?: PositionBitmap | undefined;
}

/** What is looked for, and where. */
export interface LookupRequest<File extends SearchedFile = SearchedFile, Column extends KeyColumn = KeyColumn> {
  readonly files: readonly File[];
  readonly change: TableChange;
  /** Key columns by the names that the change's relations have, in key order. */
  readonly key: readonly string[];
  readonly column: (name: string) => Column;
  readonly boundsOf: (file: File, column: Column) => ColumnBounds;
  /** A table over local files, in order, that gives columns with `file_index` and `file_row_number`. */
  readonly read: (paths: readonly string[], columns: readonly Column[], files: readonly File[]) => string;
}

/** Where files are searched. */
export interface LookupPlace {
  readonly storage: Storage;
  readonly connection: Connection;
}

/** Positions to delete, by file URI; each file named has at least one. */
export async function findRows<File extends SearchedFile, Column extends KeyColumn>(
  place: LookupPlace,
  request: LookupRequest<File, Column>,
): Promise<Map<string, Set<number>>> {
  const found = new Map<string, Set<number>>();
  if (request.files.length === 0) return found;
  for (const search of searchesOf(request)) await searchFiles(place, { ...request, ...search, found });
  return found;
}

interface Search<Column> {
  readonly columns: readonly Column[];
  /** SELECT giving the columns' values. */
  readonly keys: string;
}

/** Removals may name a prefix of the key, so they are searched for apart from upserts unless both have the same columns. */
function searchesOf<Column extends KeyColumn>(
  { change, key, column }: Pick<LookupRequest<SearchedFile, Column>, "change" | "key" | "column">,
): Search<Column>[] {
  const columns = (names: readonly string[]) => names.map(column);
  const select = (names: readonly string[], from: string) =>
    `SELECT ${
      columns(names).map(({ name, type, readName }) =>
        `CAST(${identifier(name)} AS ${duckdbType(type)}) AS ${readName}`
      )
    } FROM ${from}`;
  const removals = change.removals && change.removals.rows > 0 ? identifier(change.removals.name) : undefined;
  const upserts = change.upserts && change.upserts.rows > 0 && change.upserts.replacing !== 0 && key.length > 0
    ? select(key, `${identifier(change.upserts.name)} WHERE _replaces`)
    : undefined;
  const together = removals !== undefined && upserts !== undefined && change.scope.length === key.length;
  if (together) return [{ columns: columns(key), keys: `${select(key, removals)} UNION ALL ${upserts}` }];
  return [
    ...(removals === undefined ? [] : [{ columns: columns(change.scope), keys: select(change.scope, removals) }]),
    ...(upserts === undefined ? [] : [{ columns: columns(key), keys: upserts }]),
  ];
}

async function searchFiles<File extends SearchedFile, Column extends KeyColumn>(
  { storage, connection }: LookupPlace,
  search: LookupRequest<File, Column> & Search<Column> & { readonly found: Map<string, Set<number>> },
): Promise<void> {
  // Other tables may be searched on the same connection at the same time.
  const keys = identifier(`searched keys ${crypto.randomUUID()}`);
  await connection.run(`CREATE TEMP TABLE ${keys} AS ${search.keys}`);
  try {
    const [first] = search.columns;
    const ranges = await keyRanges(connection, { ...first!, keys });
    const files = search.files.filter((file) => mayHold(search.boundsOf(file, first!), first!, ranges));
    if (files.length === 0) return;
    using readable = await storage.readable(files.map(({ path }) => path));
    const read = search.read(files.map(({ path }) => readable.duckdbPath(path)), search.columns, files);
    const names = search.columns.map(({ readName }) => readName).join(", ");
    const matches =
      `SELECT CAST(file_index AS BIGINT), file_row_number FROM ${read} SEMI JOIN ${keys} USING (${names})`;
    await collect(connection, matches, (index, position) => {
      const { uri, deleted } = files[index]!;
      if (deleted?.has(position)) return;
      const positions = search.found.get(uri);
      if (positions === undefined) search.found.set(uri, new Set([position]));
      else positions.add(position);
    });
  } finally {
    // Where this fails too, what came before says why.
    await connection.run(`DROP TABLE IF EXISTS ${keys}`).catch(() => {});
  }
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
async function keyRanges(
  connection: Connection,
  { type, readName, keys }: KeyColumn & { readonly keys: string },
): Promise<KeyRange[] | undefined> {
  if (type.kind === "float32" || type.kind === "float64") return undefined;
  const text = (value: string) =>
    type.kind === "string" ? `encode(${value})` : type.kind === "binary" ? value : `CAST(${value} AS VARCHAR)`;
  const rows = await connection.rows(
    `SELECT ${text(`min(${readName})`)} AS lower, ${text(`max(${readName})`)} AS upper
     FROM (SELECT ${readName}, ntile(${rangeCount}) OVER (ORDER BY ${readName}) AS tile
       FROM ${keys} WHERE ${readName} IS NOT NULL) GROUP BY tile`,
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
function mayHold(
  { lower, upper }: ColumnBounds,
  { type }: KeyColumn,
  ranges: readonly KeyRange[] | undefined,
): boolean {
  if (ranges === undefined || lower === undefined || upper === undefined) return true;
  return ranges.some((range) =>
    compareBounds(type, range.lower, upper) <= 0 && compareBounds(type, range.upper, lower) >= 0
  );
}
