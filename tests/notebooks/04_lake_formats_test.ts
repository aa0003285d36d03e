import assert from "node:assert/strict";
import { notebookTest } from "./executed_notebook.ts";

const formats = ["delta", "iceberg", "paimon"];

await notebookTest("04_lake_formats", async (shown, project) => {
  const tables = shown.rows("fill");
  assert.deepEqual(tables.map((table) => [table.format, table.also_as]), Array(3).fill(["iceberg", "paimon, delta"]));

  const parts = shown.rows("files").map(({ format, part }) => `${format} ${part}`);
  for (const format of formats) assert.ok(parts.includes(`${format} 4 rows`), String(parts));
  for (const format of ["delta", "iceberg"]) assert.ok(parts.includes(`${format} 5 marked rows`), String(parts));
  assert.equal(shown.rows("delta")[0]?.operation, "CREATE TABLE");
  assert.equal(shown.rows("iceberg")[0]?.operation, "append");
  assert.equal(shown.rows("paimon")[0]?.kind, "APPEND");
  const history = shown.rows("history");
  assert.ok(history.length >= 3);
  assert.equal(new Set(history.map(({ position }) => position)).size, history.length);

  const held = shown.rows("statistics").map(({ may_hold_3000: isIn }) => isIn);
  assert.ok(held.includes(true) && held.includes(false));
  const [answer, ...others] = shown.rows("answers").map(({ format: _, ...answered }) => answered);
  assert.ok(Number(answer?.holders) > 0);
  assert.deepEqual(others, [answer, answer]);
  const { rows_of_the_table: rows, ...inFiles } = shown.rows("parquet")[0]!;
  for (const count of Object.values(inFiles)) assert.ok(Number(count) > Number(rows));

  assert.match(shown.text("maintain"), /^deno task maintain .*: ended after/);
  const [, labels = ""] = /aria-label="text"(.*?)aria-label=/s.exec(String(shown.last("after", "image/svg+xml"))) ?? [];
  const counts = [...labels.matchAll(/>(\d+)<\/text>/g)].map(([, count]) => Number(count));
  assert.equal(counts.length, 6);
  for (const index of [0, 2, 4]) assert.ok(counts[index]! > counts[index + 1]!, String(counts));
  assert.equal(shown.marks("time", "rect"), 6);
  assert.deepEqual(shown.rows("same"), [answer]);
  await assert.rejects(Deno.stat(`${project.folder}/data/state/formats`), Deno.errors.NotFound);
});
