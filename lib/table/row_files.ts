/** Rows of a change as Parquet: one file, or some for each value that rows are split by, so that readers open few of them. */
import { narrowest, type Relation } from "../change/relation.ts";
import type { SharedRows, WrittenRows } from "../change/written_rows.ts";
import { type ColumnType, duckdbType, type ScalarType } from "../dataset/column_type.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import type { DataFile } from "./data_file.ts";
import type { FieldIds } from "./field_ids.ts";
import { preparedFile, writeParquet, writeSplitParquet } from "./parquet.ts";
import { type RowColumns, selectItems } from "./row_columns.ts";
import { takeRows } from "./taken_rows.ts";
import type { VectorColumns } from "./vector_column.ts";
import { partitionFolder } from "./partition_folder.ts";

/** More parts than these go through DuckDB's own splitting; that of a few costs twice the time per row. */
const mostPartsOneByOne = 8;
/** Parts of one such statement: a part keeps a file open, and buffers for each column. */
const partsAtOnce = 50;

/** What rows are split by. */
export interface Split<Value> {
  /** In folder names. */
  readonly name: string;
  /** The one column of the relation that the expression is over. */
  readonly column: string;
  readonly expression: string;
  readonly type: ScalarType;
  /** What a format makes of a value, in DuckDB's text form. It may refuse one: no file is written then. */
  readonly valueOf: (text: string | null) => Value;
}

/** What {@linkcode writeRows} writes, and where. */
export interface RowsTarget<Value> {
  readonly storage: Storage;
  readonly connection: Connection;
  /** Folder below the storage root. */
  readonly folder: string;
  /** Unique to the attempt; starts every file's name. */
  readonly prefix: string;
  readonly columns: RowColumns;
  readonly rows: Relation;
  /** Default: none. */
  readonly fieldIds?: FieldIds | undefined;
  /** See `ParquetTarget`. */
  readonly vectors?: VectorColumns | undefined;
  /** Rows of one file agree in all of them. Empty: rows are not split. */
  readonly splits: readonly Split<Value>[];
  /** Ends each statement, with a space before it: how rows stand in a file. Default: as they come. */
  readonly orderBy?: string;
  /** Absent: nobody else writes the rows. */
  readonly shared?: SharedRows | undefined;
}

/** A file with what its rows agree in, one value for each split. */
export interface RowsFile<Value> extends DataFile {
  readonly values: readonly Value[];
}

/** What {@linkcode writeRows} wrote. */
export interface WrittenFiles<Value> {
  /** None for no rows. */
  readonly files: readonly RowsFile<Value>[];
  /** Whether rows stand as `orderBy` says: what DuckDB splits itself it does not keep in order. */
  readonly isInOrder: boolean;
}

/** Rows that agree in what they are split by. */
interface Part<Value> {
  readonly texts: readonly (string | null)[];
  readonly values: readonly Value[];
  /** Of its files. */
  readonly folder: string;
}

/** Writes the rows, every one of them in one file. */
export async function writeRows<Value>(target: RowsTarget<Value>): Promise<WrittenFiles<Value>> {
  const written = await writeParts(target);
  if (target.splits.length > 0) await requireAll(target, written);
  target.shared?.offer?.(await offeredRows(target, written));
  return written;
}

async function offeredRows<Value>(
  { storage, columns }: RowsTarget<Value>,
  { files }: WrittenFiles<Value>,
): Promise<WrittenRows | undefined> {
  const [file, other] = files;
  if (file === undefined || other !== undefined) return undefined;
  return { ...file, file: await preparedFile(storage, file.path), columns };
}

/** A row that is in no part, or in two, must never be committed so. */
async function requireAll<Value>(
  { connection, rows }: RowsTarget<Value>,
  { files }: WrittenFiles<Value>,
): Promise<void> {
  const from = identifier(narrowest(rows, []).name);
  const wanted = await connection.value(`SELECT count(*) FROM ${from}`) as bigint;
  const written = files.reduce((sum, file) => sum + file.rows, 0n);
  if (written === wanted) return;
  throw new WeirError("internal", `${wanted} rows were to be written in parts, and ${written} were`);
}

