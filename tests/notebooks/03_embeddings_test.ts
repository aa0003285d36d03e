import assert from "node:assert/strict";
import { notebookTest } from "./executed_notebook.ts";

await notebookTest("03_embeddings", (shown) => {
  const [{ dimensions, payments, vectors } = {}] = shown.rows("lake");
  assert.deepEqual([dimensions, payments, vectors], [128, 20_000, 20_000]);

  const parts = shown.rows("texts").map(({ text }) => String(text));
  for (const label of ["Payment", "Account", "Counterparty", "Type", "Amount", "Time"]) {
    assert.ok(parts.some((part) => part.startsWith(`${label}: `)), `${label} is not in ${parts}`);
  }
  for (const { cosine } of shown.rows("same")) assert.equal(cosine, 1);

  assert.ok(shown.marks("holders-map", "circle") > 1000);
  assert.equal(shown.marks("payments-map", "circle"), 1000);
  assert.equal(shown.rows("neighbours").length, 5);
  assert.ok(shown.rows("neighbours").every(({ similarity }) => Number(similarity) > 0.9));
  for (const { value, direction } of shown.rows("filtered")) {
    assert.ok(Number(value) >= 40_000);
    assert.equal(direction, "outbound");
  }
  assert.ok(shown.rows("by-text").every(({ gender }) => gender === "F"));

  assert.equal(shown.marks("agreement", "rect"), 6);
  for (const { model, asked, found_again } of shown.rows("slips")) {
    assert.ok(Number(asked) > 300);
    assert.ok(Number(found_again) >= 0.97, `${model}: ${found_again}`);
  }
  assert.ok(shown.rows("figures").length >= 20);
  assert.match(String(shown.rows("own")[0]?.text), /^town: .+\. gender: [FM]$/);
});
