/** National identity numbers with the right shape and check digit for their country, none longer than 16 characters. */
import type { Random } from "../random.ts";
import type { CountryCode } from "./countries.ts";
import { luhnCheckDigit } from "./luhn.ts";

/** Whose number it is. */
export interface IdentityFacts {
  /** `yyyy-MM-dd`. */
  readonly birthDate: string;
  readonly gender: "M" | "F";
}

const schemes: Readonly<Record<CountryCode, (random: Random, facts: IdentityFacts) => string>> = {
  ZA: southAfrican,
  IE: irish,
  US: american,
  GB: british,
  DE: german,
};

/** A number of the given country's scheme. */
export function nationalId(random: Random, facts: IdentityFacts & { readonly countryCode: CountryCode }): string {
  return schemes[facts.countryCode](random, facts);
}

/** `YYMMDD SSSS C A Z`: birth date, sequence (women below 5000), citizenship, 8, Luhn digit. */
function southAfrican(random: Random, { birthDate, gender }: IdentityFacts): string {
  const date = birthDate.slice(2, 4) + birthDate.slice(5, 7) + birthDate.slice(8, 10);
  const sequence = String(random.below(5000) + (gender === "F" ? 0 : 5000)).padStart(4, "0");
  const payload = `${date}${sequence}${random.chance(0.04) ? 1 : 0}8`;
  return payload + luhnCheckDigit(payload);
}

/** PPS number: seven digits and the letter of their sum, weighted 8 to 2, modulo 23 (`W` for 0). */
function irish(random: Random): string {
  const digits = random.digits(7);
  let sum = 0;
  for (let i = 0; i < 7; i++) sum += Number(digits[i]) * (8 - i);
  return digits + "WABCDEFGHIJKLMNOPQRSTUV"[sum % 23];
}

/** Areas 900–999 were never given out as social security numbers, so no real person has one of these. */
function american(random: Random): string {
  const group = String(random.between(1, 99)).padStart(2, "0");
  return `9${random.digits(2)}-${group}-${String(random.between(1, 9999)).padStart(4, "0")}`;
}

const britishPrefixes = [..."ABCEGHJKLMNOPRSTWXYZ"]
  .flatMap((first) => [..."ABCEGHJKLMNPRSTWXYZ"].map((second) => first + second))
  .filter((prefix) => !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].includes(prefix));

/** National Insurance number: a prefix that may be given out, six digits, A to D. */
function british(random: Random): string {
  return random.element(britishPrefixes) + random.digits(6) + random.element(["A", "B", "C", "D"]);
}

/** Tax number: ten digits of which exactly one comes twice, none first 0, and an ISO 7064 MOD 11,10 check digit. */
function german(random: Random): string {
  const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  for (let i = 9; i > 0; i--) {
    const j = random.below(i + 1);
    [digits[i], digits[j]] = [digits[j] as number, digits[i] as number];
  }
  // The last digit becomes a copy of another; a leading zero swaps places with its neighbour, which then is none.
  digits[9] = digits[random.between(1, 8)] as number;
  if (digits[0] === 0) [digits[0], digits[1]] = [digits[1] as number, 0];
  let product = 10;
  for (const digit of digits) {
    const sum = (digit + product) % 10 || 10;
    product = sum * 2 % 11;
  }
  return digits.join("") + (11 - product) % 10;
}
