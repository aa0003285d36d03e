import assert from "node:assert/strict";
import { withDatabase } from "../testing/temporary.ts";
import { types } from "./column_type.ts";
import { isOldText, isReadableFormatter, oldTexts, oldTextSql } from "./row_retention.ts";

const dayMs = 86_400_000;

Deno.test("a text is old once its time began longer ago than rows are kept, whatever it is spelled like", () => {
  const nowMs = Date.UTC(2026, 2, 10, 7, 30);
  const daily = oldTexts({ column: "day", formatter: "yyyy-MM-dd", keepMs: 7 * dayMs }, nowMs);
  for (const text of ["2026-03-03", "2026-02-28", "1969-12-31", "0001-01-01"]) assert.ok(isOldText(text, daily), text);
  for (const text of ["2026-03-04", "2026-03-03 ", "2026-13-01", "2026-1-01", "12026-01-01", "", "n/a"]) {
    assert.ok(!isOldText(text, daily), text);
  }
  const midnight = oldTexts({ column: "day", formatter: "yyyy-MM-dd", keepMs: 7 * dayMs }, Date.UTC(2026, 2, 10));
  assert.equal(midnight.last, "2026-03-02", "a day that began just so long ago is kept");
  const long = oldTexts({ column: "day", formatter: "yyyy-MM-dd", keepMs: 100_000 * dayMs }, nowMs);
  assert.ok(isOldText("1752-05-25", long) && !isOldText("1752-05-26", long) && !isOldText("1969-12-31", long));
  const forGood = oldTexts({ column: "day", formatter: "yyyy-MM-dd", keepMs: 1e15 }, nowMs);
  assert.ok(!isOldText("0002-01-01", forGood));
  const hourly = oldTexts({ column: "hour", formatter: "uuuuMMdd'T'HH", keepMs: dayMs }, nowMs);
  assert.deepEqual(hourly.last, "20260309T07");
  assert.ok(isOldText("20260309T07", hourly) && !isOldText("20260309T08", hourly));
});

Deno.test("formatters whose texts do not stand in the order of their times are not read", () => {
  for (const formatter of ["yyyy-MM-dd", "yyyyMMdd", "uuuu/MM/dd HH:mm:ss", "yyyy-MM-dd'T'HH"]) {
    assert.ok(isReadableFormatter(formatter), formatter);
  }
  for (const formatter of ["dd.MM.yyyy", "yyyy-MM", "yyyy-DDD", "yy-MM-dd", "yyyy-MM-dd HH:ss", "", "yyyy(MM)dd"]) {
    assert.ok(!isReadableFormatter(formatter), formatter);
  }
});

Deno.test("DuckDB tells the same texts from others", async () => {
  const old = oldTexts({ column: "day", formatter: "yyyy-MM-dd", keepMs: dayMs }, Date.UTC(2026, 2, 10));
  const texts = [
    "2026-03-08",
    "2026-03-09",
    "1000-01-01",
    "2026-02-30",
    "2026-03-0",
    "x2026-01-01",
    "2026-01-01\n",
    "",
  ];
  await withDatabase(async ({ connection }) => {
    for (const text of texts) {
      const found = await connection.value(`SELECT ${oldTextSql(`'${text}'`, old, types.string)}`);
      assert.equal(found, isOldText(text, old), JSON.stringify(text));
    }
    assert.equal(await connection.value(`SELECT ${oldTextSql("NULL::VARCHAR", old, types.string)} IS NULL`), true);
  });
});
