/**
 * At which source positions a table is known exactly.
 *
 * A snapshot holds everything up to its own position. The one after it holds the changes of one batch, and says where that batch
 * begins: in between nothing happened to the table, so that the older snapshot is exactly the table from its own position to that
 * beginning. Inside a batch the table is known nowhere: a snapshot has all of a batch or nothing.
 */
import type { Position } from "../change/position.ts";
import { parseLsn } from "../source/postgres/lsn.ts";
import type { KeptSnapshot } from "../table/lake_table.ts";

/** What is known of a table's past. */
export interface TableHistory {
  /** Oldest first. */
  readonly snapshots: readonly KeptSnapshot[];
  /** Up to where the table has recorded that nothing more happened to it. Absent: it waits for a copy. */
  readonly recorded?: Position;
}

/** A stretch of source positions, both ends included, at all of which a snapshot is exactly the table. */
export interface ExactSpan {
  /** Undefined: the table has never had a row. */
  readonly snapshot: KeptSnapshot | undefined;
  readonly from: Position;
  readonly to: Position;
}

/** Before, at or after: negative, zero or positive. @throws {RangeError} If the two are of different sources. */
export function comparePositions(left: Position, right: Position): number {
  if (left.instance !== right.instance) {
    throw new RangeError(`Cannot compare a position of ${left.instance} with one of ${right.instance}`);
  }
  const difference = progressOf(left) - progressOf(right);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** An LSN; or a number, where what fills the table counts its own table commits. */
function progressOf({ offset }: Position): bigint {
  return /^\d+$/.test(offset) ? BigInt(offset) : parseLsn(offset);
}

/** The later of two positions of one source; the first where they are of two. */
function later(position: Position, other: Position | undefined): Position {
  if (other === undefined || other.instance !== position.instance) return position;
  return comparePositions(position, other) < 0 ? other : position;
}

/** Spans in the order of their snapshots, each with an end of its own: they do not meet. */
export function exactSpans({ snapshots, recorded }: TableHistory): readonly ExactSpan[] {
  if (snapshots.length === 0) {
    return recorded === undefined ? [] : [{ snapshot: undefined, from: recorded, to: recorded }];
  }
  return snapshots.flatMap((snapshot, index): ExactSpan[] => {
    const { position } = snapshot;
    if (position === undefined) return [];
    const next = snapshots[index + 1];
    return [{ snapshot, from: position, to: later(position, next === undefined ? recorded : next.after) }];
  });
}

/** The span that a position lies in; of several, which then show the same rows, the last. */
export function spanAt(spans: readonly ExactSpan[], position: Position): ExactSpan | undefined {
  return spans.findLast(({ from, to }) =>
    from.instance === position.instance && comparePositions(from, position) <= 0 && comparePositions(position, to) <= 0
  );
}

/** The greatest position at which every table is known exactly; undefined where there is none, or no table. */
export function consistentPoint(tables: readonly (readonly ExactSpan[])[]): Position | undefined {
  const instance = tables[0]?.at(-1)?.to.instance;
  const left = tables.map((spans) => spans.filter(({ to }) => to.instance === instance));
  let point = left[0]?.at(-1)?.to;
  // Goes back for one table after the other until none wants to go further.
  for (let agreed = 0, turn = 0; point !== undefined && agreed < left.length; turn++) {
    const there = lastKnown(left[turn % left.length] ?? [], point);
    agreed = there !== undefined && comparePositions(there, point) === 0 ? agreed + 1 : 1;
    point = there;
  }
  return point;
}

/** The greatest position up to a limit at which a table is known. Takes away the spans that begin behind it. */
function lastKnown(spans: ExactSpan[], limit: Position): Position | undefined {
  while (spans.length > 0 && comparePositions(spans.at(-1)!.from, limit) > 0) spans.pop();
  const last = spans.at(-1);
  if (last === undefined) return undefined;
  return comparePositions(last.to, limit) < 0 ? last.to : limit;
}
