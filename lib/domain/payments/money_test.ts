import assert from "node:assert/strict";
import fc from "fast-check";
import { convertCents, formatDecimal, parseDecimal } from "./money.ts";

Deno.test("a decimal read back is the decimal written", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 0, max: 6 }), (units, scale) => {
      assert.equal(parseDecimal(formatDecimal(units, scale), scale), units);
    }),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("a conversion is never more than half a cent off, and halves go away from zero", () => {
  const cents = fc.bigInt({ min: 0n, max: 10n ** 12n });
  const rate = fc.bigInt({ min: 1n, max: 10n ** 9n });
  fc.assert(
    fc.property(cents, rate, (base, millionths) => {
      const error = 2n * (convertCents(base, millionths) * 1_000_000n - base * millionths);
      assert.ok(error > -1_000_000n && error <= 1_000_000n);
    }),
    { seed: 1, numRuns: 1000 },
  );
  assert.equal(convertCents(1n, 500_000n), 1n);
  assert.equal(convertCents(-1n, 500_000n), -1n);
});

Deno.test("what is not a decimal is refused", () => {
  for (const text of ["", "1,5", "1e3", ".5", "NaN", "1.2345678"]) {
    assert.throws(() => parseDecimal(text, 6), RangeError, text);
  }
});
