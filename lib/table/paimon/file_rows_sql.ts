/** SQL over data files: each file is read through the schema it was written with, its columns found by field id. */
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier, literal } from "../../engine/quote.ts";
import type { ReadableFiles, Storage } from "../../storage/storage.ts";
import type { TableLayout } from "./layout.ts";
import type { PaimonField, PaimonSchema } from "./schema.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/** Column of a keyed table's files that orders the versions of a key. */
export const sequenceColumn = "_SEQUENCE_NUMBER";
/** Column of a keyed table's files that tells a row from a deletion. */
export const kindColumn = "_VALUE_KIND";
/** `_VALUE_KIND` of a row and of a deletion (Paimon `RowKind`). */
export const rowKind = { insert: 0, delete: 3 } as const;
/** Kinds that leave a row: insert and update-after. */
export const presentKinds = `${identifier(kindColumn)} IN (0, 2)`;

/** Where data files are found. */
export interface FilePlace {
  readonly storage: Storage;
  readonly layout: TableLayout;
}

/** Where data files are read. */
export interface ReadablePlace {
  readonly readable: ReadableFiles;
  readonly layout: TableLayout;
}

/** Has DuckDB read data files. */
export async function readableFiles(
  { storage, layout }: FilePlace,
  files: readonly LiveFile[],
): Promise<ReadableFiles> {
  return await storage.readable(files.map((file) => layout.data(file.place, file.name)));
}

/** Which rows of which files are asked for. */
export interface FileRows {
  readonly files: readonly LiveFile[];
  /** Columns of the result, of the newest schema. */
  readonly fields: readonly PaimonField[];
  /** Whether {@linkcode sequenceColumn} and {@linkcode kindColumn} stand before them. */
  readonly versions: boolean;
}

/**
 * A SELECT giving the rows of files as they stand in them, or undefined for no files. Columns that a file's schema does
 * not have are null.
 */
export function fileRowsSql(
  state: Pick<PaimonState, "schemas">,
  rows: FileRows & { readonly place: ReadablePlace },
): string | undefined {
  const { readable, layout } = rows.place;
  const groups = Map.groupBy(rows.files, (file) => file.schemaId);
  const selects = [...groups].map(([schemaId, files]) => {
    // A folder above the lake may be called `x=y`; the reader must not take it for a column.
    const paths = files.map((file) => literal(readable.duckdbPath(layout.data(file.place, file.name))));
    const versions = rows.versions ? [identifier(sequenceColumn), identifier(kindColumn)] : [];
    const columns = rows.fields.map((field) => columnSql(field, state.schemas.get(schemaId)!));
    const read = `read_parquet([${paths.join(", ")}], hive_partitioning = false)`;
    return `SELECT ${[...versions, ...columns].join(", ")} FROM ${read}`;
  });
  return selects.length === 0 ? undefined : selects.join("\nUNION ALL\n");
}

function columnSql(field: PaimonField, written: PaimonSchema): string {
  const held = written.fields.find(({ id }) => id === field.id);
  const value = held === undefined ? "NULL" : identifier(held.name);
  return `${value}::${duckdbType(field.type)} AS ${identifier(field.name)}`;
}

/** A SELECT of these columns that gives no rows. */
export function noRowsSql(fields: readonly PaimonField[]): string {
  const columns = fields.map(({ name, type }) => `NULL::${duckdbType(type)} AS ${identifier(name)}`);
  return `SELECT ${columns.join(", ")} WHERE false`;
}
