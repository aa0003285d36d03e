import assert from "node:assert/strict";
import { armFailPoints } from "../../fail_point.ts";
import { applyStep, orders, paimonChange, type PaimonLake, rowsOf, withPaimonLake } from "../../testing/paimon_lake.ts";
import type { UpkeepPolicy } from "../upkeep.ts";
import { paimonCompactionFailPoints, paimonExpiryFailPoints, paimonFailPoints } from "./fail_points.ts";
import { keyColumns } from "./key_columns.ts";
import type { PaimonTable } from "./paimon_table.ts";
import { keySections } from "./sections.ts";
import type { PaimonState } from "./table_state.ts";

const policy: UpkeepPolicy = {
  targetFileBytes: 1 << 20,
  mergeFiles: 6,
  deletedShare: 0.3,
  keepSnapshotsMs: 1000,
  keepSnapshots: 2,
  orphanAgeMs: 3_600_000,
};
const whole: UpkeepPolicy = { ...policy, mergeFiles: 2 };

/** Compacts until nothing is left to do. Gives the number of compactions. */
async function compactAll(lake: PaimonLake, table: PaimonTable, how: UpkeepPolicy): Promise<number> {
  for (let count = 0;; count++) {
    assert.ok(count < 100, "compaction comes to an end");
    const state = (await table.load())!;
    const plan = table.planCompaction(state, how);
    if (plan === undefined) return count;
    const prepared = await table.compact(state, plan, lake.connection);
    assert.equal((await table.commit(table.stage(state, prepared))).outcome, "committed");
  }
}

/** What readers rely on above level 0: keys of one level's files do not meet, and the highest marks no deletions. */
function assertLevels(state: PaimonState): void {
  const key = keyColumns(state.schema.fields, state.key);
  const leveled = state.files.filter(({ level }) => level > 0);
  for (const run of Map.groupBy(leveled, ({ bucket, level }) => `${bucket} ${level}`).values()) {
    assert.ok(keySections(run, key).every((section) => section.length === 1), "files of one level do not meet");
  }
  assert.ok(leveled.every(({ level, deletedRows }) => level < 5 || deletedRows === 0n));
}

const upserts = (range: string, name: string) =>
  `SELECT i AS id, '${name}' || i AS name, i::DECIMAL(12,2) AS amount FROM range(${range}) r(i)`;

/** What a round of {@linkcode churn} writes: many rows at first, then a few new and some older ones. */
function stepUpserts(round: number): string {
  if (round === 0) return upserts("0, 20000", "first ");
  const next = 20_000 + round * 10;
  return `${upserts(`${next}, ${next + 10}`, "new ")} UNION ALL ${upserts(`${round * 13}, 20000, 701`, `${round}: `)}`;
}

function stepRemovals(round: number): string {
  return `SELECT i AS id FROM range(${round * 7}, 20000, 997) r(i)`;
}

/** Inserts, updates and removals. */
async function churn(lake: PaimonLake, table: PaimonTable, rounds: { from: number; to: number }): Promise<void> {
  for (let round = rounds.from; round < rounds.to; round++) {
    await applyStep(lake, table, {
      upserts: stepUpserts(round),
      removals: stepRemovals(round),
      offset: `0/${round + 1}`,
    });
  }
}

/** The rows that {@linkcode churn} leaves, computed by DuckDB alone. */
async function modelRows(lake: PaimonLake, rounds: number): Promise<readonly string[]> {
  await lake.connection.run("CREATE OR REPLACE TEMP TABLE model (id BIGINT, name VARCHAR, amount DECIMAL(12,2))");
  for (let round = 0; round < rounds; round++) {
    await lake.connection.run(`DELETE FROM model WHERE id IN (${stepRemovals(round)})`);
    await lake.connection.run(`DELETE FROM model WHERE id IN (SELECT id FROM (${stepUpserts(round)}))`);
    await lake.connection.run(`INSERT INTO model ${stepUpserts(round)}`);
  }
  const rows = await lake.connection.rows("SELECT model::VARCHAR AS line FROM model ORDER BY 1");
  return rows.map((row) => row.line as string);
}

Deno.test("compaction leaves rows, position and the writer's progress, in fewer and sorted files", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 2 });
    let compactions = 0;
    for (let from = 0; from < 24; from += 3) {
      await churn(lake, table, { from, to: from + 3 });
      compactions += await compactAll(lake, table, policy);
    }
    assert.ok(compactions >= 6);
    const before = (await lake.open().load())!;
    assertLevels(before);
    assert.ok(new Set(before.files.map(({ level }) => level)).size > 1, "runs of several levels stand side by side");
    const rows = await rowsOf(lake, lake.open());
    assert.deepEqual(rows, await modelRows(lake, 24));
    assert.ok(await compactAll(lake, table, whole) >= 1);
    const after = (await lake.open().load())!;
    assertLevels(after);
    assert.deepEqual(await rowsOf(lake, lake.open()), rows);
    assert.deepEqual(await rowsOf(lake, table), rows);
    assert.deepEqual([after.position, after.commitTimeMs], [before.position, before.commitTimeMs]);
    assert.equal(after.commitIdentifier, 24n);
    assert.deepEqual([after.files.length, after.rows], [2, BigInt(rows.length)]);
    assert.ok(after.files.every(({ level }) => level === 5));
    assert.equal(after.snapshot!.commitKind, "COMPACT");
    await churn(lake, lake.open(), { from: 24, to: 25 });
    assert.equal((await lake.open().load())!.commitIdentifier, 25n);
  });
});
