/**
 * Brings the axes of a table nearer to one another in what they count. Along the first axis lies what all texts have in common,
 * which tells no text from another. The last stand for all that were left out as well: texts that differ a little do so along many
 * axes, of which only some are there.
 */
import type { DenseRows } from "./sparse_rows.ts";

/**
 * A table whose columns are divided by how far texts lie out along each (the root of the mean square), raised to a power.
 *
 * @param texts The teacher's vectors of texts, along the same axes.
 * @param power From 0, which leaves the table as it is, to 1, by which texts lie as far out along every axis.
 */
export function evenAxes(table: Float64Array, texts: DenseRows, power: number): Float64Array {
  const { width, values } = texts;
  const squares = new Float64Array(width);
  values.forEach((value, place) => squares[place % width]! += value * value);
  const rows = values.length / width;
  // An axis along which no text lies out at all has nothing to be divided by.
  const factors = squares.map((sum) => sum > 0 ? (sum / rows) ** (-power / 2) : 1);
  return table.map((value, place) => value * factors[place % width]!);
}
