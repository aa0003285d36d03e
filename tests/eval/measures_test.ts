/** The measures themselves: what is wrong here would make every figure of an evaluation wrong. */
import assert from "node:assert/strict";
import { generatedRecords } from "../../jobs/wiring/generated_texts.ts";
import { Random } from "../../lib/domain/random.ts";
import { correlation, cosineRankCorrelation, neighbourOverlap, ranks } from "./agreement.ts";
import { averagePrecision, logisticScores } from "./classifier.ts";
import { plantRings } from "./look_alikes.ts";
import { holderSlips, paymentSlips } from "./near_duplicates.ts";
import { nearest } from "./nearest.ts";
import { paymentFeatures } from "./payment_features.ts";

const random = new Random(3, "measures");
const dimensions = 8;
const values = Float32Array.from({ length: 300 * dimensions }, () => random.fraction() - 0.5);
for (let row = 0; row < 300; row++) {
  const vector = values.subarray(row * dimensions, (row + 1) * dimensions);
  const length = Math.hypot(...vector);
  vector.forEach((value, index) => vector[index] = value / length);
}
const vectors = { dimensions, values };

Deno.test("a model agrees with itself wholly, turned or not, and with another one hardly", () => {
  const turned = { dimensions, values: values.map((value, index) => index % 2 === 0 ? -value : value) };
  const other = { dimensions, values: values.toReversed() };
  for (const model of [vectors, turned]) {
    assert.equal(neighbourOverlap(vectors, model, { queries: 50, seed: 1 }), 1);
    assert.ok(cosineRankCorrelation(vectors, model, { pairs: 500, seed: 1 }) > 0.999);
  }
  assert.ok(neighbourOverlap(vectors, other, { queries: 50, seed: 1 }) < 0.2);
  assert.ok(Math.abs(cosineRankCorrelation(vectors, other, { pairs: 500, seed: 1 })) < 0.2);
});

Deno.test("the nearest come in order, the first of two as near first, and what is left out never", () => {
  const rows = { dimensions: 2, values: Float32Array.of(1, 0, 0, 1, 0.8, 0.6, 1, 0) };
  const query = { dimensions: 2, values: Float32Array.of(1, 0) };
  assert.deepEqual([...nearest(rows, query, { count: 3 })[0]!], [0, 3, 2]);
  assert.deepEqual([...nearest(rows, query, { count: 9, leaveOut: () => 0 })[0]!], [3, 2, 1]);
});

Deno.test("equal values share a rank, and the correlation of ranks is that of textbooks", () => {
  assert.deepEqual([...ranks(Float64Array.of(3, 1, 3, 2))], [2.5, 0, 2.5, 1]);
  assert.equal(correlation(Float64Array.of(1, 2, 3), Float64Array.of(6, 4, 2)), -1);
});

Deno.test("average precision is 1 for positives first, and counts every negative before a positive", () => {
  const labels = [true, false, true, false];
  assert.equal(averagePrecision(Float64Array.of(4, 2, 3, 1), labels), 1);
  assert.equal(averagePrecision(Float64Array.of(4, 3, 2, 1), labels), (1 + 2 / 3) / 2);
});

Deno.test("the classifier finds what columns say and nothing in columns that say nothing", () => {
  const make = () => {
    const features = Array.from({ length: 400 }, () => Float64Array.of(random.fraction(), random.fraction(), 7));
    return { features, labels: features.map(([first, second]) => first! + second! > 1.5) };
  };
  const [train, test] = [make(), make()];
  const told = averagePrecision(logisticScores(train, test.features), test.labels);
  const noise = () => Float64Array.of(random.fraction());
  const untold = averagePrecision(
    logisticScores({ features: train.features.map(noise), labels: train.labels }, test.features.map(noise)),
    test.labels,
  );
  assert.ok(told > 0.95, `${told}`);
  assert.ok(untold < 0.4, `${untold}`);
});

Deno.test("slips change what they say and keep who or what it is; rings are labelled and look like payments", async () => {
  const { holders, payments } = await generatedRecords({ seed: 5, holders: 20, payments: 40 });
  for (const [slip, change] of Object.entries(holderSlips)) {
    assert.ok(holders.some((row) => JSON.stringify(change(row, random), text) !== JSON.stringify(row, text)), slip);
    assert.ok(holders.every((row) => change(row, random)["_id"] === row["_id"]), slip);
  }
  for (const [slip, change] of Object.entries(paymentSlips)) {
    assert.ok(payments.every((row) => JSON.stringify(change(row, random), text) !== JSON.stringify(row, text)), slip);
  }
  const options = { seed: 1, patternSeed: 2, patterns: 2, ringsPerPattern: 3, paymentsPerRing: 4, models: payments };
  const planted = plantRings(payments, options);
  assert.equal(planted.labels.filter(Boolean).length, 24);
  assert.deepEqual(planted, plantRings(payments, options));
  const columns = Object.keys(payments[0]!);
  assert.ok(planted.rows.every((row) => columns.every((name) => row[name] !== undefined)));
  assert.equal(new Set(paymentFeatures(planted.rows).map(({ length }) => length)).size, 1);
});

function text(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
