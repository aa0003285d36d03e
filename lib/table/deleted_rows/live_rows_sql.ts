/** The SELECT over data files without their deleted rows. */
import { identifier } from "../../engine/quote.ts";
import type { DeletedRows } from "./deleted_rows.ts";
import type { PositionBitmap } from "./position_bitmap.ts";

/** A data file of a snapshot. */
export interface FileRows {
  readonly uri: string;
  /** What DuckDB reads it as. */
  readonly path: string;
  /** Deleted ones too. */
  readonly rows: bigint;
  readonly deleted?: FileDeletes | undefined;
}

/** Its deleted rows. */
export interface FileDeletes {
  readonly positions: PositionBitmap;
  /** Of the commit that deleted the last of them. */
  readonly sequenceNumber: bigint;
}

/** What {@linkcode liveRowsSql} selects. */
export interface LiveRowsRequest {
  readonly files: readonly FileRows[];
  /** The select list over what `read` gives. */
  readonly columns: string;
  /** A table function over files, which have so many rows, in order, giving `file_index` and `file_row_number` too. */
  readonly read: (paths: readonly string[], rows: bigint) => string;
  readonly deleted: DeletedRows;
  /** Of the snapshot; grows with every commit. */
  readonly sequenceNumber: bigint;
}

/** SELECT over the files that are there; undefined where there is none. Any connection of the same database may run it. */
export async function liveRowsSql(request: LiveRowsRequest): Promise<string | undefined> {
  const { files, columns } = request;
  const whole = files.filter(({ deleted }) => deleted === undefined);
  const parts = files.filter(({ deleted }) => deleted !== undefined);
  const selects = [
    ...(whole.length === 0 ? [] : [`SELECT ${columns} FROM ${readAll(request, whole)}`]),
    ...(parts.length === 0 ? [] : [await selectRemaining(request, parts)]),
  ];
  return selects.length === 0 ? undefined : selects.join(" UNION ALL ");
}

async function selectRemaining(request: LiveRowsRequest, parts: readonly FileRows[]): Promise<string> {
  const { columns, deleted, sequenceNumber } = request;
  const { table, ids } = await deleted.record(
    parts.map(({ uri, deleted }) => ({ uri, ...deleted! })),
    sequenceNumber,
  );
  const indexes = ids.map((id, index) => `(${id}, ${index})`).join(", ");
  return `SELECT ${columns} FROM ${readAll(request, parts)} AS live ANTI JOIN (
    SELECT listed.index, gone.row FROM ${identifier(table)} AS gone
    JOIN (VALUES ${indexes}) AS listed (file, index) ON gone.file = listed.file WHERE gone.since <= ${sequenceNumber}
  ) AS gone ON live.file_index = gone.index AND live.file_row_number = gone.row`;
}

function readAll({ read }: LiveRowsRequest, files: readonly FileRows[]): string {
  return read(files.map(({ path }) => path), files.reduce((sum, { rows }) => sum + rows, 0n));
}
