import assert from "node:assert/strict";
import { otherModelNotes } from "../../jobs/wiring/model_notes.ts";
import { embeddingColumns } from "../../lib/transform/embedding_columns.ts";
import type { EmbeddingModel } from "../../lib/embed/embedder.ts";
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import { lakeTable } from "../../lib/query/lake_tables.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { manyNotes, VectorLake } from "../../lib/testing/vector_lake.ts";

Deno.test("tables with vectors of another model are named once with both models, one of the same is not", async () => {
  await withDatabase(async ({ connection }) => {
    const sink = (name: string, model: string, format = "iceberg") => ({
      table: { format, namespace: "shop", name, location: "" },
      status: () => Promise.resolve({ columns: embeddingColumns, rows: 2n }),
      sample: () =>
        Promise.resolve({ sql: `SELECT unnest([NULL, '${model}']) AS embedding_model`, [Symbol.dispose]: () => {} }),
    });
    const model = { id: "new", revision: "2", dimensions: 8, semantic: true };
    const sinks = [
      sink("orders", "old@1"),
      sink("orders", "old@1", "delta"),
      sink("visits", "new@2"),
      sink("carts", "old@1"),
    ];
    const [note = "", ...others] = await otherModelNotes([...sinks, sink("notes", "old@1", "paimon")], {
      model,
      connection,
    });
    const named = /^vectors of old@1 are in shop\.orders and shop\.carts and shop\.notes: .* those of new@2.*--resync/;
    assert.match(note, named);
    assert.deepEqual(others, []);
  });
});

for (const format of ["iceberg", "paimon", "delta"] as const) {
  Deno.test(`${format}: a table's model is told by its largest file, whatever came since`, () =>
    withDatabase(async (fixture) => {
      const { connection } = fixture;
      const table = new VectorLake(fixture, { format });
      // As a job that starts finds it.
      const notes = (model: EmbeddingModel) =>
        otherModelNotes([new LakeSink(lakeTable(table.place, table.lake))], { model, connection });
      const model = { id: "new", revision: "2", dimensions: 8, semantic: true };
      assert.deepEqual(await notes(model), []);
      await table.write(manyNotes(0, 40));
      await table.write([{ id: 50 }]);
      const [note = ""] = await notes(model);
      assert.match(note, /^vectors of weir-hash-nonsemantic@1 are in desk\.notes: /);
      const same = { ...model, id: "weir-hash-nonsemantic", revision: "1" };
      assert.deepEqual(await notes(same), []);
    }));
}
