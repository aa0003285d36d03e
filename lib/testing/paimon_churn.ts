/** A Paimon table under inserts, updates and removals, the rows it must hold, and upkeep of it without a writer. */
import assert from "node:assert/strict";
import { keyColumns } from "../table/paimon/key_columns.ts";
import type { PaimonTable } from "../table/paimon/paimon_table.ts";
import { keyInPartition } from "../table/paimon/schema.ts";
import { keySections } from "../table/paimon/sections.ts";
import type { PaimonState } from "../table/paimon/table_state.ts";
import type { UpkeepPolicy } from "../table/upkeep.ts";
import { applyStep, type PaimonLake, type PaimonStep } from "./paimon_lake.ts";

/** Merges after a few commits; keeps two snapshots, however young. */
export const eagerPolicy: UpkeepPolicy = {
  targetFileBytes: 1 << 20,
  mergeFiles: 6,
  deletedShare: 0.3,
  keepSnapshotsMs: 0,
  keepSnapshots: 2,
  orphanAgeMs: 0,
};

/** Merges until each bucket is one sorted run. */
export const wholePolicy: UpkeepPolicy = { ...eagerPolicy, mergeFiles: 2 };

/** SELECT of rows. */
export function orderRows(range: string, name: string): string {
  return `SELECT i AS id, '${name}' || i AS name, i::DECIMAL(12,2) AS amount FROM range(${range}) r(i)`;
}

const firstRows = 1000;

/** What a round writes: many rows at first, then a few new and some older ones. */
export function churnStep(round: number): PaimonStep & { readonly upserts: string; readonly removals: string } {
  const next = firstRows + round * 10;
  const later = `${orderRows(`${next}, ${next + 10}`, "new ")} UNION ALL
    ${orderRows(`${round * 13}, ${firstRows}, 61`, `${round}: `)}`;
  return {
    upserts: round === 0 ? orderRows(`0, ${firstRows}`, "first ") : later,
    removals: `SELECT i AS id FROM range(${round * 7}, ${firstRows}, 79) r(i)`,
    offset: `0/${round + 1}`,
  };
}

/** Commits rounds. */
export async function churn(
  lake: PaimonLake,
  table: PaimonTable,
  rounds: { readonly from: number; readonly to: number },
): Promise<void> {
  for (let round = rounds.from; round < rounds.to; round++) await applyStep(lake, table, churnStep(round));
}

/** The rows that so many rounds of {@linkcode churn} leave, computed by DuckDB alone. */
export async function churnedRows(lake: PaimonLake, rounds: number): Promise<readonly string[]> {
  const { connection } = lake;
  await connection.run("CREATE OR REPLACE TEMP TABLE model (id BIGINT, name VARCHAR, amount DECIMAL(12,2))");
  for (let round = 0; round < rounds; round++) {
    const { upserts, removals } = churnStep(round);
    await connection.run(`DELETE FROM model WHERE id IN (${removals}) OR id IN (SELECT id FROM (${upserts}))`);
    await connection.run(`INSERT INTO model ${upserts}`);
  }
  const rows = await connection.rows("SELECT model::VARCHAR AS line FROM model ORDER BY 1");
  return rows.map((row) => row.line as string);
}

/** Compacts until nothing is left to do. Gives the number of compactions. */
export async function compactAll(lake: PaimonLake, table: PaimonTable, policy: UpkeepPolicy): Promise<number> {
  for (let count = 0;; count++) {
    assert.ok(count < 100, "compaction does not come to an end");
    const state = (await table.load())!;
    const plan = table.planCompaction(state, policy);
    if (plan === undefined) return count;
    const prepared = await table.compact(state, plan, lake.connection);
    assert.equal((await table.commit(table.stage(state, prepared))).outcome, "committed");
    assertLevels((await table.load())!);
  }
}

/** Expires what the policy does not keep and removes the files. Gives the paths. */
export async function expireAll(
  lake: PaimonLake,
  table: PaimonTable,
  policy: UpkeepPolicy = eagerPolicy,
): Promise<readonly string[]> {
  const state = (await table.load())!;
  const { result, unneeded, snapshots } = await table.expire(state, policy, { nowMs: Date.now() });
  assert.equal(result?.outcome, snapshots === 0 ? undefined : "committed");
  for (const path of unneeded) await lake.storage.delete(path);
  return unneeded;
}

/** What readers rely on above level 0: keys of one level's files do not meet, and the highest marks no deletions. */
export function assertLevels(state: PaimonState): void {
  const key = keyColumns(state.schema.fields, keyInPartition(state.schema));
  const leveled = state.files.filter(({ level }) => level > 0);
  for (const run of Map.groupBy(leveled, ({ place, level }) => `${place.id} ${level}`).values()) {
    assert.ok(keySections(run, key).every((section) => section.length === 1), "files of one level meet");
  }
  assert.ok(leveled.every(({ level, deletedRows }) => level < 5 || deletedRows === 0n));
}
