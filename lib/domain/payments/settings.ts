/** What shapes the generated records (contracts §1.3), each setting declared once: environment name, default, help. */
import { parseDecimal, rateScale } from "./money.ts";
import { type CountryCode, countryCodes } from "./countries.ts";

/** Settings of the payments generator. */
export interface PaymentSettings {
  /** Bank accounts of one holder, at most; at least one. */
  readonly accountsPerHolderMax: number;
  /** Cards of one holder, at most; at least one. */
  readonly cardsPerHolderMax: number;
  /** Country name in addresses; empty: the name of the country code. */
  readonly country: string;
  /** Language of the names, e.g. `en`. */
  readonly languageCode: string;
  readonly countryCode: CountryCode;
  /** ISO 3166 alpha-3. */
  readonly destinationCountry: string;
  /** ISO 4217. */
  readonly baseCurrency: string;
  /** Units of `currency` per unit of `baseCurrency`, in millionths. */
  readonly rateMillionths: bigint;
  /** ISO 4217. */
  readonly currency: string;
  readonly amountLowCents: bigint;
  readonly amountHighCents: bigint;
  /** Pause between two payments where no rate is given. */
  readonly sleepMs: number;
  /** Age of the youngest holder, years; never under 16. */
  readonly ageLowYears: number;
  readonly ageHighYears: number;
}

/** Environment name, default and help of every setting. */
export const paymentSettingDeclarations = {
  NUM_ACCOUNTS: { default: "6", help: "Bank accounts of one account holder, at most" },
  NUM_CREDCARDS: { default: "2", help: "Cards of one account holder, at most" },
  COUNTRY: { default: "", help: "Country name in addresses; empty: the name of COUNTRY_CODE" },
  LANG_CODE: { default: "en", help: "Language of names and streets" },
  COUNTRY_CODE: { default: "ZA", help: `Country of the account holders: ${countryCodes.join(", ")}` },
  DEST_COUNTRY: { default: "ZAF", help: "Destination country of payments, ISO 3166 alpha-3" },
  BASECURRENCY: { default: "USD", help: "Currency that amounts are drawn in, ISO 4217" },
  ROE: { default: "18.5", help: "Rate of exchange, units of CURRENCY per unit of BASECURRENCY" },
  CURRENCY: { default: "ZAR", help: "Currency that payments are made in, ISO 4217" },
  TXN_AMNT_LOW: { default: "10", help: "Smallest amount, in BASECURRENCY" },
  TXN_AMNT_HIGH: { default: "3000", help: "Largest amount, in BASECURRENCY" },
  SLEEP: { default: "125", help: "Pause between two payments where no rate is given, milliseconds" },
  AGE_LOW: { default: "17.4", help: "Age of the youngest account holder, years (at least 16)" },
  AGE_HIGH: { default: "67.8", help: "Age of the oldest account holder, years" },
} as const;

/** Environment name of a setting. */
export type PaymentSettingName = keyof typeof paymentSettingDeclarations;

/**
 * Settings out of an environment; what is absent or empty takes its default.
 *
 * @throws {RangeError} If a value is out of its range.
 *
 * @example
 * ```ts
 * import { paymentSettings } from "./settings.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(paymentSettings({ ROE: "19.25" }).rateMillionths, 19_250_000n);
 * ```
 */
export function paymentSettings(environment: Readonly<Record<string, string | undefined>> = {}): PaymentSettings {
  const text = (name: PaymentSettingName) => environment[name]?.trim() || paymentSettingDeclarations[name].default;
  const settings: PaymentSettings = {
    accountsPerHolderMax: number(text, { name: "NUM_ACCOUNTS", low: 1, high: 100, whole: true }),
    cardsPerHolderMax: number(text, { name: "NUM_CREDCARDS", low: 1, high: 100, whole: true }),
    country: text("COUNTRY"),
    languageCode: matching(text, { name: "LANG_CODE", pattern: /^[a-z]{2}$/ }),
    countryCode: matching(text, {
      name: "COUNTRY_CODE",
      pattern: new RegExp(`^(${countryCodes.join("|")})$`),
    }) as CountryCode,
    destinationCountry: matching(text, { name: "DEST_COUNTRY", pattern: /^[A-Z]{3}$/ }),
    baseCurrency: matching(text, { name: "BASECURRENCY", pattern: /^[A-Z]{3}$/ }),
    rateMillionths: decimal(text, { name: "ROE", scale: rateScale }),
    currency: matching(text, { name: "CURRENCY", pattern: /^[A-Z]{3}$/ }),
    amountLowCents: decimal(text, { name: "TXN_AMNT_LOW", scale: 2 }),
    amountHighCents: decimal(text, { name: "TXN_AMNT_HIGH", scale: 2 }),
    sleepMs: number(text, { name: "SLEEP", low: 0, high: 3_600_000 }),
    ageLowYears: number(text, { name: "AGE_LOW", low: 16, high: 120 }),
    ageHighYears: number(text, { name: "AGE_HIGH", low: 16, high: 120 }),
  };
  // 2^31 cents is what one draw of 32 bits covers without visible bias.
  if (settings.amountHighCents - settings.amountLowCents >= 2n ** 31n) {
    throw new RangeError("Cannot use TXN_AMNT_HIGH: at most 21 million above TXN_AMNT_LOW");
  }
  if (settings.amountLowCents > settings.amountHighCents) throw new RangeError("TXN_AMNT_LOW is above TXN_AMNT_HIGH");
  if (settings.ageLowYears > settings.ageHighYears) throw new RangeError("AGE_LOW is above AGE_HIGH");
  return settings;
}

type Text = (name: PaymentSettingName) => string;

function number(
  text: Text,
  { name, low, high, whole = false }: { name: PaymentSettingName; low: number; high: number; whole?: boolean },
): number {
  const value = Number(text(name));
  if (value >= low && value <= high && (!whole || Number.isInteger(value))) return value;
  throw new RangeError(`Cannot use ${name}: expected a ${whole ? "whole " : ""}number from ${low} to ${high}`);
}

function decimal(text: Text, { name, scale }: { name: PaymentSettingName; scale: number }): bigint {
  const units = parseDecimal(text(name), scale);
  if (units > 0n) return units;
  throw new RangeError(`Cannot use ${name}: expected more than 0`);
}

function matching(text: Text, { name, pattern }: { name: PaymentSettingName; pattern: RegExp }): string {
  const value = text(name);
  if (pattern.test(value)) return value;
  throw new RangeError(`Cannot use "${value}" as ${name}: ${paymentSettingDeclarations[name].help}`);
}
