import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import { definition, type Lake, onLake, row } from "../../testing/iceberg_lake.ts";
import type { UpkeepPolicy } from "../upkeep.ts";
import type { IcebergTable } from "./iceberg_table.ts";
import type { PointInHistory } from "./time_travel.ts";

const policy: UpkeepPolicy = {
  targetFileBytes: 2 ** 20,
  mergeFiles: 2,
  deletedShare: 0.3,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};

async function namesAt(lake: Lake, point: PointInHistory): Promise<unknown> {
  const table = lake.open();
  const state = await table.at((await table.load())!, point);
  if (state === undefined) return undefined;
  const { sql } = await table.scan(state);
  return await lake.fixture.connection.value(
    `SELECT coalesce(string_agg(id || name, ' ' ORDER BY id), '') FROM (${sql})`,
  );
}

/** Replaces row 1 and adds one, five times; gives the snapshots. */
async function fiveCommits(lake: Lake, table: IcebergTable): Promise<bigint[]> {
  await table.create(definition);
  const snapshots: bigint[] = [];
  for (let step = 1; step <= 5; step++) {
    await lake.commit(table, { upserts: [row(1, 0, `v${step}`), row(1 + step, 0, "x")] });
    snapshots.push((await table.load())!.snapshotId!);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  return snapshots;
}

async function expire(lake: Lake, table: IcebergTable, nowMs = Date.now() + 1): Promise<number> {
  const expiry = await table.expire((await table.load())!, policy, { nowMs });
  for (const path of expiry.unneeded) await lake.storage.delete(path);
  const fresh = lake.open();
  assert.deepEqual(await lake.paths(), [...await fresh.referenced((await fresh.load())!)].sort());
  return expiry.snapshots;
}

Deno.test(
  "a table is read as it was: by snapshot, by time, by tag",
  onLake(async (lake) => {
    const table = lake.open();
    const snapshots = await fiveCommits(lake, table);
    const { metadata, position } = (await table.load())!;
    await table.setRef((await table.load())!, "second", { type: "tag", snapshotId: snapshots[1]! });
    assert.equal(await namesAt(lake, { snapshotId: snapshots[0]! }), "1v1 2x");
    assert.equal(await namesAt(lake, { ref: "second" }), "1v2 2x 3x");
    assert.equal(await namesAt(lake, { ref: "main" }), "1v5 2x 3x 4x 5x 6x");
    const thirdMs = metadata["snapshot-log"][2]!["timestamp-ms"];
    assert.equal(await namesAt(lake, { timeMs: thirdMs }), "1v3 2x 3x 4x");
    assert.equal(await namesAt(lake, { timeMs: metadata["snapshot-log"][3]!["timestamp-ms"] - 1 }), "1v3 2x 3x 4x");
    assert.equal(await namesAt(lake, { timeMs: 0 }), undefined);
    assert.equal(await namesAt(lake, { ref: "third" }), undefined);
    assert.equal(await namesAt(lake, { snapshotId: 5n }), undefined);
    const past = (await table.at((await table.load())!, { snapshotId: snapshots[1]! }))!;
    assert.deepEqual([past.position?.offset, past.rows, position?.offset], ["0/2", 3n, "0/5"]);
    const prepared = await table.prepare(past, await lake.change({ upserts: [row(9, 9, "no")] }));
    assert.equal((await table.commit(table.stage(past, prepared))).outcome, "conflict", "the past is not written on");
  }),
);

Deno.test(
  "an older snapshot has the columns of its time",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a")] });
    const first = (await table.load())!.snapshotId!;
    const column = { name: "note", type: types.string, nullable: true };
    const wider = { ...definition, columns: [...definition.columns, column] };
    await lake.commit(table, {
      definition: wider,
      schemaChanges: [{ kind: "addColumn", column }],
      upserts: [row(2, 0, "b")],
    });
    const newest = (await table.load())!;
    await table.setRef(newest, "old", { type: "tag", snapshotId: first });
    await table.setRef((await table.load())!, "work", { type: "branch", snapshotId: first });
    const columns = async (point: PointInHistory) =>
      (await table.at((await table.load())!, point))!.columns.map(({ name }) => name).join(" ");
    assert.equal(await columns({ ref: "old" }), "id ordinal name");
    assert.equal(await columns({ ref: "work" }), "id ordinal name note");
  }),
);

