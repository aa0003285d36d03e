/** Generators of values that break capture pipelines, as PostgreSQL input texts. NULL stands among all of them. */
import fc from "fast-check";

const unit = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(..."ab09 _") },
  {
    weight: 4,
    arbitrary: fc.constantFrom('"', "'", ",", "\\", "{", "}", "\n", "\r", "\r\n", "\t", "\b", "\u0001", "\u001f"),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "\ufeff",
      "é",
      "ß",
      "€",
      "漢",
      "😀",
      "👩‍👩‍👧",
      "\u0301",
      "\u200b",
      "\u2028",
      "\u0085",
      "\uffff",
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom("NULL", "null", "\\.", "\\N", '""', "infinity", "{{", "[1:2]=") },
);

/** Any text PostgreSQL can hold. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.array(unit, { maxLength: 12 }).map((units) => units.join("")) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "\ufeff", '"', "\u0001", "\u0001,\u0001\n", "\n", "\r", ",", "\\.", "NULL"),
  },
  { weight: 1, arbitrary: fc.array(unit, { minLength: 200, maxLength: 400 }).map((units) => units.join("")) },
);

const digits = (count: number) => fc.stringMatching(new RegExp(`^[1-9][0-9]{0,${count - 1}}$`));
const sign = fc.constantFrom("", "-");
/** Decimal digits with up to so many before and after the point. */
export const number = (integer: number, fraction: number): fc.Arbitrary<string> =>
  fc.tuple(sign, digits(integer), fc.stringMatching(new RegExp(`^[0-9]{0,${fraction}}$`)))
    .map(([minus, whole, rest]) => `${minus}${whole}${rest === "" ? "" : `.${rest}`}`);

/** Doubles with their limits and specials. */
export const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => Object.is(value, -0) ? "-0" : String(value)),
  fc.constantFrom("NaN", "Infinity", "-Infinity", "5e-324", "1.7976931348623157e+308", "0.1", "-0"),
);
/** Reals with their limits and specials. */
export const real = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 100), max: 2 ** 100 })
    .map((value) => Object.is(value, -0) ? "-0" : String(value)),
  fc.constantFrom("NaN", "Infinity", "-Infinity", "1e-45", "3.4028235e+38"),
);
/** Days of every era, with the limits of PostgreSQL and of the lake. */
export const day = fc.oneof(
  fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  fc.constantFrom(
    "infinity",
    "-infinity",
    "0044-03-15 BC",
    "4714-11-24 BC",
    "0001-12-31 BC",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "5874897-12-31",
  ),
);
/** Timestamps of every era, with the limits of PostgreSQL and of the lake. */
export const instant = fc.oneof(
  fc.tuple(
    fc.date({ min: new Date("0001-01-02"), max: new Date("9999-12-30"), noInvalidDate: true }),
    fc.integer({ min: 0, max: 999_999 }),
  ).map(([date, micros]) => `${date.toISOString().slice(0, 19).replace("T", " ")}.${String(micros).padStart(6, "0")}`),
  fc.constantFrom(
    "infinity",
    "-infinity",
    "0044-03-15 12:00:00 BC",
    "4714-11-24 00:00:00 BC",
    "0001-12-31 23:59:59.999999 BC",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59.999999",
    "10000-01-01 00:00:00",
    "294276-12-31 23:59:59.999999",
    "2024-02-29 24:00:00",
  ),
);
/** Bytes in hex form. */
export const bytes = fc.uint8Array({ maxLength: 40 }).map((value) => `\\x${value.toHex()}`);
/** JSON documents, with numbers beyond every binary type, escapes and keys given twice. */
export const document = fc.oneof(
  { weight: 6, arbitrary: fc.json({ maxDepth: 3 }).filter((value) => !value.includes("\\u0000")) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      `{"n": 12345678901234567890123456789012345678.90123456789, "m": -1e300, "z": 1.10}`,
      `"\\u00e9\\ud83d\\ude00\\ufeff\\u2028\\"\\/\\b"`,
      `{"a": 1, "b": {"a": null}, "a": [2, "\\\\"]}`,
      ` [ 1 , "x" ] `,
    ),
  },
);
/** A text in double quotes, as arrays, composites and hstore take it. */
export const element = (value: string): string => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
/** Arrays of texts: empty, with NULL, of two and three dimensions, with bounds of their own. */
export const arrayOf = (values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.array(fc.option(values), { maxLength: 5 }).map(arrayText) },
    { weight: 1, arbitrary: fc.tuple(values, values).map(([one, two]) => `{{${element(one)}},{${element(two)}}}`) },
    { weight: 1, arbitrary: values.map((value) => `{{{${element(value)}},{NULL}}}`) },
    { weight: 1, arbitrary: values.map((value) => `[5:6]={${element(value)},NULL}`) },
  );
const arrayText = (values: readonly (string | null)[]) =>
  `{${values.map((value) => value === null ? "NULL" : element(value)).join(",")}}`;
