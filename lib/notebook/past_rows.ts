/** What a table's past holds, as rows to look at. */
import { formatPosition } from "../change/position.ts";
import { duckdbType } from "../dataset/column_type.ts";
import type { RowChange } from "../query/changes.ts";
import type { KeptSnapshot } from "../table/lake_table.ts";
import type { GivenColumn, GivenRows } from "./given_rows.ts";
import type { TableInLake } from "./lake_table.ts";

const placeColumns: readonly GivenColumn[] = [
  ["snapshot_id", "BIGINT"],
  ["committed", "TIMESTAMPTZ"],
  ["position", "VARCHAR"],
];

/** Snapshots, oldest first. */
export function snapshotRows(snapshots: readonly KeptSnapshot[]): GivenRows {
  const rows = snapshots.map(({ id, timeMs, position }) => placeOf({ snapshotId: id, timeMs, position }));
  return { columns: placeColumns, rows };
}

/** A row's life, oldest first, in the columns that the table has now. */
export function rowChangeRows(changes: readonly RowChange[], { columns }: TableInLake): GivenRows {
  const own = columns.map(({ name, type }): GivenColumn => [name, duckdbType(type)]);
  const rows = changes.map(({ change, row, ...place }) => [
    change,
    ...placeOf(place),
    ...columns.map(({ name }) => row?.[name] ?? null),
  ]);
  return { columns: [["change", "VARCHAR"], ...placeColumns, ...own], rows };
}

function placeOf({ snapshotId, timeMs, position }: Pick<RowChange, "snapshotId" | "timeMs"> & {
  readonly position?: RowChange["position"] | undefined;
}): readonly unknown[] {
  return [snapshotId, new Date(timeMs), position === undefined ? null : formatPosition(position)];
}
