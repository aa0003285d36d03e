/** The soak in short: see `tests/soak/soak.ts`; `deno task soak` is the full one. */
import assert from "node:assert/strict";
import { soak, type SoakPlan } from "../soak/soak.ts";
import { verdict } from "../soak/verdict.ts";

const plan: SoakPlan = {
  commits: 200,
  rows: 100_000,
  updates: 300,
  replaced: 50,
  samples: 11,
  formats: ["iceberg", "paimon", "delta"],
  policy: {
    targetFileBytes: 4 * 2 ** 20,
    mergeFiles: 6,
    deletedShare: 0.3,
    keepSnapshotsMs: 10_000,
    keepSnapshots: 10,
    orphanAgeMs: 0,
  },
};

Deno.test("after many commits of updates tables have few files, read about as fast, and hold what was written", async () => {
  const outcome = await soak(plan);
  const { broken, figures } = verdict(plan, outcome, 3);
  assert.deepEqual(broken, [], JSON.stringify({ figures, samples: outcome.samples }, undefined, 1));
  const { merges, expiredSnapshots, removedFiles } = outcome.upkeep;
  assert.ok(merges > 20 && expiredSnapshots > 20 && removedFiles > 100, JSON.stringify(outcome.upkeep));
});
