/** Merging files beside a writer, and old versions leaving. */
import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import { TableUpkeep } from "../../sink/table_upkeep.ts";
import { UpkeepWorker } from "../../sink/upkeep_worker.ts";
import { checkpointEvery, type DeltaLake, onDeltaLake } from "../../testing/delta_lake.ts";
import { card, cards } from "../../testing/table_lake.ts";
import type { UpkeepPolicy } from "../upkeep.ts";
import type { DeltaTable } from "./delta_table.ts";
import type { DeltaPrepared } from "./prepared_change.ts";
import { planCompaction } from "./merge_files.ts";
import { propertyNames } from "./properties.ts";
import { writeCheckpoint } from "./write_checkpoint.ts";

const policy: UpkeepPolicy = {
  targetFileBytes: 2 ** 20,
  mergeFiles: 2,
  deletedShare: 0.2,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};

/** Of a table that keeps no past. */
const forgetful = {
  [propertyNames.logRetention]: "interval 0 seconds",
  [propertyNames.fileRetention]: "interval 0 seconds",
};

/** Three files of two rows: ids 1 to 6. */
async function threeFiles(lake: DeltaLake): Promise<DeltaTable> {
  const table = lake.open();
  await table.create(cards);
  for (const id of [1, 3, 5]) await lake.commit(table, { upserts: [card(id, "a"), card(id + 1, "b")] });
  return table;
}

/** Merges what is due, on a connection of its own. */
async function merged(lake: DeltaLake, table: DeltaTable): Promise<DeltaPrepared> {
  const state = (await table.load())!;
  const connection = await lake.fixture.database.connect();
  const prepared = await table.compact(state, table.planCompaction(state, policy)!, connection);
  connection.close();
  return prepared;
}

/** The writer's turn. Undefined where the merge does not fit any more. */
async function land(table: DeltaTable, prepared: DeltaPrepared): Promise<DeltaPrepared | undefined> {
  const state = (await table.load())!;
  const fitted = await table.rebase(state, prepared);
  if (fitted === undefined) await table.discard(prepared);
  else assert.equal((await table.commit(table.stage(state, fitted))).outcome, "committed");
  return fitted;
}

Deno.test(
  "files are merged into one: rows, position and keys stay, and readers of changes see none",
  onDeltaLake(async (lake) => {
    const table = await threeFiles(lake);
    await lake.commit(table, { removals: [{ id: "4" }] });
    const [rows, position] = [await lake.rows(), (await table.load())!.position];
    await land(table, await merged(lake, table));
    const state = (await lake.open().load())!;
    assert.deepEqual([state.files.size, state.rows, state.position], [1, 5n, position]);
    assert.deepEqual(await lake.rows(), rows);
    const actions = await lake.actions(5);
    assert.equal(actions[0]!.commitInfo!["operation"], "OPTIMIZE");
    assert.ok(actions.every(({ add, remove }) => !(add?.dataChange ?? remove?.dataChange ?? false)));
    assert.equal(table.planCompaction(state, policy), undefined);
    await lake.commit(table, { upserts: [card(3, "A")], removals: [{ id: "6" }] });
    assert.deepEqual(await lake.rows(), ["1 a", "2 b", "3 A", "5 a"]);
  }),
);

Deno.test(
  "rows that are deleted while files are merged are deleted from the merged file, also when it is fitted twice",
  onDeltaLake(async (lake) => {
    const table = await threeFiles(lake);
    await lake.commit(table, { removals: [{ id: "1" }] });
    const prepared = await merged(lake, table);
    await lake.commit(table, { upserts: [card(4, "B")], removals: [{ id: "2" }] });
    const once = (await table.rebase((await table.load())!, prepared))!;
    await lake.commit(table, { removals: [{ id: "5" }] });
    assert.ok(await land(table, once));
    assert.deepEqual(await lake.rows(), ["3 a", "4 B", "6 b"]);
    const state = (await lake.open().load())!;
    assert.deepEqual([state.files.size, state.rows], [2, 3n]);
    const [marked] = [...state.files.values()].filter(({ deleted }) => deleted !== undefined);
    assert.deepEqual([marked!.rows, [...marked!.deleted!.positions]], [5n, [1, 2, 4]]);
  }),
);

Deno.test(
  "a merge none of whose rows live any more is given up, and leaves nothing",
  onDeltaLake(async (lake) => {
    const table = await threeFiles(lake);
    const prepared = await merged(lake, table);
    await lake.commit(table, { truncate: true, upserts: [card(9, "new")] });
    assert.equal(await land(table, prepared), undefined);
    for (const path of prepared.paths) assert.equal(await lake.storage.stat(path), undefined);
    assert.deepEqual(await lake.rows(), ["9 new"]);
  }),
);

Deno.test(
  "columns may change while files are merged",
  onDeltaLake(async (lake) => {
    const table = await threeFiles(lake);
    const prepared = await merged(lake, table);
    const columns = [cards.columns[0]!, { name: "label", type: types.string, nullable: true }];
    await lake.commit(table, {
      schemaChanges: [{ kind: "renameColumn", from: "name", to: "label" }],
      definition: { ...cards, columns },
      removals: [{ id: "1" }],
    });
    assert.ok(await land(table, prepared));
    const { sql } = await table.scan((await lake.open().load())!);
    const labels = await lake.fixture.connection.value(`SELECT string_agg(label, '' ORDER BY id) FROM (${sql})`);
    assert.equal(labels, "babab");
  }),
);

