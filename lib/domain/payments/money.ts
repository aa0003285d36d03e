/** Exact money: amounts as whole cents, rates as whole millionths. No binary float touches a value. */

/** Digits after the point that an exchange rate may have. */
export const rateScale = 6;

/**
 * Reads a decimal text as a whole number of units of `scale` digits after the point.
 *
 * @throws {RangeError} If the text is not a plain decimal or has more digits after the point.
 *
 * @example
 * ```ts
 * import { parseDecimal } from "./money.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(parseDecimal("18.5", 6), 18_500_000n);
 * ```
 */
export function parseDecimal(text: string, scale: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text.trim());
  const fraction = match?.[3] ?? "";
  if (match === null || fraction.length > scale) {
    throw new RangeError(`Cannot read "${text}" as a decimal with at most ${scale} digits after the point`);
  }
  const units = BigInt(`${match[2]}${fraction.padEnd(scale, "0")}`);
  return match[1] === "-" ? -units : units;
}

/** The decimal text of units of 1/10^scale, with all digits after the point. */
export function formatDecimal(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  return `${units < 0n ? "-" : ""}${whole}${scale === 0 ? "" : `.${digits.slice(-scale)}`}`;
}

/**
 * Cents in another currency: `round(cents × rate, 2 digits)`, halves away from zero (contracts §1.2).
 *
 * @example
 * ```ts
 * import { convertCents } from "./money.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(convertCents(1_01n, 18_500_000n), 18_69n); // 1.01 × 18.5 = 18.685
 * ```
 */
export function convertCents(cents: bigint, rateMillionths: bigint): bigint {
  const product = cents * rateMillionths;
  const half = product < 0n ? -500_000n : 500_000n;
  return (product + half) / 1_000_000n;
}
