import assert from "node:assert/strict";
import { jobPrograms, namedPrograms } from "./job_program.ts";

Deno.test("a job to compile is named by its task or its file, and compiled once however often it is named", () => {
  const programs = jobPrograms();
  const named = (names?: string) => namedPrograms(programs, names).map(({ name }) => name);
  assert.deepEqual(named("sql,,sql, serve_embeddings,serve:embeddings,"), ["sql", "serve:embeddings"]);
  assert.deepEqual(named(" , "), programs.map(({ name }) => name));
  assert.throws(() => named("sql,sqll"), { kind: "configuration", advice: "Did you mean sql?" });
});