Deno.test(
  "a table without deletion vectors gives a merge up that rows left meanwhile, and takes any other",
  onDeltaLake(async (lake) => {
    const table = await threeFiles(lake);
    const overtaken = await merged(lake, table);
    await lake.commit(table, { removals: [{ id: "1" }] });
    assert.equal(await land(table, overtaken), undefined);
    const prepared = await merged(lake, table);
    await lake.commit(table, { upserts: [card(7, "new")] });
    assert.ok(await land(table, prepared));
    assert.deepEqual(await lake.rows(), ["2 b", "3 a", "4 b", "5 a", "6 b", "7 new"]);
    assert.equal((await lake.open().load())!.files.size, 2);
  }, { deletes: "rewrite" }),
);

Deno.test(
  "files of one day are merged with each other alone",
  onDeltaLake(async (lake) => {
    const definition = {
      ...cards,
      columns: [...cards.columns, { name: "seen", type: types.timestamptz, nullable: true }],
      partitionByDay: "seen",
    };
    const table = lake.open();
    await table.create(definition);
    const at = (id: number, day: number) => ({ ...card(id, "x"), seen: `'2024-01-0${day} 12:00:00+00'` });
    for (const id of [1, 2]) await lake.commit(table, { definition, upserts: [at(id, 1), at(id + 10, 2)] });
    for (let round = 0; round < 2; round++) await land(table, await merged(lake, table));
    const state = (await lake.open().load())!;
    const folders = [...state.files.keys()].map((path) => path.slice(0, path.indexOf("/")));
    assert.deepEqual(folders.sort(), ["day=2024-01-01", "day=2024-01-02"]);
    assert.equal(planCompaction(state, policy), undefined);
    assert.equal((await lake.rows()).length, 4);
  }),
);

Deno.test(
  "old versions leave with what only they needed, never within the table's own retention",
  onDeltaLake(async (lake) => {
    const table = await threeFiles(lake);
    await lake.commit(table, { removals: [{ id: "1" }] });
    await land(table, await merged(lake, table));
    const now = { nowMs: Date.now() + 1000 };
    assert.deepEqual(await table.expire((await table.load())!, policy, now), { snapshots: 0, unneeded: [] });
    await lake.commit(table, { upserts: [card(8, "d")] });
    await lake.setProperties(7, {
      "delta.deletedFileRetentionDuration": "interval 0 seconds",
      "delta.logRetentionDuration": "interval 0 seconds",
    });
    await lake.commit(table, { upserts: [card(7, "c")] });
    const state = (await table.load())!;
    const rows = await lake.rows();
    const kept = await table.expire(state, { ...policy, keepSnapshotsMs: 3_600_000 }, now);
    assert.deepEqual(kept, { snapshots: 0, unneeded: [] }, "the policy keeps longer");
    const dry = await table.expire(state, policy, { ...now, dryRun: true });
    const { snapshots, unneeded, result } = await table.expire(state, policy, now);
    assert.deepEqual([dry.unneeded, dry.result], [unneeded, undefined]);
    assert.equal(result!.outcome, "committed");
    assert.equal(snapshots, 6, "a checkpoint stands for versions 0 to 5");
    for (const path of unneeded) await lake.storage.delete(path);
    assert.deepEqual(await lake.rows(), rows);
    assert.deepEqual((await lake.open().load())!.position, state.position);
    const scratch = `${lake.folder}/_delta_log/.${crypto.randomUUID()}.json`;
    await lake.storage.put(scratch, new Uint8Array(1));
    const referenced = await table.referenced(state);
    const others = (await lake.paths()).filter((path) => !referenced.has(path));
    assert.deepEqual(others, [scratch], "what a stopped checkpoint left is an orphan, and nothing else");
  }, checkpointEvery(3)),
);

Deno.test(
  "files of versions that the policy keeps are no orphans, though the table's own retention has passed",
  onDeltaLake(async (lake) => {
    const table = await threeFiles(lake);
    const [file] = [...(await table.load())!.files.values()];
    const remove = { path: file!.add.path, deletionTimestamp: 1, dataChange: true };
    await lake.foreign(4, [{ remove }, { txn: { appId: "other", version: 1n } }]);
    for (const id of [7, 8]) await lake.commit(table, { upserts: [card(id, "a")] });
    assert.equal((await table.load())!.checkpoint?.version, 6, "it does not name the file any more");
    const orphans = (keepSnapshotsMs: number) => {
      const worker = new UpkeepWorker(lake.fixture.connection);
      const kept = { ...policy, keepSnapshotsMs, orphanAgeMs: -60_000 };
      return new TableUpkeep({ table: lake.open(), storage: lake.storage, policy: kept, worker }).orphans();
    };
    assert.deepEqual((await orphans(0)).map(({ path }) => path), [`${lake.folder}/${remove.path}`]);
    assert.deepEqual(await orphans(3_600_000), []);
  }, { properties: { ...forgetful, [propertyNames.checkpointInterval]: "3" } }),
);

Deno.test(
  "an expiry by a process that has not seen the newest versions leaves the commit that names the position",
  onDeltaLake(async (lake) => {
    const table = lake.open();
    await table.create(cards);
    const behind = lake.open();
    const old = (await behind.load())!;
    for (let id = 1; id <= 4; id++) await lake.commit(table, { upserts: [card(id, "a")] });
    const newest = (await table.load())!;
    // Another writer's commits bring the next checkpoint about, and say nothing of the position.
    for (let version = 5; version <= 6; version++) {
      await lake.foreign(version, [{ commitInfo: { operation: "other" } }]);
    }
    const other = (await table.load())!;
    await writeCheckpoint({ ...lake, connection: lake.fixture.connection }, other);
    for (const state of [old, newest, other]) {
      const { unneeded } = await behind.expire(state, policy, { nowMs: Date.now() + 10 });
      for (const path of unneeded) await lake.storage.delete(path);
      assert.deepEqual((await lake.open().load())!.position, newest.position);
    }
    assert.ok(!(await lake.paths()).includes(lake.log(1)));
  }, { properties: forgetful }),
);
