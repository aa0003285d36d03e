/** Points in a lake's past, as people write them. */
import { parsePosition, type Position } from "../change/position.ts";
import type { LakePoint } from "../query/lake.ts";
import type { TablePoint } from "../query/time_travel.ts";

/** Where a source was: as a table or its history shows it, or that as text (`instance@offset`). */
export interface AtPosition {
  readonly position: Position | string;
}

/** Which state of one table: its newest snapshot at a time, the table exactly as the source had it at a position, or a snapshot. */
export type TableMoment = Date | AtPosition | { readonly snapshotId: bigint };

/**
 * Which state of a lake: each table's `newest` snapshot; the greatest source position at which all tables are known exactly
 * (`consistent`); a time; a position.
 */
export type LakeMoment = "newest" | "consistent" | Date | AtPosition;

/** @throws {RangeError} If a time is none, or a text no position. */
export function tablePoint(moment: TableMoment): TablePoint {
  if (moment instanceof Date) return { timeMs: timeMs(moment) };
  return "position" in moment ? { position: positionOf(moment) } : moment;
}

/** @throws {RangeError} As {@linkcode tablePoint}. */
export function lakePoint(moment: LakeMoment): LakePoint {
  if (typeof moment === "string") return moment;
  return moment instanceof Date ? { timeMs: timeMs(moment) } : { position: positionOf(moment) };
}

function timeMs(date: Date): number {
  const ms = date.getTime();
  if (Number.isNaN(ms)) throw new RangeError("Cannot go to a Date that is no time");
  return ms;
}

function positionOf({ position }: AtPosition): Position {
  return typeof position === "string" ? parsePosition(position) : position;
}
