import assert from "node:assert/strict";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { generatedRecords, recordDatasets, recordTexts } from "../../jobs/wiring/generated_texts.ts";

Deno.test("a text a record, in their order, asked for in one form after another; the connection is left as it was", () =>
  withDatabase(async ({ connection }) => {
    const records = await generatedRecords({ seed: 3, holders: 12, payments: 30 });
    for (const name of ["holders", "payments"] as const) {
      const given = { dataset: recordDatasets[name], rows: records[name] };
      const full = await recordTexts(connection, { ...given, form: "full" });
      const compact = await recordTexts(connection, { ...given, form: "compact" });
      const backwards = await recordTexts(connection, { ...given, rows: records[name].toReversed(), form: "compact" });
      assert.equal(full.length, records[name].length);
      assert.deepEqual(backwards.toReversed(), compact);
      assert.ok(new Set(compact).size > compact.length / 2, "texts tell records apart");
      assert.ok(full.every((text, index) => text.length > compact[index]!.length), "a full text says more");
    }
    assert.deepEqual(await connection.rows("SELECT table_name FROM information_schema.tables"), []);
  }));
