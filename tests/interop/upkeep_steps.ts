/** Upkeep of a table as a test drives it: with something happening while files are merged, and files removed at once. */
import assert from "node:assert/strict";
import type { Storage } from "../../lib/storage/storage.ts";
import type { UpkeepPolicy, UpkeepTable } from "../../lib/table/upkeep.ts";
import type { DatabaseFixture } from "../../lib/testing/temporary.ts";

/** Merges whatever can be, keeps the newest snapshot alone. */
export const eagerPolicy: UpkeepPolicy = {
  targetFileBytes: 64 * 2 ** 20,
  mergeFiles: 2,
  deletedShare: 0.2,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};

/** What upkeep works on. */
export interface UpkeepScene {
  readonly fixture: DatabaseFixture;
  readonly storage: Storage;
  readonly table: UpkeepTable;
}

/** One compaction. Gives whether one was due and still fitted. */
export async function mergeOnce(
  { fixture, table }: UpkeepScene,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  const base = await table.load();
  const plan = base && table.planCompaction(base, eagerPolicy);
  if (base === undefined || plan === undefined) {
    await meanwhile();
    return false;
  }
  const connection = await fixture.database.connect();
  try {
    const prepared = await table.compact(base, plan, connection);
    await meanwhile();
    const state = (await table.load())!;
    const fitted = await table.rebase(state, prepared);
    if (fitted === undefined) {
      await table.discard(prepared);
      return false;
    }
    assert.equal((await table.commit(table.stage(state, fitted))).outcome, "committed");
    return true;
  } finally {
    connection.close();
  }
}

/** One expiry, its files removed. Gives how many snapshots left. */
export async function expireOnce(
  { storage, table }: UpkeepScene,
  policy: UpkeepPolicy = eagerPolicy,
): Promise<number> {
  const { snapshots, unneeded, result } = await table.expire((await table.load())!, policy, { nowMs: Date.now() + 1 });
  if (result === undefined) return 0;
  assert.equal(result.outcome, "committed");
  for (const path of unneeded) {
    assert.ok(await storage.stat(path), `${path} was there`);
    await storage.delete(path);
  }
  return snapshots;
}

/** Every file of the table is one that it refers to, and the other way round. */
export async function filesAreThoseReferred({ storage, table }: UpkeepScene): Promise<void> {
  const found = await Array.fromAsync(storage.list(storage.path(table.location)));
  const referenced = await table.referenced((await table.load())!);
  assert.deepEqual(found.map(({ path }) => path), [...referenced].sort());
}
