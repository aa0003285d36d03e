/** Graphs of block characters. */

/** From nothing to a whole cell, in eighths. */
const blocks = " ▁▂▃▄▅▆▇█";

/**
 * A bar for each of the last values, the newest at the right; the highest fills the height.
 *
 * @param size.columns Values shown at most, each a cell wide.
 * @param size.rows Height in lines.
 * @param size.top What fills the height, as does what is above it. Default: the highest of them.
 *
 * @example
 * ```ts
 * import { barGraph } from "./graph.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(barGraph([9, 0, 2, 4], { columns: 3, rows: 1 }), [" ▄█"]);
 * assert.deepEqual(barGraph([3, 4], { columns: 3, rows: 2 }), [" ▄█", " ██"]);
 * ```
 */
export function barGraph(
  values: readonly number[],
  { columns, rows, top }: { readonly columns: number; readonly rows: number; readonly top?: number },
): readonly string[] {
  const shown = values.slice(-columns);
  const highest = top ?? Math.max(...shown);
  const eighths = shown.map((value) => highest > 0 ? Math.round(value / highest * rows * 8) : 0);
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * 8;
    return eighths.map((height) => blocks[Math.min(Math.max(height - below, 0), 8)]).join("").padStart(columns);
  });
}
