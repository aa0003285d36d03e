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

/** What {@linkcode scanLiveRows} selects. */
export interface LiveRowsRequest<File extends FileRows = FileRows> {
  readonly files: readonly File[];
  /** The select list over what `read` gives. */
  readonly columns: string;
  /** A table over local files, in order, giving `file_index` and `file_row_number` too. */
  readonly read: (paths: readonly string[], files: readonly File[]) => string;
  readonly deleted: DeletedRows;
  /** Of the snapshot; grows with every commit. */
  readonly sequenceNumber: bigint;
}

/** The rows of files; undefined where there is no file. Any connection of the same database may run it. */
export async function scanLiveRows<File extends FileRows>(
  storage: Storage,
  request: LiveRowsRequest<File>,
): Promise<Scan | undefined> {
  if (request.files.length === 0) return undefined;
  using open = new DisposableStack();
  const readable = open.use(await storage.readable(request.files.map(({ path }) => path)));
  const sql = await liveRowsSql({
    ...request,
    read: (paths, files) => request.read(paths.map(readable.duckdbPath), files),
  });
  const kept = open.move();
  return { sql, [Symbol.dispose]: () => kept.dispose() };
}

async function liveRowsSql<File extends FileRows>(request: LiveRowsRequest<File>): Promise<string> {
  const { files, columns } = request;
  const whole = files.filter(({ deleted }) => deleted === undefined);
  const parts = files.filter(({ deleted }) => deleted !== undefined);
  const selects = [
    ...(whole.length === 0 ? [] : [`SELECT ${columns} FROM ${readAll(request, whole)}`]),
    ...(parts.length === 0 ? [] : [await selectRemaining(request, parts)]),
  ];
  return selects.join(" UNION ALL ");
}

async function selectRemaining<File extends FileRows>(
  request: LiveRowsRequest<File>,
  parts: readonly File[],
): Promise<string> {
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

function readAll<File extends FileRows>({ read }: LiveRowsRequest<File>, files: readonly File[]): string {
  return read(files.map(({ path }) => path), files);
}

/** Rows of files, deleted ones too. */
export function rowCount(files: readonly Pick<FileRows, "rows">[]): bigint {
  return files.reduce((sum, { rows }) => sum + rows, 0n);
}
