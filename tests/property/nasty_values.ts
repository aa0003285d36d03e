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
  { weight: 1, arbitrary: fc.constantFrom("", "\ufeff", '"', "\n", "\r", ",", "\\.", "NULL") },
  { weight: 1, arbitrary: fc.array(unit, { minLength: 200, maxLength: 400 }).map((units) => units.join("")) },
);

const digits = (count: number) => fc.stringMatching(new RegExp(`^[1-9][0-9]{0,${count - 1}}$`));
const sign = fc.constantFrom("", "-");
const number = (integer: number, fraction: number) =>
  fc.tuple(sign, digits(integer), fc.stringMatching(new RegExp(`^[0-9]{0,${fraction}}$`)))
    .map(([minus, whole, rest]) => `${minus}${whole}${rest === "" ? "" : `.${rest}`}`);

const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => Object.is(value, -0) ? "-0" : String(value)),
  fc.constantFrom("NaN", "Infinity", "-Infinity", "5e-324", "1.7976931348623157e+308", "0.1", "-0"),
);
const real = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 100), max: 2 ** 100 })
    .map((value) => Object.is(value, -0) ? "-0" : String(value)),
  fc.constantFrom("NaN", "Infinity", "-Infinity", "1e-45", "3.4028235e+38"),
);
const day = fc.oneof(
  fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  fc.constantFrom("infinity", "-infinity", "0044-03-15 BC", "4713-01-01 BC", "0001-01-01", "9999-12-31", "10000-01-01"),
);
const instant = fc.oneof(
  fc.tuple(
    fc.date({ min: new Date("0001-01-02"), max: new Date("9999-12-30"), noInvalidDate: true }),
    fc.integer({ min: 0, max: 999_999 }),
  ).map(([date, micros]) => `${date.toISOString().slice(0, 19).replace("T", " ")}.${String(micros).padStart(6, "0")}`),
  fc.constantFrom(
    "infinity",
    "-infinity",
    "0044-03-15 12:00:00 BC",
    "294276-12-31 23:59:59.999999",
    "2024-02-29 24:00:00",
  ),
);
const bytes = fc.uint8Array({ maxLength: 40 }).map((value) => `\\x${value.toHex()}`);
const document = fc.json({ maxDepth: 3 }).filter((value) => !value.includes("\\u0000"));
const element = (value: string) => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
const arrayOf = (values: fc.Arbitrary<string>) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.array(fc.option(values), { maxLength: 5 }).map(arrayText) },
    { weight: 1, arbitrary: fc.tuple(values, values).map(([one, two]) => `{{${element(one)}},{${element(two)}}}`) },
    { weight: 1, arbitrary: values.map((value) => `[5:5]={${element(value)}}`) },
  );
const arrayText = (values: readonly (string | null)[]) =>
  `{${values.map((value) => value === null ? "NULL" : element(value)).join(",")}}`;

