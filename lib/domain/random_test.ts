import assert from "node:assert/strict";
import { chiSquareFit } from "../testing/chi_square.ts";
import { Random } from "./random.ts";

Deno.test("draws of an ordinal do not depend on what was drawn before", () => {
  const random = new Random(7, "test");
  const first = [random.seek(41).bits(), random.bits()];
  random.seek(3).digits(30);
  assert.deepEqual([random.seek(41).bits(), random.bits()], first);
});

Deno.test("seeds, streams and ordinals lead to different draws", () => {
  const draws = new Set<number>();
  for (const seed of [0, 1, 2, 2 ** 32, 2 ** 32 + 1, -1]) {
    for (const stream of ["a", "b"]) {
      const random = new Random(seed, stream);
      for (const ordinal of [0, 1, 2, 2 ** 32, 2 ** 40]) draws.add(random.seek(ordinal).bits());
    }
  }
  assert.equal(draws.size, 6 * 2 * 5);
});

Deno.test("the first draw over consecutive ordinals is uniform, as is a run of draws", () => {
  const random = new Random(1, "uniform");
  const first = new Array(64).fill(0);
  const run = new Array(64).fill(0);
  for (let i = 0; i < 64_000; i++) first[random.seek(i).below(64)]++;
  random.seek(0);
  for (let i = 0; i < 64_000; i++) run[random.below(64)]++;
  const even = new Array(64).fill(1);
  assert.ok(chiSquareFit(first, even).fits);
  assert.ok(chiSquareFit(run, even).fits);
});

Deno.test("bounds are kept and patterns filled", () => {
  const random = new Random(5, "bounds");
  for (let i = 0; i < 1000; i++) {
    const drawn = random.between(-2, 2);
    assert.ok(Number.isInteger(drawn) && drawn >= -2 && drawn <= 2);
    assert.match(random.digits(13), /^\d{13}$/);
    assert.match(random.pattern("+27 8# ?x"), /^\+27 8\d [A-Z]x$/);
  }
  assert.throws(() => random.element([]), RangeError);
  assert.throws(() => new Random(1.5, "seed"), RangeError);
});
