import assert from "node:assert/strict";
import { join } from "node:path";
import type { MaintenanceOutcome } from "../../jobs/wiring/maintenance_outcome.ts";
import type { CaptureOutcome } from "../../jobs/wiring/outcome.ts";
import type { VerificationOutcome } from "../../jobs/wiring/verification_outcome.ts";
import { Database } from "../../lib/engine/database.ts";
import { type CaptureJobOutcome, type MaintainJobOutcome, startJob, type VerifyJobOutcome } from "../../lib/mod.ts";
import { VectorLake } from "../../lib/testing/vector_lake.ts";
import { root } from "../style/source_tree.ts";

/** What JSON makes of a value. */
type Json<Value> = Value extends bigint ? number | string
  : Value extends object ? { readonly [Name in keyof Value]: Json<Value[Name]> }
  : Value;

/** The type checker holds what a starter is told of outcomes against what the jobs give. */
const told = {
  capture: (outcome: Json<CaptureOutcome>): CaptureJobOutcome => outcome,
  verify: (outcome: Json<VerificationOutcome>): VerifyJobOutcome => outcome,
  maintain: (outcome: Json<MaintenanceOutcome>): MaintainJobOutcome => outcome,
};

/** A lake of one table with two files of rows, where the jobs' permissions reach. */
async function withLake(body: (lake: string) => Promise<void>): Promise<void> {
  await Deno.mkdir(`${root}/data/state/test`, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: `${root}/data/state/test`, prefix: "started-" });
  try {
    const temporaryFolder = join(folder, "engine");
    const database = await Database.open({ folders: [folder], temporaryFolder });
    try {
      const notes = new VectorLake({ folder, connection: await database.connect() }, { format: "paimon" });
      for (const id of [1, 2]) await notes.write([{ id, text: "Rent" }]);
    } finally {
      database.close();
    }
    await body(join(folder, "lake"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a job of the project is started with its own permissions, and says what its type says", () =>
  withLake(async (lake) => {
    const { ok, tables } = told.maintain(
      await startJob("maintain", { lake, dryRun: true }).outcome() as Json<MaintenanceOutcome>,
    );
    assert.equal(ok, true);
    assert.deepEqual(tables.map(({ table, format, plan, work }) => [table, format, plan?.liveFiles, work]), [
      ["desk.notes", "paimon", 2, null],
    ]);
    await assert.rejects(startJob("maintain", { lake: `${root}/lib` }).outcome(), {
      kind: "configuration",
      message: /permissions do not reach/,
      advice: /^Run: deno run --no-prompt -P=maintain --allow-/,
    });
  }));
