import assert from "node:assert/strict";
import { notebookTest } from "./executed_notebook.ts";

await notebookTest("02_live_pipeline", (shown) => {
  assert.match(shown.text("start"), /^deno task pipeline --follow .*: running for .*\n.*capturing +[\d,]+ rows/s);
  assert.equal(shown.all("grow").length, 1, "a chart takes the place of the one before");
  assert.equal(shown.marks("grow", "svg"), 2);
  assert.ok(shown.marks("grow", "path") > 2);

  const commits = shown.rows("commits");
  assert.equal(commits.length, 6);
  for (const { ms_later: msLater } of commits) assert.ok(Number(msLater) >= 0);

  const changes = shown.rows("changes").map(({ change }) => change);
  assert.ok(changes.includes("update"), String(changes));
  const life = shown.rows("holder");
  assert.ok(life.length > 1);
  assert.deepEqual([life[0]?.change, life[1]?.change], ["kept", "update"]);

  const [middle, end] = shown.rows("travel");
  assert.ok(Number(middle?.legs) > 0 && Number(end?.legs) > Number(middle?.legs));
  const together = shown.rows("consistent");
  assert.equal(together.length, 3);
  assert.equal(new Set(together.map(({ position }) => position)).size, 1);

  const pulled = Object.fromEntries(shown.rows("pull").map(({ table, ...counts }) => [table, counts]));
  assert.ok(Number(pulled["payments.transactions"]?.writes) > 0);
  assert.deepEqual(shown.rows("batch").map(({ change }) => change), Array(4).fill("write"));

  assert.match(shown.text("stop"), /^deno task pipeline --follow .*: ended after/);
  const compared = shown.text("verify").match(/^payments\.\w+ +(iceberg|paimon) +[\d,]+ +0 +0 +0 +[\d,]+$/gm);
  assert.equal(compared?.length, 6, shown.text("verify"));
});
