/** Data files without their deleted rows. */
import type { Scan } from "../../change/sink.ts";
import { identifier } from "../../engine/quote.ts";
import type { Storage } from "../../storage/storage.ts";
import type { DeletedRows } from "./deleted_rows.ts";
import type { PositionBitmap } from "./position_bitmap.ts";

/** A data file of a snapshot. */
export interface FileRows {
  readonly uri: string;
  /** Below the storage root. */
  readonly path: string;
  readonly deleted?: FileDeletes | undefined;
}

/** Its deleted rows. */
export interface FileDeletes {
  readonly positions: PositionBitmap;
  /** Of the commit that deleted the last of them. */
  readonly sequenceNumber: bigint;
}

/** What {@linkcode scanLiveRows} selects. */
export interface LiveRowsRequest {
  readonly files: readonly FileRows[];
  /** The select list over what `read` gives. */
  readonly columns: string;
  /** A table function over local files, in order, giving `file_index` and `file_row_number` too. */
  readonly read: (paths: readonly string[]) => string;
  readonly deleted: DeletedRows;
  /** Of the snapshot; grows with every commit. */
  readonly sequenceNumber: bigint;
}

/** The rows of files; undefined where there is no file. Any connection of the same database may run it. */
export async function scanLiveRows(storage: Storage, request: LiveRowsRequest): Promise<Scan | undefined> {
  if (request.files.length === 0) return undefined;
  using open = new DisposableStack();
  const readable = open.use(await storage.readable(request.files.map(({ path }) => path)));
  const sql = await liveRowsSql({ ...request, read: (paths) => request.read(paths.map(readable.duckdbPath)) });
  const kept = open.move();
  return { sql, [Symbol.dispose]: () => kept.dispose() };
}

async function liveRowsSql(request: LiveRowsRequest): Promise<string> {
  const { files, columns, read } = request;
  const whole = files.filter(({ deleted }) => deleted === undefined).map(({ path }) => path);
  const parts = files.filter(({ deleted }) => deleted !== undefined);
  const selects = [
    ...(whole.length === 0 ? [] : [`SELECT ${columns} FROM ${read(whole)}`]),
    ...(parts.length === 0 ? [] : [await selectRemaining(request, parts)]),
  ];
  return selects.join(" UNION ALL ");
}

async function selectRemaining(request: LiveRowsRequest, parts: readonly FileRows[]): Promise<string> {
  const { columns, read, deleted, sequenceNumber } = request;
  const { table, ids } = await deleted.record(
    parts.map(({ uri, deleted }) => ({ uri, ...deleted! })),
    sequenceNumber,
  );
  const indexes = ids.map((id, index) => `(${id}, ${index})`).join(", ");
  return `SELECT ${columns} FROM ${read(parts.map(({ path }) => path))} AS live ANTI JOIN (
    SELECT listed.index, gone.row FROM ${identifier(table)} AS gone
    JOIN (VALUES ${indexes}) AS listed (file, index) ON gone.file = listed.file WHERE gone.since <= ${sequenceNumber}
  ) AS gone ON live.file_index = gone.index AND live.file_row_number = gone.row`;
}
