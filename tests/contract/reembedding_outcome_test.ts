import assert from "node:assert/strict";
import { createHashModel } from "../../lib/embed/hash_model.ts";
import { reembeddingOutcome, reembeddingText } from "../../jobs/wiring/reembedding_outcome.ts";

const { model } = createHashModel();
const table = { table: "bank.holders", format: "iceberg", location: "file:///lake", removed: 0, complete: true };

Deno.test("rows without a vector are counted, whichever run met them, and a table that got none is no success", () => {
  const outcomeOf = (counts: { embedded: number; failed: number; vectors: number; withoutVector: number }) => {
    const outcome = reembeddingOutcome([{ ...table, ...counts }], { estimates: [], model });
    return [outcome.ok, /(yes|no: .*why)/.exec(reembeddingText(outcome))?.[1]] as const;
  };
  const none = "no: 300 have none, their dead letters say why";
  assert.deepEqual(outcomeOf({ embedded: 9, failed: 0, vectors: 9, withoutVector: 0 }), [true, "yes"]);
  assert.deepEqual(outcomeOf({ embedded: 0, failed: 300, vectors: 0, withoutVector: 300 }), [false, none]);
  assert.deepEqual(outcomeOf({ embedded: 0, failed: 0, vectors: 9, withoutVector: 300 }), [true, none]);
  assert.deepEqual(outcomeOf({ embedded: 0, failed: 0, vectors: 0, withoutVector: 0 }), [true, "yes"]);
});
