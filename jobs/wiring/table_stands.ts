/** Where lake tables stand towards a point at the source, while a job goes on filling them or while none does. */
import { formatPosition, type Position } from "../../lib/change/position.ts";
import type { Scan } from "../../lib/change/sink.ts";
import { comparePositions, spanAt } from "../../lib/query/exact_spans.ts";
import type { LakePlace } from "../../lib/query/lake_tables.ts";
import { requirePast, stateOf, type TablePast } from "../../lib/query/time_travel.ts";
import { lsnOf } from "../../lib/source/postgres/lsn.ts";
import type { ReplayPoint } from "../../lib/source/postgres/replay.ts";
import type { TableState } from "../../lib/table/lake_table.ts";
import type { ComparedTable } from "./compared_tables.ts";

/** A table at the position at which it is to be compared. */
export interface TableStand {
  readonly table: ComparedTable;
  readonly state: TableState;
  /** Its rows. */
  readonly scan: () => Promise<Scan>;
  /** The position that the rows are exact at: the point itself, or the nearest one at which the table is known. */
  readonly at: Position;
}

/** A table that cannot be compared, and why. */
export interface StandlessTable {
  readonly table: ComparedTable;
  readonly reason: string;
}

/** What {@linkcode awaitStands} needs. */
export interface StandOptions {
  readonly lake: LakePlace;
  readonly point: ReplayPoint;
  readonly tables: readonly ComparedTable[];
  /** How long a job that runs may take to come past the point, milliseconds. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Told once that it waits. */
  readonly onWait: () => void;
}

const pollMs = 200;

/**
 * Finds where each table stands. While a job reads the source it is waited for until the table is known at the point or behind it;
 * where none does, the table stays where it is.
 */
export async function awaitStands(options: StandOptions): Promise<readonly (TableStand | StandlessTable)[]> {
  const deadline = performance.now() + options.waitMs;
  const settled = new Map<ComparedTable, TableStand | StandlessTable>();
  for (let turn = 0;; turn++) {
    // Asked first: what a job does as its last is in the tables that are looked at then.
    const { isRead } = await options.point.standing();
    const isLate = performance.now() > deadline || options.signal.aborted;
    for (const table of options.tables) {
      if (settled.has(table)) continue;
      const stand = await standOf(table, { ...options, isRead, isLate });
      if (stand !== undefined) settled.set(table, stand);
    }
    if (settled.size === options.tables.length) return options.tables.map((table) => settled.get(table)!);
    if (turn === 0) options.onWait();
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Undefined where it is worth waiting. */
async function standOf(
  table: ComparedTable,
  options: StandOptions & { readonly isRead: boolean; readonly isLate: boolean },
): Promise<TableStand | StandlessTable | undefined> {
  const { point, lake, isRead, isLate, waitMs } = options;
  const past = await requirePast(table.place, lake);
  const { position } = past.newest;
  if (position !== undefined) lsnOf(position, point.position.instance);
  const span = spanAt(past.spans, point.position);
  if (span !== undefined) return await stand(table, past, { snapshot: span.snapshot, at: point.position });
  const later = past.spans.find(({ from }) =>
    from.instance === point.position.instance && comparePositions(from, point.position) > 0
  );
  if (later !== undefined) return await stand(table, past, { snapshot: later.snapshot, at: later.from });
  const last = past.spans.at(-1);
  if (isRead && !isLate) return undefined;
  if (last === undefined || position === undefined) return { table, reason: "it waits for its copy" };
  if (!isRead) return await stand(table, past, { snapshot: last.snapshot, at: last.to });
  return {
    table,
    reason: `it did not come past ${formatPosition(point.position)} within ${waitMs / 1000} s: ` +
      `it stands at ${formatPosition(last.to)}`,
  };
}

async function stand(
  table: ComparedTable,
  past: TablePast,
  found: { readonly snapshot: Parameters<typeof stateOf>[1]; readonly at: Position },
): Promise<TableStand> {
  const state = await stateOf(past, found.snapshot);
  return { table, state, at: found.at, scan: () => past.table.scan(state) };
}
