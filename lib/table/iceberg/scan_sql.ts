/** The SELECT that reads a state: current columns by field id, without deleted rows. */
import type { Scan } from "../../change/sink.ts";
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import type { ReadableFiles } from "../../storage/storage.ts";
import type { DeletedRows } from "./deleted_rows.ts";
import type { TablePlace } from "./load_state.ts";
import { currentSchema } from "./metadata.ts";
import { readFiles, readName } from "./parquet_fields.ts";
import { columnType, type IcebergField } from "./schema.ts";
import type { IcebergState, LiveFile } from "./state.ts";

/** A state's columns in order, over its files; any connection of the same database may run it. */
export async function scanState(place: TablePlace, state: IcebergState, deleted: DeletedRows): Promise<Scan> {
  const paths = [...state.files.values()].map(({ entry }) => place.storage.path(entry.file.file_path));
  using open = new DisposableStack();
  const readable = open.use(await place.storage.readable(paths));
  const sql = await scanSql({ ...place, readable }, { state, deleted });
  const kept = open.move();
  return { sql, [Symbol.dispose]: () => kept.dispose() };
}

interface ReadablePlace extends TablePlace {
  readonly readable: ReadableFiles;
}

interface ScannedState {
  readonly state: IcebergState;
  readonly deleted: DeletedRows;
}

async function scanSql(place: ReadablePlace, { state, deleted }: ScannedState): Promise<string> {
  const { fields } = currentSchema(state.metadata);
  const files = [...state.files.values()];
  const whole = files.filter(({ deletes }) => deletes === undefined);
  const parts = files.filter(({ deletes }) => deletes !== undefined);
  const columns = fields.map((field) => `${readName(field)} AS ${identifier(field.name)}`).join(", ");
  const selects = [
    ...(whole.length === 0 ? [] : [`SELECT ${columns} FROM ${readLive(place, whole, fields)}`]),
    ...(parts.length === 0 ? [] : [await selectRemaining(place, { parts, columns, fields, state, deleted })]),
  ];
  return selects.length === 0 ? emptySelect(fields) : selects.join(" UNION ALL ");
}

function readLive(
  { storage, readable }: ReadablePlace,
  files: readonly LiveFile[],
  fields: readonly IcebergField[],
): string {
  return readFiles(files.map(({ entry }) => readable.duckdbPath(storage.path(entry.file.file_path))), fields);
}

interface RemainingRows extends ScannedState {
  readonly parts: readonly LiveFile[];
  readonly columns: string;
  readonly fields: readonly IcebergField[];
}

async function selectRemaining(place: ReadablePlace, request: RemainingRows): Promise<string> {
  const { parts, columns, fields, state, deleted } = request;
  const sequenceNumber = state.metadata["last-sequence-number"];
  const ids = await deleted.record(
    parts.map(({ entry, deletes }) => ({ uri: entry.file.file_path, positions: deletes!.positions })),
    sequenceNumber,
  );
  const indexes = ids.map((id, index) => `(${id}, ${index})`).join(", ");
  return `SELECT ${columns} FROM ${readLive(place, parts, fields)} AS live ANTI JOIN (
    SELECT listed.index, gone.row FROM ${identifier(deleted.name)} AS gone
    JOIN (VALUES ${indexes}) AS listed (file, index) ON gone.file = listed.file WHERE gone.since <= ${sequenceNumber}
  ) AS gone ON live.file_index = gone.index AND live.file_row_number = gone.row`;
}

function emptySelect(fields: readonly IcebergField[]): string {
  const columns = fields.map((field) => `NULL::${duckdbType(columnType(field.type))} AS ${identifier(field.name)}`);
  return `SELECT ${columns.join(", ")} WHERE false`;
}
