import assert from "node:assert/strict";
import fc from "fast-check";
import { types } from "../../dataset/column_type.ts";
import { withDatabase } from "../../testing/temporary.ts";
import { compareBounds, singleValue } from "../single_value.ts";
import { lowerBound, upperBound } from "./bounds.ts";
import { daysOf, microsecondsOf } from "../time_text.ts";

const hex = (bytes: Uint8Array | undefined) => bytes === undefined ? undefined : bytes.toHex();
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

Deno.test("single values have the spec's binary form", () => {
  assert.equal(hex(singleValue(types.boolean, "1")), "01");
  assert.equal(hex(singleValue(types.boolean, "0")), "00");
  assert.equal(hex(singleValue(types.int32, "-2")), "feffffff");
  assert.equal(hex(singleValue(types.int64, "9223372036854775807")), "ffffffffffffff7f");
  assert.equal(hex(singleValue(types.float32, "1.5")), "0000c03f");
  assert.equal(hex(singleValue(types.float64, "-inf")), "000000000000f0ff");
  assert.equal(hex(singleValue(types.decimal(10, 2), "1.28")), "0080");
  assert.equal(hex(singleValue(types.decimal(10, 2), "0.00")), "00");
  assert.equal(hex(singleValue(types.decimal(10, 2), "-0.01")), "ff");
  assert.equal(hex(singleValue(types.date, "1969-12-31")), "ffffffff");
  assert.equal(hex(singleValue(types.timestamptz, "1969-12-31 23:59:59.999999+00")), "ffffffffffffffff");
  assert.equal(hex(singleValue(types.binary, "00FF")), "00ff");
});

Deno.test("what cannot be bounded has no bound", () => {
  for (const text of ["infinity", "-infinity", "0044-03-15 (BC)", "10000-01-01"]) {
    assert.equal(lowerBound(types.date, text), undefined);
    assert.equal(upperBound(types.timestamp, `${text} 00:00:00`), undefined);
  }
  assert.equal(lowerBound(types.float64, "nan"), undefined);
});

Deno.test("zero is negative below and positive above", () => {
  assert.equal(hex(lowerBound(types.float64, "0.0")), "0000000000000080");
  assert.equal(hex(upperBound(types.float64, "-0.0")), "0000000000000000");
});

Deno.test("text is cut at 16 code points, and raised above", () => {
  assert.equal(textOf(lowerBound(types.string, "a".repeat(20))), "a".repeat(16));
  assert.equal(textOf(upperBound(types.string, "a".repeat(20))), "a".repeat(15) + "b");
  assert.equal(textOf(upperBound(types.string, "a".repeat(16))), "a".repeat(16));
  assert.equal(textOf(lowerBound(types.string, "😀".repeat(17))), "😀".repeat(16));
  assert.equal(textOf(upperBound(types.string, "a".repeat(15) + "\uD7FF" + "b")), "a".repeat(15) + "\uE000");
  assert.equal(textOf(upperBound(types.string, "a".repeat(15) + "\u{10FFFF}" + "b")), "a".repeat(14) + "b");
  assert.equal(upperBound(types.string, "\u{10FFFF}".repeat(17)), undefined);
  assert.equal(hex(upperBound(types.binary, "00".repeat(15) + "FF" + "01")), "00".repeat(14) + "01");
  assert.equal(upperBound(types.binary, "FF".repeat(17)), undefined);
});

Deno.test("a text lies between its bounds", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
      const value = new TextEncoder().encode(text);
      const [lower, upper] = [lowerBound(types.string, text)!, upperBound(types.string, text)];
      assert.ok(compareBounds(types.string, lower, value) <= 0);
      assert.ok(upper === undefined || compareBounds(types.string, value, upper) <= 0);
    }),
    { seed: 3, numRuns: 300 },
  );
});

Deno.test("bounds order as their values do, at the old width too", () => {
  const order = (type: Parameters<typeof singleValue>[0], texts: readonly string[]) =>
    texts.map((text) => singleValue(type, text)!).reduce((left, right) => {
      assert.ok(compareBounds(type, left, right) < 0);
      return right;
    });
  order(types.int64, ["-9223372036854775808", "-1", "0", "1", "9007199254740993"]);
  order(types.decimal(38, 0), ["-170000000000000000000", "-129", "-1", "0", "127", "128", "170000000000000000000"]);
  order(types.float64, ["-inf", "-1.5", "0", "1e300", "inf"]);
  order(types.boolean, ["0", "1"]);
  const narrow = singleValue(types.int32, "-5")!;
  assert.ok(compareBounds(types.int64, narrow, singleValue(types.int64, "-4")!) < 0);
  assert.equal(compareBounds(types.int64, narrow, singleValue(types.int64, "-5")!), 0);
});

Deno.test("times are read as DuckDB means them", () =>
  withDatabase(async ({ connection }) => {
    const instants = [-62135596800000000n, -1n, 0n, 1n, 1767225600123456n, 253402300799999999n];
    for (const micros of instants) {
      const rows = await connection.rows(
        `SELECT t::VARCHAR AS instant, (t AT TIME ZONE 'UTC')::VARCHAR AS local, (t AT TIME ZONE 'UTC')::DATE::VARCHAR AS day,
           date_diff('day', DATE '1970-01-01', (t AT TIME ZONE 'UTC')::DATE) AS days
         FROM (SELECT make_timestamptz(${micros}) AS t)`,
      );
      const { instant, local, day, days } = rows[0] as unknown as Record<string, string>;
      assert.equal(microsecondsOf(instant!), micros);
      assert.equal(microsecondsOf(local!), micros);
      assert.equal(daysOf(day!), Number(days));
    }
  }));
