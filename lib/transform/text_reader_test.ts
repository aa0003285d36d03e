import assert from "node:assert/strict";
import fc from "fast-check";
import type { Connection } from "../engine/connection.ts";
import { withDatabase } from "../testing/temporary.ts";
import { readTexts, rowsPerBatch } from "./text_reader.ts";

/** The texts of a range of a table by row, decoded; rows without a text are left out. */
async function readBack(connection: Connection, range: { readonly first: number; readonly end: number }) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const found: [number, string][] = [];
  let first = range.first;
  for (const { rows, places, texts } of await readTexts(connection, { table: "texts", ...range })) {
    assert.ok(rows <= rowsPerBatch);
    places.forEach((place, index) => {
      const bytes = texts.bytes.subarray(texts.offsets[index], texts.offsets[index + 1]);
      found.push([first + place, decoder.decode(bytes)]);
    });
    first += rows;
  }
  assert.equal(first, range.end);
  return found;
}

Deno.test("texts come byte for byte and in their rows, whatever they are and however many stand without one", async () => {
  const units = ["a", "é", "東", "🙂", "\ufeff", "'", "\n", "\u0301", "\x01"];
  const text = fc.option(fc.array(fc.constantFrom(...units), { maxLength: 6 }).map((parts) => parts.join("")), {
    nil: null,
  });
  const texts = fc.sample(fc.tuple(text, text), { seed: 5, numRuns: 3 * rowsPerBatch }).flat();
  await withDatabase(async ({ connection }) => {
    await connection.run("CREATE TABLE texts (text VARCHAR)");
    await connection.exclusively(async (native) => {
      const appender = await native.createAppender("texts");
      for (const text of texts) {
        if (text === null) appender.appendNull();
        else appender.appendVarchar(text);
        appender.endRow();
      }
      appender.closeSync();
    });
    const expected = texts.flatMap((text, row) => text === null ? [] : [[row, text]]);
    for (const [first, end] of [[0, texts.length], [2048, 5000], [4096, 4097], [2048, 2048]] as const) {
      const found = await readBack(connection, { first, end });
      assert.deepEqual(found, expected.filter(([row]) => Number(row) >= first && Number(row) < end));
    }
  });
});

Deno.test("a table whose rows do not stand where they are looked for is refused, not embedded beside other rows", async () => {
  await withDatabase(async ({ connection }) => {
    await connection.run("CREATE TABLE texts AS SELECT n::VARCHAR AS text FROM range(5000) AS numbers(n)");
    await connection.run("DELETE FROM texts WHERE rowid = 3000");
    await assert.rejects(readTexts(connection, { table: "texts", first: 0, end: 5000 }), { kind: "internal" });
  });
});
