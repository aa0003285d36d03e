/** The Luhn check digit (ISO/IEC 7812-1, annex B). */

/**
 * The digit that makes `digits` followed by it valid.
 *
 * @example
 * ```ts
 * import { luhnCheckDigit } from "./luhn.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(luhnCheckDigit("7992739871"), 3);
 * ```
 */
export function luhnCheckDigit(digits: string): number {
  let sum = 0;
  for (let i = digits.length - 1, double = true; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 48;
    sum += double ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit;
  }
  return (10 - sum % 10) % 10;
}

/** Whether the last digit is the check digit of those before it. Anything but two or more digits is invalid. */
export function isLuhnValid(digits: string): boolean {
  return /^\d{2,}$/.test(digits) && luhnCheckDigit(digits.slice(0, -1)) === Number(digits.at(-1));
}