async function writeParts<Value>(target: RowsTarget<Value>): Promise<WrittenFiles<Value>> {
  const { connection, splits, rows } = target;
  const from = identifier(narrowest(rows, splits.map(({ column }) => column)).name);
  const values = splits.map(({ expression }) => expression).join(", ");
  const some = splits.length === 0
    ? [{ texts: [], values: [], folder: target.folder }]
    : await readParts(target, `SELECT DISTINCT ${values} FROM ${from} LIMIT ${mostPartsOneByOne + 1}`);
  if (some.length <= mostPartsOneByOne) return { files: await writeOneByOne(target, some), isInOrder: true };
  const table = identifier(`parts ${target.prefix}`);
  try {
    const names = splits.map((_, index) => partName(target, index));
    await connection.run(`CREATE TEMP TABLE ${table} AS SELECT *, row_number() OVER () - 1 AS ${partName(target)}
      FROM (SELECT DISTINCT ${values} FROM ${from}) AS distinct_values (${names.join(", ")})`);
    const parts = await readParts(target, `SELECT ${names.join(", ")} FROM ${table} ORDER BY ${partName(target)}`);
    return { files: await writeManyParts(target, { parts, table }), isInOrder: false };
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${table}`);
  }
}

/** A column of the table of parts: no column of any relation is called so. */
function partName({ prefix }: { readonly prefix: string }, index?: number): string {
  return identifier(index === undefined ? `part of ${prefix}` : `value ${index} of ${prefix}`);
}

/** Reads rows of values. As JSON: the binding drops U+FEFF at the beginning of a text. */
async function readParts<Value>(target: RowsTarget<Value>, select: string): Promise<Part<Value>[]> {
  const { splits, folder } = target;
  const names = splits.map((_, index) => `v${index}`).join(", ");
  const texts = splits.map((_, index) => `CAST(v${index} AS VARCHAR)`).join(", ");
  const rows = await target.connection.rows(
    `SELECT to_json([${texts}])::VARCHAR AS texts FROM (${select}) AS parts (${names})`,
  );
  return rows.map((row) => {
    const texts = JSON.parse(row.texts as string) as (string | null)[];
    const named = splits.map(({ name }, index) => [name, texts[index]!] as const);
    return {
      texts,
      values: splits.map(({ valueOf }, index) => valueOf(texts[index]!)),
      folder: `${folder}/${partitionFolder(named)}`.slice(0, -1),
    };
  });
}

async function writeOneByOne<Value>(target: RowsTarget<Value>, parts: readonly Part<Value>[]) {
  const { prefix, splits } = target;
  const files: RowsFile<Value>[] = [];
  for (const [index, { texts, values, folder }] of parts.entries()) {
    const conditions = splits.map(({ expression, type }, index) => {
      const text = texts[index]!;
      return `${expression} IS NOT DISTINCT FROM CAST(${text === null ? "NULL" : literal(text)} AS ${
        duckdbType(type)
      })`;
    });
    // Parts may share a folder.
    const file = parts.length === 1
      ? await writeWhole(target, `${folder}/${prefix}.parquet`)
      : await writePart(target, {
        path: `${folder}/${prefix}-${index}.parquet`,
        where: ` WHERE ${conditions.join(" AND ")}`,
      });
    if (file !== undefined) files.push({ ...file, values });
  }
  return files;
}

/** All rows in one file, which may be one that another format has written. */
async function writeWhole<Value>(target: RowsTarget<Value>, path: string): Promise<DataFile | undefined> {
  const { shared, orderBy = "" } = target;
  const taken = shared === undefined || orderBy !== "" ? undefined : await takeRows({ ...target, path, shared });
  return taken ?? await writePart(target, { path, where: "" });
}

async function writePart<Value>(
  { storage, connection, columns, rows, orderBy = "", fieldIds, vectors }: RowsTarget<Value>,
  { path, where }: { readonly path: string; readonly where: string },
): Promise<DataFile | undefined> {
  const select = `SELECT ${selectItems(columns)} FROM ${identifier(rows.name)}${where}${orderBy}`;
  return await writeParquet(connection, { storage, path, select, fieldIds, vectors });
}

/** Some parts at a time: neither memory nor open files grow with their number. */
async function writeManyParts<Value>(
  target: RowsTarget<Value>,
  { parts, table }: { readonly parts: readonly Part<Value>[]; readonly table: string },
) {
  const { storage, connection, folder, prefix, columns, rows, splits, fieldIds } = target;
  const part = partName(target);
  const isSame = splits.map(({ expression }, index) => `${expression} IS NOT DISTINCT FROM ${partName(target, index)}`);
  const files: RowsFile<Value>[] = [];
  for (let start = 0; start < parts.length; start += partsAtOnce) {
    const some = `(SELECT * FROM ${table} WHERE ${part} BETWEEN ${start} AND ${start + partsAtOnce - 1})`;
    const written = await writeSplitParquet(connection, {
      ...{ storage, folder, prefix },
      select: `SELECT ${selectItems(columns)}, ${part} FROM ${identifier(rows.name)} JOIN ${some} AS some_parts ON ${
        isSame.join(" AND ")
      }`,
      splitBy: `part of ${prefix}`,
      folderOf: (index) => parts[index]!.folder,
      fieldIds,
    });
    files.push(...written.map(({ part, ...file }) => ({ ...file, values: parts[part]!.values })));
  }
  return files;
}

/**
 * The UTC day of an instant as DATE. Microseconds are divided towards minus infinity (Iceberg spec, "Partition
 * Transforms": negative instants too); DuckDB's `//` rounds towards zero.
 */
export function dayExpression(column: string, type: ColumnType): string {
  if (type.kind === "date") return column;
  const micros = `epoch_us(${column})`;
  const day = 86_400_000_000;
  return `DATE '1970-01-01' + CAST((${micros} - ((${micros} % ${day}) + ${day}) % ${day}) // ${day} AS INTEGER)`;
}