Deno.test(
  "what a tag names is kept through merges and expiry, and leaves with it",
  onLake(async (lake) => {
    const table = lake.open();
    const snapshots = await fiveCommits(lake, table);
    await table.setRef((await table.load())!, "second", { type: "tag", snapshotId: snapshots[1]! });
    const base = (await table.load())!;
    const prepared = await table.compact(base, table.planCompaction(base, policy)!, lake.fixture.connection);
    await table.commit(table.stage(base, (await table.rebase(base, prepared))!));
    assert.equal(await expire(lake, table), 4);
    assert.equal(await namesAt(lake, { ref: "second" }), "1v2 2x 3x");
    assert.equal(await namesAt(lake, { snapshotId: snapshots[0]! }), undefined);
    await lake.commit(table, { upserts: [row(7, 0, "y")] });
    assert.equal(await expire(lake, table), 1);
    assert.equal(await namesAt(lake, { ref: "second" }), "1v2 2x 3x");
    await table.dropRef((await table.load())!, "second");
    assert.equal(await expire(lake, table), 1);
    assert.equal(await namesAt(lake, { ref: "second" }), undefined);
    assert.equal(await namesAt(lake, { ref: "main" }), "1v5 2x 3x 4x 5x 6x 7y");
    assert.equal((await table.load())!.position?.offset, "0/6");
  }),
);

Deno.test(
  "branches keep as many snapshots as they say, and refs leave at their own age, but never main",
  onLake(async (lake) => {
    const table = lake.open();
    const snapshots = await fiveCommits(lake, table);
    const set = async (name: string, ref: Parameters<IcebergTable["setRef"]>[2]) => {
      assert.equal((await table.setRef((await table.load())!, name, ref)).outcome, "committed");
    };
    await set("work", { type: "branch", snapshotId: snapshots[2]!, minSnapshotsToKeep: 2 });
    await set("brief", { type: "tag", snapshotId: snapshots[0]!, maxRefAgeMs: 3_600_000 });
    assert.equal(await expire(lake, table), 1);
    assert.equal(await namesAt(lake, { ref: "brief" }), "1v1 2x");
    assert.equal(await namesAt(lake, { snapshotId: snapshots[1]! }), "1v2 2x 3x");
    assert.equal(await expire(lake, table, Date.now() + 7_200_000), 1);
    assert.deepEqual(Object.keys((await lake.open().load())!.metadata.refs!).sort(), ["main", "work"]);
    assert.equal(await namesAt(lake, { ref: "work" }), "1v3 2x 3x 4x");
  }),
);

Deno.test(
  "names that cannot be are refused",
  onLake(async (lake) => {
    const table = lake.open();
    const state = await table.create(definition);
    await assert.rejects(() => table.setRef(state, "early", { type: "tag" }), /no snapshot yet/);
    await lake.commit(table, { upserts: [row(1, 0, "a")] });
    const newer = (await table.load())!;
    await assert.rejects(() => table.setRef(newer, "main", { type: "tag" }), RangeError);
    await assert.rejects(() => table.dropRef(newer, "main"), RangeError);
    await assert.rejects(() => table.dropRef(newer, "none"), RangeError);
    await assert.rejects(() => table.setRef(newer, "lost", { type: "tag", snapshotId: 1n }), RangeError);
    await table.setRef(newer, "one", { type: "tag" });
    await assert.rejects(async () => table.setRef((await table.load())!, "one", { type: "branch" }), RangeError);
  }),
);

Deno.test(
  "an older state that is first asked for after newer ones has its own deleted rows",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a"), row(2, 0, "b"), row(3, 0, "c")] });
    await lake.commit(table, { upserts: [row(1, 0, "A")] });
    await lake.commit(table, { upserts: [row(4, 0, "d")] });
    const then = (await table.load())!;
    await lake.commit(table, { upserts: [row(5, 0, "e")] });
    const names = async (state: typeof then) =>
      await lake.fixture.connection.value(
        `SELECT string_agg(name, '' ORDER BY id) FROM (${(await table.scan(state)).sql})`,
      );
    assert.equal(await names((await table.load())!), "Abcde");
    assert.equal(await names(then), "Abcd");
    await lake.commit(table, { upserts: [row(2, 0, "B")] });
    assert.equal(await names((await table.load())!), "ABcde");
    assert.equal(await names(then), "Abcd");
  }),
);
