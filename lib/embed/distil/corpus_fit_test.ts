import assert from "node:assert/strict";
import { Random } from "../../domain/random.ts";
import { fitTable } from "./corpus_fit.ts";
import { multiply, tokenCounts } from "./sparse_rows.ts";

const width = 4;
const tokens = 30;
const random = new Random(11, "corpus fit");
const table = Float64Array.from({ length: tokens * width }, () => random.fraction() - 0.5);

/** Texts of five tokens each; the last token stands in none. */
const texts = tokenCounts(
  Array.from({ length: 400 }, () => Array.from({ length: 5 }, () => random.below(tokens - 1))),
);

const weights = new Float64Array(400).fill(1);

/** Unit vectors of the sums of another table: what a teacher that is static itself would say. */
function staticTeacher(): { readonly hidden: Float64Array; readonly targets: Float64Array } {
  const hidden = Float64Array.from({ length: tokens * width }, () => random.fraction() - 0.5);
  const targets = new Float64Array(400 * width);
  multiply(texts, { width, values: hidden }, targets);
  return { hidden, targets: unit(targets) };
}

function unit(rows: Float64Array): Float64Array {
  const lengths = Array.from(
    { length: rows.length / width },
    (_, row) => Math.hypot(...rows.subarray(row * width, (row + 1) * width)),
  );
  return rows.map((value, place) => value / lengths[Math.floor(place / width)]!);
}

function cosines(fitted: Float64Array, targets: Float64Array): number[] {
  const sums = new Float64Array(targets.length);
  multiply(texts, { width, values: fitted }, sums);
  const found = unit(sums);
  return Array.from({ length: targets.length / width }, (_, row) => {
    let sum = 0;
    for (let index = row * width; index < (row + 1) * width; index++) sum += found[index]! * targets[index]!;
    return sum;
  });
}

Deno.test("sums of the fitted table point where the teacher's vectors do, and a token of no text stays where it was", () => {
  const { targets } = staticTeacher();
  const options = { texts, weights, targets: { width, values: targets }, table: { width, values: table } };
  const fitted = fitTable({ ...options, ridge: 1e-6, rounds: 12 });
  assert.ok(Math.min(...cosines(fitted, targets)) > 0.97);
  assert.ok(Math.min(...cosines(table, targets)) < 0);
  assert.deepEqual(fitted.subarray((tokens - 1) * width), table.subarray((tokens - 1) * width));
  assert.deepEqual(fitTable({ ...options, ridge: 1e-6, rounds: 12 }), fitted);
});

Deno.test("the solution of one round is that of the normal equations", () => {
  const { targets } = staticTeacher();
  const ridge = 0.3;
  const fitted = fitTable({
    texts,
    weights,
    targets: { width, values: targets },
    table: { width, values: table },
    ridge,
    rounds: 1,
  });
  const sums = new Float64Array(targets.length);
  multiply(texts, { width, values: fitted }, sums);
  const gradient = new Float64Array(table.length);
  const pull = new Float64Array(table.length);
  for (let row = 0; row + 1 < texts.starts.length; row++) {
    for (let entry = texts.starts[row]!; entry < texts.starts[row + 1]!; entry++) {
      for (let index = 0; index < width; index++) {
        const off = sums[row * width + index]! - targets[row * width + index]!;
        gradient[texts.columns[entry]! * width + index]! += texts.values[entry]! * off;
        pull[texts.columns[entry]! * width + index]! += texts.values[entry]! * targets[row * width + index]!;
      }
    }
  }
  const strongest = Math.max(...pull.map(Math.abs));
  for (let place = 0; place < table.length; place++) {
    assert.ok(Math.abs(gradient[place]! + ridge * (fitted[place]! - table[place]!)) < 1e-9 * strongest);
  }
});

Deno.test("a strong ridge leaves the table as it is", () => {
  const { targets } = staticTeacher();
  const fitted = fitTable({
    texts,
    weights,
    targets: { width, values: targets },
    table: { width, values: table },
    ridge: 1e9,
    rounds: 2,
  });
  for (let place = 0; place < table.length; place++) assert.ok(Math.abs(fitted[place]! - table[place]!) < 1e-6);
});
