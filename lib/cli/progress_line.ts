/** How far a job is, in words. */
import { formatBytes, formatCount, formatSeconds } from "./format.ts";
import type { ProgressState } from "./progress.ts";

const barCells = 20;

/**
 * Activity, share, amount, rate, lag and what is left, those of them that are known.
 *
 * @param options.rate What was done in a second, as `rows` counts. Default: not known.
 * @param options.hasBar Whether the share has a bar before it. Default false.
 *
 * @example
 * ```ts
 * import { progressLine } from "./progress_line.ts";
 * import assert from "node:assert/strict";
 *
 * const copying = { activity: "copying", rows: 1500, totalRows: 6000 };
 * assert.equal(progressLine(copying), "copying  25 %  1,500 rows");
 * assert.equal(progressLine(copying, { rate: 500 }), "copying  25 %  1,500 rows  500 rows/s  ETA 9.00 s");
 * ```
 */
export function progressLine(
  state: ProgressState,
  { rate, hasBar = false }: { readonly rate?: number | undefined; readonly hasBar?: boolean } = {},
): string {
  const { activity, rows, totalRows = 0, unit, lagBytes, lagSeconds } = state;
  const amount = (count: number) => unit === "bytes" ? formatBytes(count) : `${formatCount(count)} rows`;
  const share = totalRows > 0 ? Math.min(rows / totalRows, 1) : undefined;
  return [
    activity,
    share === undefined ? [] : `${hasBar ? `${bar(share)} ` : ""}${Math.floor(share * 100)} %`,
    rows > 0 ? amount(rows) : [],
    rate === undefined ? [] : `${amount(rate)}/s`,
    lagBytes === undefined ? [] : `lag ${formatBytes(lagBytes)}`,
    lagSeconds === undefined ? [] : `lag ${formatSeconds(lagSeconds)}`,
    share !== undefined && share < 1 && rate ? `ETA ${formatSeconds((totalRows - rows) / rate)}` : [],
  ].flat().join("  ");
}

function bar(share: number): string {
  const full = Math.round(share * barCells);
  return `${"█".repeat(full)}${"░".repeat(barCells - full)}`;
}
