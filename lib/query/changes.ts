/**
 * What changed in a table: between two of its snapshots, and in the life of one row.
 *
 * Promise: exactly the rows whose values differ. Merged files, and rows that were written again as they were, are no change. Files
 * that both snapshots have are left alone where the format allows.
 */
import type { Position } from "../change/position.ts";
import type { Column } from "../dataset/column.ts";
import { duckdbType } from "../dataset/column_type.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import type { ChangedRows, KeptSnapshot, TableState } from "../table/lake_table.ts";
import type { TableFolder } from "./lake_folders.ts";
import type { LakePlace } from "./lake_tables.ts";
import { type OpenedTable, requirePast, snapshotAt, stateOf, type TablePoint } from "./time_travel.ts";

/** Between which two points. */
export interface ChangeRange {
  /** The changes after this point … */
  readonly from: TablePoint;
  /** … up to this one. Default: the newest snapshot. */
  readonly to?: TablePoint;
}

/** Changes, ready to be queried until this is disposed. */
export interface TableChanges extends Disposable {
  readonly columns: readonly Column[];
  /**
   * SELECT of `change` (`insert`, `update` or `delete`), `key` as a STRUCT of the key columns, and `before` and `after`: the row as
   * a STRUCT of the newer snapshot's columns, NULL where there is none. Without a key there are inserts and deletes alone.
   */
  readonly select: string;
}

/** The changes of a table between two points. Throws `precondition` where one is not kept. */
export async function changesBetween(place: TableFolder, lake: LakePlace, range: ChangeRange): Promise<TableChanges> {
  const past = await requirePast(place, lake);
  const older = await stateOf(past, snapshotAt(past, range.from));
  const newer = range.to === undefined ? past.newest : await stateOf(past, snapshotAt(past, range.to));
  const rows = await past.table.changedRows(older, newer);
  return { columns: newer.columns, select: changesSql(newer, rows), [Symbol.dispose]: () => rows[Symbol.dispose]() };
}

/** The inner names are ones that no lake column has. */
function changesSql({ columns, key }: TableState, { before, after }: Omit<ChangedRows, keyof Disposable>): string {
  const row = structOf(columns);
  if (key.length === 0) {
    const none = `NULL::${structType(columns)}`;
    return `SELECT 'insert' AS change, NULL AS key, ${none} AS before, ${row} AS after FROM (${after} EXCEPT ALL ${before})
      UNION ALL SELECT 'delete', NULL, ${row}, ${none} FROM (${before} EXCEPT ALL ${after})`;
  }
  const keyColumns = columns.filter(({ name }) => key.includes(name));
  const names = keyColumns.map(({ name }) => identifier(name)).join(", ");
  const side = (name: string, rows: string) => `SELECT ${names}, ${row} AS ${name} FROM (${rows})`;
  return `SELECT CASE WHEN _weir_before IS NULL THEN 'insert' WHEN _weir_after IS NULL THEN 'delete' ELSE 'update' END AS change,
    ${structOf(keyColumns)} AS key, _weir_before AS before, _weir_after AS after
    FROM (${side("_weir_before", before)}) FULL JOIN (${side("_weir_after", after)}) USING (${names})
    WHERE _weir_before IS DISTINCT FROM _weir_after`;
}

function structOf(columns: readonly Column[]): string {
  return `struct_pack(${columns.map(({ name }) => `${identifier(name)} := ${identifier(name)}`).join(", ")})`;
}

function structType(columns: readonly Column[]): string {
  return `STRUCT(${columns.map(({ name, type }) => `${identifier(name)} ${duckdbType(type)}`).join(", ")})`;
}

/** A row's key columns with their values. */
export type RowKey = Readonly<Record<string, string | number | bigint | boolean>>;

/** One event in a row's life. */
export interface RowChange {
  /** `kept`: as the oldest snapshot that is kept has it; nothing is known of the time before. */
  readonly change: "kept" | "insert" | "update" | "delete";
  readonly snapshotId: bigint;
  /** When the snapshot was committed, epoch milliseconds. */
  readonly timeMs: number;
  readonly position?: Position;
  /** The row after the change, in the columns of that snapshot; undefined after a delete. */
  readonly row?: Readonly<Record<string, unknown>>;
}

/**
 * What became of one row through all kept snapshots, oldest first. Reads the files that each snapshot brought or took away, one
 * snapshot after the other.
 *
 * @param key Every key column with its value, or its text as DuckDB reads it.
 * @throws {RangeError} If these are not the table's key columns.
 */
export async function rowHistory(
  place: TableFolder,
  lake: LakePlace,
  key: RowKey,
): Promise<readonly RowChange[]> {
  const past = await requirePast(place, lake);
  const isWanted = keyCondition(past.newest, key);
  const changes: RowChange[] = [];
  let older: TableState | undefined;
  for (const snapshot of past.snapshots) {
    const newer = await stateOf(past, snapshot);
    const found = older === undefined
      ? await firstSeen(past, { newer, isWanted, connection: lake.connection })
      : await changed(past, { older, newer, isWanted, connection: lake.connection });
    if (found !== undefined) changes.push({ ...found, ...placeOf(snapshot) });
    older = newer;
  }
  return changes;
}

type Found = Pick<RowChange, "change" | "row">;

interface Wanted {
  readonly newer: TableState;
  readonly isWanted: string;
  readonly connection: Connection;
}

function keyCondition({ key, columns }: TableState, values: RowKey): string {
  const given = Object.keys(values);
  if (key.length === 0 || given.length !== key.length || !key.every((name) => given.includes(name))) {
    throw new RangeError(`Cannot find a row by (${given.join(", ")}): the table's key is (${key.join(", ")})`);
  }
  return columns.filter(({ name }) => key.includes(name)).map(({ name, type }) =>
    `${identifier(name)} = ${literal(String(values[name]))}::${duckdbType(type)}`
  ).join(" AND ");
}

async function firstSeen({ table }: OpenedTable, { newer, isWanted, connection }: Wanted): Promise<Found | undefined> {
  using scan = await table.scan(newer);
  const [row] = await connection.rows(`SELECT * FROM (${scan.sql}) WHERE ${isWanted}`);
  return row === undefined ? undefined : { change: "kept", row };
}

async function changed(
  { table }: OpenedTable,
  { older, newer, isWanted, connection }: Wanted & { readonly older: TableState },
): Promise<Found | undefined> {
  using rows = await table.changedRows(older, newer);
  const only = (select: string) => `SELECT * FROM (${select}) WHERE ${isWanted}`;
  const sql = changesSql(newer, { before: only(rows.before), after: only(rows.after) });
  const [found] = await connection.rows(
    `SELECT _weir_change, after.* FROM (SELECT change AS _weir_change, after FROM (${sql}))`,
  );
  if (found === undefined) return undefined;
  const { _weir_change: change, ...row } = found;
  return change === "delete" ? { change } : { change: change as RowChange["change"], row };
}

function placeOf({ id, timeMs, position }: KeptSnapshot): Omit<RowChange, "change" | "row"> {
  return { snapshotId: id, timeMs, ...(position === undefined ? {} : { position }) };
}
