import assert from "node:assert/strict";
import { otherModelNotes } from "../../jobs/wiring/model_notes.ts";
import { embeddingColumns } from "../../lib/transform/embedding_columns.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";

Deno.test("tables with vectors of another model are named once with both models, one of the same is not", async () => {
  await withDatabase(async ({ connection }) => {
    const sink = (name: string, model: string, format = "iceberg") => ({
      table: { format, namespace: "shop", name, location: "" },
      status: () => Promise.resolve({ columns: embeddingColumns, rows: 2n }),
      scan: () =>
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
    assert.match(note, /^vectors of old@1 are in shop\.orders and shop\.carts: .* those of new@2.*--resync/);
    assert.deepEqual(others, []);
  });
});