/** Column name → PostgreSQL type and the values for it. */
export const columns: Readonly<Record<string, { readonly type: string; readonly values: fc.Arbitrary<string> }>> = {
  a_bool: { type: "boolean", values: fc.constantFrom("t", "f") },
  a_int2: { type: "smallint", values: fc.integer({ min: -32768, max: 32767 }).map(String) },
  a_int4: { type: "integer", values: fc.integer().map(String) },
  a_int8: { type: "bigint", values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) },
  a_oid: { type: "oid", values: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(String) },
  a_real: { type: "real", values: real },
  a_double: { type: "double precision", values: double },
  a_decimal: { type: "numeric(12,2)", values: fc.oneof(number(9, 2), fc.constant("NaN")) },
  a_decimal_38: { type: "numeric(38,9)", values: fc.oneof(number(29, 9), fc.constant("NaN")) },
  a_fraction: { type: "numeric(3,5)", values: fc.stringMatching(/^0\.00[0-9]{3}$/) },
  a_rounded: { type: "numeric(5,-2)", values: number(6, 0) },
  a_numeric: {
    type: "numeric",
    values: fc.oneof(number(60, 30), fc.constantFrom("NaN", "Infinity", "1.239", "1.2300")),
  },
  a_numeric_50: { type: "numeric(50,4)", values: number(46, 4) },
  a_domain: { type: "money_amount", values: number(6, 2) },
  a_date: { type: "date", values: day },
  a_timestamp: { type: "timestamp", values: instant },
  a_timestamptz: { type: "timestamptz", values: instant },
  a_time: { type: "time", values: fc.constantFrom("24:00:00", "00:00:00.000001", "12:34:56") },
  a_timetz: { type: "timetz", values: fc.constantFrom("12:34:56+05:30", "00:00:00-15:59") },
  a_interval: { type: "interval", values: fc.constantFrom("1 year 2 mons -3 days 04:05:06.7", "-1 day", "0") },
  a_uuid: { type: "uuid", values: fc.uuid() },
  a_text: { type: "text", values: text },
  a_varchar: { type: "varchar(2000)", values: text },
  a_char: { type: "char(8)", values: fc.constantFrom("a", "a b ", "", '"') },
  a_name: { type: "name", values: fc.constantFrom("x", 'a"b') },
  a_enum: { type: "mood", values: fc.constantFrom("happy", 'so "so"', "a,b") },
  a_json: { type: "json", values: document },
  a_jsonb: { type: "jsonb", values: document },
  a_bytea: { type: "bytea", values: bytes },
  a_composite: { type: "pair", values: text.map((value) => `(1,${element(value)})`) },
  a_range: { type: "int4range", values: fc.constantFrom("[1,5)", "empty", "(,3]") },
  a_inet: { type: "inet", values: fc.constantFrom("10.0.0.1", "::1/64", "192.168.1.0/24") },
  a_xml: { type: "xml", values: fc.constantFrom("<a>é</a>", '<b c="d"/>') },
  a_bit: { type: "bit varying", values: fc.stringMatching(/^[01]{0,9}$/) },
  a_money: { type: "money", values: fc.constantFrom("12.34", "-1234567.89") },
  a_tsvector: { type: "tsvector", values: fc.constantFrom("'a' 'b':1", "''''") },
  a_point: { type: "point", values: fc.constantFrom("(1,2)", "(NaN,Infinity)") },
  many_int4: { type: "integer[]", values: arrayOf(fc.integer().map(String)) },
  many_double: { type: "double precision[]", values: arrayOf(double) },
  many_bool: { type: "boolean[]", values: arrayOf(fc.constantFrom("t", "f")) },
  many_decimal: { type: "numeric(8,2)[]", values: arrayOf(fc.oneof(number(5, 2), fc.constant("NaN"))) },
  many_date: { type: "date[]", values: arrayOf(day) },
  many_timestamptz: { type: "timestamptz[]", values: arrayOf(instant) },
  many_text: { type: "text[]", values: arrayOf(text) },
  many_bytea: { type: "bytea[]", values: arrayOf(bytes) },
  many_enum: { type: "mood[]", values: arrayOf(fc.constantFrom("happy", 'so "so"')) },
  many_json: { type: "jsonb[]", values: arrayOf(document) },
  many_box: { type: "box[]", values: fc.constantFrom("{(1,1),(0,0);(2,2),(1,1)}", "{}") },
};

/** The table of these columns, with what it needs. */
export const tableDdl = `
  CREATE TYPE mood AS ENUM ('happy', 'so "so"', 'a,b');
  CREATE TYPE pair AS (number int, name text);
  CREATE DOMAIN money_amount AS numeric(10,2);
  CREATE TABLE nasty (id int PRIMARY KEY, ${
  Object.entries(columns).map(([name, { type }]) => `${name} ${type}`).join(", ")
})`;

/** A row: input texts in column order. */
export const row: fc.Arbitrary<readonly (string | null)[]> = fc.tuple(
  ...Object.values(columns).map(({ values }) => fc.option(values, { freq: 6 })),
);
