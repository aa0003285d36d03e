import assert from "node:assert/strict";
import { type ScalarType, types } from "../../dataset/column_type.ts";
import type { ColumnStatistics } from "../../engine/column_statistics.ts";
import { compareBounds, singleValue } from "../single_value.ts";
import type { AddFile } from "./actions.ts";
import { deltaType } from "./schema.ts";
import { boundsOf, loosened, recordCount, statisticsOf } from "./statistics.ts";

const field = (type: ScalarType) => ({ name: "c", type: deltaType(type), nullable: true, metadata: {} });

function written(type: ScalarType, found: Partial<ColumnStatistics>) {
  const statistics = new Map([["c", { values: 9n, nulls: 1n, bytes: 1n, ...found }]]);
  const text = statisticsOf({ path: "p", rows: 10n, bytes: 1n, statistics }, { fields: [field(type)], key: [] });
  return { text, json: JSON.parse(text) as { minValues: { c?: unknown }; maxValues: { c?: unknown } } };
}

function addOf(stats: string): AddFile {
  return { path: "p", partitionValues: {}, size: 1, modificationTime: 1, dataChange: true, stats };
}

Deno.test("numbers keep every digit", () => {
  const long = written(types.int64, { min: "-9223372036854775808", max: "9223372036854775807" });
  assert.ok(long.text.includes(`"minValues":{"c":-9223372036854775808},"maxValues":{"c":9223372036854775807}`));
  const decimal = written(types.decimal(38, 6), { min: "-0.000001", max: "12345678901234567890123456789012.123456" });
  assert.ok(decimal.text.includes(`"maxValues":{"c":12345678901234567890123456789012.123456}`));
  assert.ok(decimal.text.includes(`"numRecords":10`) && decimal.text.includes(`"nullCount":{"c":1}`));
});

Deno.test("a float's bounds are its own value, not its shortest text; NaN and infinity have none", () => {
  const single = written(types.float32, { min: "0.1", max: "0.3", hasNan: false }).json;
  assert.deepEqual([single.minValues.c, single.maxValues.c], [Math.fround(0.1), Math.fround(0.3)]);
  assert.deepEqual(written(types.float64, { min: "1", max: "2", hasNan: true }).json.maxValues, {});
  assert.deepEqual(written(types.float64, { min: "1", max: "inf", hasNan: false }).json.maxValues, {});
  assert.ok(written(types.float64, { min: "0", max: "0", hasNan: false }).text.includes(`"minValues":{"c":-0.0}`));
});

Deno.test("instants are rounded outwards to milliseconds, before 1970 too", () => {
  const after = written(types.timestamptz, {
    min: "2024-01-01 00:00:00.000001+00",
    max: "2024-01-01 00:00:00.000001+00",
  });
  assert.equal(after.json.minValues.c, "2024-01-01T00:00:00.000Z");
  assert.equal(after.json.maxValues.c, "2024-01-01T00:00:00.001Z");
  const before = written(types.timestamp, { min: "1969-12-31 23:59:59.9995", max: "1969-12-31 23:59:59.9995" });
  assert.equal(before.json.minValues.c, "1969-12-31T23:59:59.999");
  assert.equal(before.json.maxValues.c, "1970-01-01T00:00:00.000");
  assert.deepEqual(written(types.timestamp, { max: "9999-12-31 23:59:59.999999" }).json.maxValues, {});
});

Deno.test("a long text's greatest value is raised where it is cut", () => {
  const { minValues, maxValues } = written(types.string, { min: "é".repeat(40), max: "é".repeat(40) }).json;
  assert.equal(minValues.c, "é".repeat(32));
  assert.equal(maxValues.c, "é".repeat(31) + "ê");
});

Deno.test("bounds that were written are read back around every value", () => {
  const cases: readonly [ScalarType, string, string][] = [
    [types.int32, "-5", "7"],
    [types.int64, "-9223372036854775808", "9007199254740993"],
    [types.decimal(12, 2), "-0.01", "9999999999.99"],
    [types.string, "", "zz"],
    [types.date, "0001-01-01", "9999-12-31"],
    [types.timestamptz, "1969-12-31 23:59:59.999999+00", "2024-01-01 00:00:00.000001+00"],
  ];
  for (const [type, min, max] of cases) {
    const { lower, upper } = boundsOf(addOf(written(type, { min, max }).text), field(type));
    assert.ok(compareBounds(type, lower!, singleValue(type, min)!) <= 0, type.kind);
    assert.ok(compareBounds(type, upper!, singleValue(type, max)!) >= 0, type.kind);
  }
});

Deno.test("statistics of other writers are read: decimals without zeros, instants cut off, nothing at all", () => {
  const decimal = boundsOf(addOf(`{"minValues":{"c":1.5},"maxValues":{"c":2}}`), field(types.decimal(10, 2)));
  assert.deepEqual(decimal.lower, singleValue(types.decimal(10, 2), "1.50"));
  assert.deepEqual(decimal.upper, singleValue(types.decimal(10, 2), "2.00"));
  const cut = boundsOf(addOf(`{"maxValues":{"c":"2024-01-01T00:00:00.000Z"}}`), field(types.timestamptz));
  const value = singleValue(types.timestamptz, "2024-01-01 00:00:00.000999+00")!;
  assert.ok(compareBounds(types.timestamptz, cut.upper!, value) >= 0);
  for (const stats of ["", "{", "[]", "null", `{"minValues":{"c":1e3},"numRecords":"x"}`]) {
    assert.deepEqual(boundsOf(addOf(stats), field(types.int64)), { lower: undefined, upper: undefined });
    assert.equal(recordCount(addOf(stats)), undefined);
  }
});

Deno.test("bounds of a file with deleted rows are no longer tight, and no digit is lost", () => {
  const { text } = written(types.decimal(38, 2), { min: "0.01", max: "123456789012345678901234567890.12" });
  assert.equal(loosened(text), text.replace(`"tightBounds":true`, `"tightBounds":false`));
  assert.equal(loosened(`{"numRecords":1}`), `{"numRecords":1,"tightBounds":false}`);
  assert.equal(loosened(`{"numRecords":1,"tightBounds":false}`), `{"numRecords":1,"tightBounds":false}`);
  assert.equal(loosened(undefined), undefined);
});
