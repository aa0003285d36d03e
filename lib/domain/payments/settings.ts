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
  /** Age of the youngest holder, years; never under 16. */
  readonly ageLowYears: number;
  readonly ageHighYears: number;
}

/** One setting as text: what holds without it, what it means, and how it is read. */
export interface PaymentSettingDeclaration<Value> {
  readonly default: string;
  readonly help: string;
  /** Completes "expected …". */
  readonly expected: string;
  /** The value, or undefined where the text is none. */
  readonly read: (text: string) => Value | undefined;
}

/** Every setting by its environment name. */
export const paymentSettingDeclarations = {
  NUM_ACCOUNTS: { default: "6", help: "Bank accounts of one account holder, at most", ...number(1, 100, "whole") },
  NUM_CREDCARDS: { default: "2", help: "Cards of one account holder, at most", ...number(1, 100, "whole") },
  COUNTRY: {
    default: "",
    help: "Country name in addresses; without it the name of COUNTRY_CODE",
    expected: "a name",
    read: (text: string) => text,
  },
  LANG_CODE: {
    default: "en",
    help: "Language of names and streets",
    ...matching(/^[a-z]{2}$/, "two small letters, such as en"),
  },
  COUNTRY_CODE: {
    default: "ZA",
    help: "Country of the account holders",
    expected: `one of ${countryCodes.join(", ")}`,
    read: (text: string) => countryCodes.find((code) => code === text),
  },
  DEST_COUNTRY: {
    default: "ZAF",
    help: "Destination country of payments, ISO 3166 alpha-3",
    ...matching(/^[A-Z]{3}$/, "three capital letters, such as ZAF"),
  },
  BASECURRENCY: { default: "USD", help: "Currency that amounts are drawn in, ISO 4217", ...currency() },
  ROE: {
    default: "18.5",
    help: "Rate of exchange, units of CURRENCY per unit of BASECURRENCY",
    ...decimal(rateScale, 6, "18.5"),
  },
  CURRENCY: { default: "ZAR", help: "Currency that payments are made in, ISO 4217", ...currency() },
  TXN_AMNT_LOW: { default: "10", help: "Smallest amount, in BASECURRENCY", ...decimal(2, 9, "10.50") },
  TXN_AMNT_HIGH: { default: "3000", help: "Largest amount, in BASECURRENCY", ...decimal(2, 9, "3000") },
  AGE_LOW: { default: "17.4", help: "Age of the youngest account holder, years", ...number(16, 120) },
  AGE_HIGH: { default: "67.8", help: "Age of the oldest account holder, years", ...number(16, 120) },
} as const satisfies Readonly<Record<string, PaymentSettingDeclaration<unknown>>>;

/** Environment name of a setting. */
export type PaymentSettingName = keyof typeof paymentSettingDeclarations;

type ValueOf<Name extends PaymentSettingName> = NonNullable<
  ReturnType<(typeof paymentSettingDeclarations)[Name]["read"]>
>;

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
export function paymentSettings(environment: Readonly<Record<string, unknown>> = {}): PaymentSettings {
  const read = <Name extends PaymentSettingName>(name: Name) => readSetting(name, environment[name]);
  const settings: PaymentSettings = {
    accountsPerHolderMax: read("NUM_ACCOUNTS"),
    cardsPerHolderMax: read("NUM_CREDCARDS"),
    country: read("COUNTRY"),
    languageCode: read("LANG_CODE"),
    countryCode: read("COUNTRY_CODE"),
    destinationCountry: read("DEST_COUNTRY"),
    baseCurrency: read("BASECURRENCY"),
    rateMillionths: read("ROE"),
    currency: read("CURRENCY"),
    amountLowCents: read("TXN_AMNT_LOW"),
    amountHighCents: read("TXN_AMNT_HIGH"),
    ageLowYears: read("AGE_LOW"),
    ageHighYears: read("AGE_HIGH"),
  };
  // 2^31 cents is what one draw of 32 bits covers without visible bias.
  if (settings.amountHighCents - settings.amountLowCents >= 2n ** 31n) {
    throw new RangeError("Cannot use TXN_AMNT_HIGH: expected at most 21 million above TXN_AMNT_LOW");
  }
  if (settings.amountLowCents > settings.amountHighCents) {
    throw new RangeError("Cannot use TXN_AMNT_LOW: expected at most TXN_AMNT_HIGH");
  }
  if (settings.ageLowYears > settings.ageHighYears) {
    throw new RangeError("Cannot use AGE_LOW: expected at most AGE_HIGH");
  }
  return settings;
}

function readSetting<Name extends PaymentSettingName>(name: Name, given: unknown): ValueOf<Name> {
  const declared: PaymentSettingDeclaration<unknown> = paymentSettingDeclarations[name];
  const text = typeof given === "string" ? given.trim() : "";
  const value = declared.read(text === "" ? declared.default : text);
  if (value === undefined) throw new RangeError(`Cannot use ${name}: expected ${declared.expected}`);
  return value as ValueOf<Name>;
}

type Reading<Value> = Pick<PaymentSettingDeclaration<Value>, "expected" | "read">;

function number(low: number, high: number, kind: "whole" | "any" = "any"): Reading<number> {
  return {
    expected: `a ${kind === "whole" ? "whole " : ""}number from ${low} to ${high}`,
    read: (text) => {
      const value = Number(text);
      return value >= low && value <= high && (kind === "any" || Number.isInteger(value)) ? value : undefined;
    },
  };
}

/** Six digits of a rate and nine of an amount leave their product inside a decimal(18,2). */
function decimal(scale: number, digits: number, example: string): Reading<bigint> {
  const pattern = new RegExp(`^\\d{1,${digits}}(\\.\\d{1,${scale}})?$`);
  return {
    expected: `a number above 0 of at most ${digits} digits and ${scale} after the point, such as ${example}`,
    read: (text) => {
      const units = pattern.test(text) ? parseDecimal(text, scale) : 0n;
      return units > 0n ? units : undefined;
    },
  };
}

function matching(pattern: RegExp, expected: string): Reading<string> {
  return { expected, read: (text) => pattern.test(text) ? text : undefined };
}

function currency(): Reading<string> {
  return matching(/^[A-Z]{3}$/, "three capital letters, such as USD");
}
