import assert from "node:assert/strict";
import { Random } from "../../domain/random.ts";
import { NormalEquations } from "./normal_equations.ts";
import { multiply, multiplyTransposed, tokenCounts } from "./sparse_rows.ts";

const ridge = 0.5;

for (const size of [1, 3, 4, 5, 31]) {
  Deno.test(`a solution for ${size} columns is one: the matrix times it gives the right sides`, () => {
    const random = new Random(size, "normal equations");
    const counts = tokenCounts(
      Array.from({ length: 3 * size }, () => Array.from({ length: 4 }, () => random.below(size))),
    );
    const weights = Float64Array.from({ length: 3 * size }, () => random.fraction());
    const wanted = Float64Array.from({ length: size * 2 }, () => random.fraction() - 0.5);
    const found = Float64Array.from(wanted);
    new NormalEquations(counts, { size, weights, ridge }).solve(found, 2);

    const perRow = new Float64Array(weights.length * 2);
    multiply(counts, { width: 2, values: found }, perRow);
    const weighted = perRow.map((value, place) => value * weights[place >> 1]!);
    const image = new Float64Array(size * 2);
    multiplyTransposed(counts, { width: 2, values: weighted }, image);
    for (let place = 0; place < image.length; place++) {
      assert.ok(Math.abs(image[place]! + ridge * found[place]! - wanted[place]!) < 1e-12);
    }
  });
}
