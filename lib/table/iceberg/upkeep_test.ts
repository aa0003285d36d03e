import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import { armFailPoints } from "../../fail_point.ts";
import { failOnceAt } from "../../testing/crash_at.ts";
import { definition, eagerPolicy as policy, key, type Lake, onLake, row } from "../../testing/iceberg_lake.ts";
import { icebergFailPoints, icebergUpkeepFailPoints } from "./fail_points.ts";
import type { IcebergTable } from "./iceberg_table.ts";
import { readFiles } from "./parquet_fields.ts";

/** Merges what is due, with something happening while files are merged. */
async function merge(lake: Lake, table: IcebergTable, meanwhile = async () => {}): Promise<void> {
  const base = (await table.load())!;
  const plan = table.planCompaction(base, policy);
  assert.ok(plan !== undefined, "something to merge");
  const connection = await lake.fixture.database.connect();
  try {
    const prepared = await table.compact(base, plan, connection);
    await meanwhile();
    const state = (await table.load())!;
    const fitted = await table.rebase(state, prepared);
    assert.ok(fitted !== undefined, "it fits");
    assert.equal((await table.commit(table.stage(state, fitted))).outcome, "committed");
  } finally {
    connection.close();
  }
}

/** Expires down to the newest snapshot and removes what that leaves. */
async function expire(lake: Lake, table: IcebergTable): Promise<number> {
  const expiry = await table.expire((await table.load())!, policy, { nowMs: Date.now() + 1 });
  assert.equal(expiry.result?.outcome, "committed");
  for (const path of expiry.unneeded) {
    assert.ok(await lake.storage.stat(path), `${path} was there`);
    await lake.storage.delete(path);
  }
  return expiry.snapshots;
}

async function filesAreThoseReferred(lake: Lake): Promise<void> {
  const fresh = lake.open();
  assert.deepEqual(await lake.paths(), [...await fresh.referenced((await fresh.load())!)].sort());
}

for (const formatVersion of [2, 3] as const) {
  Deno.test(
    `v${formatVersion}: merged files hold the living rows, and the table its position`,
    onLake(async (lake) => {
      const table = lake.open({ formatVersion });
      await table.create(definition);
      await lake.commit(table, { upserts: [row(1, 0, "a"), row(1, 1, "b"), row(2, 0, "c")] });
      await lake.commit(table, { upserts: [row(1, 1, "B"), row(3, 0, "d")], removals: [key(2, 0)] });
      await lake.commit(table, { upserts: [row(4, 0, "e")] });
      const before = (await table.load())!;
      await merge(lake, table);
      const after = (await lake.open().load())!;
      assert.deepEqual(await lake.rows(), ["1/0 a", "1/1 B", "3/0 d", "4/0 e"]);
      assert.deepEqual([after.files.size, after.rows, after.position], [1, 4n, before.position]);
      const { summary } = after.metadata.snapshots.at(-1)!;
      assert.equal(summary.operation, "replace");
      assert.equal(summary["weir.position"], "test:1/1@0/3");
      assert.deepEqual([summary["total-data-files"], summary["total-records"], summary["total-delete-files"]], [
        "1",
        "4",
        "0",
      ]);
      assert.equal(table.planCompaction(after, policy), undefined);
      await lake.commit(table, { upserts: [row(1, 0, "aa")], removals: [key(4, 0)] });
      assert.deepEqual(await lake.rows(), ["1/0 aa", "1/1 B", "3/0 d"]);
    }),
  );

  Deno.test(
    `v${formatVersion}: what is deleted while files are merged is deleted from the merged file`,
    onLake(async (lake) => {
      const table = lake.open({ formatVersion });
      await table.create(definition);
      const rows = (id: number, count: number) =>
        Array.from({ length: count }, (_, ordinal) => row(id, ordinal, `${id}`));
      await lake.commit(table, { upserts: rows(1, 20) });
      await lake.commit(table, { upserts: rows(2, 20) });
      await lake.commit(table, { upserts: rows(3, 2) });
      await lake.commit(table, { removals: [key(1, 0), key(1, 7), key(1, 19), key(2, 3)] });
      await merge(lake, table, async () => {
        await lake.commit(table, { upserts: [row(1, 8, "new"), row(2, 0, "new")], removals: [key(1, 1), key(1, 18)] });
        // One input leaves altogether, one loses more, and a file comes.
        await lake.commit(table, { removals: [key(3, 0), key(3, 1), key(2, 19)] });
        await lake.commit(table, { upserts: [row(1, 8, "newer")] });
      });
      const expected = [
        ...[2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 16, 17].map((ordinal) => `1/${ordinal} 1`),
        ...[1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18].map((ordinal) => `2/${ordinal} 2`),
        "1/8 newer",
        "2/0 new",
      ].sort();
      assert.deepEqual((await lake.rows(table)).toSorted(), expected);
      assert.deepEqual((await lake.rows()).toSorted(), expected);
      const state = (await lake.open().load())!;
      assert.equal(state.position?.offset, "0/7");
      await lake.commit(table, { removals: [{ id: "1" }], scope: ["id"] });
      await merge(lake, table);
      assert.deepEqual((await lake.rows()).toSorted(), expected.filter((name) => name.startsWith("2")));
      await expire(lake, table);
      await filesAreThoseReferred(lake);
    }),
  );
}

Deno.test(
  "a merge of files that all left meanwhile does not fit, and giving it up leaves no file",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    for (const id of [1, 2]) await lake.commit(table, { upserts: [row(id, 0, "a")] });
    const base = (await table.load())!;
    const prepared = await table.compact(base, table.planCompaction(base, policy)!, lake.fixture.connection);
    await lake.commit(table, { truncate: true, upserts: [row(9, 0, "z")] });
    assert.equal(await table.rebase((await table.load())!, prepared), undefined);
    await table.discard(prepared);
    await filesAreThoseReferred(lake);
    assert.deepEqual(await lake.rows(), ["9/0 z"]);
  }),
);

Deno.test(
  "columns that change while files are merged are those of the newer schema",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    for (const id of [1, 2]) await lake.commit(table, { upserts: [row(id, 0, `${id}`)] });
    const column = { name: "note", type: types.string, nullable: true };
    const wider = { ...definition, columns: [...definition.columns, column] };
    await merge(lake, table, async () => {
      await lake.commit(table, { definition: wider, schemaChanges: [{ kind: "addColumn", column }] });
    });
    const state = (await lake.open().load())!;
    assert.deepEqual(state.columns.map(({ name }) => name), ["id", "ordinal", "name", "note"]);
    assert.deepEqual(await lake.rows(), ["1/0 1", "2/0 2"]);
  }),
);

Deno.test(
  "a row keeps its id and the number of the commit that changed it last through every merge",
  onLake(async (lake) => {
    const table = lake.open({ formatVersion: 3 });
    await table.create(definition);
    const lineage = async () => {
      const state = (await lake.open().load())!;
      const columns = [
        { id: 1, name: "id", required: true, type: "long" },
        { id: 2147483540, name: "row", required: false, type: "long" },
        { id: 2147483539, name: "changed", required: false, type: "long" },
      ];
      const found = await Promise.all([...state.files.values()].map(async ({ entry: { file, sequenceNumber } }) => {
        const stored = lake.storage.path(file.file_path);
        using readable = await lake.storage.readable([stored]);
        const path = readable.duckdbPath(stored);
        const rows = await lake.fixture.connection.rows(
          `SELECT c1 AS id, coalesce(c2147483540, ${file.first_row_id} + file_row_number) AS row,
                  coalesce(c2147483539, ${sequenceNumber}) AS changed FROM ${readFiles([path], columns)}`,
        );
        return rows.map((each) => [Number(each.id), Number(each.row), Number(each.changed)]);
      }));
      return found.flat().toSorted(([a], [b]) => a! - b!);
    };
    await lake.commit(table, { upserts: [row(1, 0, "a"), row(2, 0, "b")] });
    await lake.commit(table, { upserts: [row(3, 0, "c")] });
    const first = [[1, 0, 1], [2, 1, 1], [3, 2, 2]];
    assert.deepEqual(await lineage(), first);
    await merge(lake, table);
    assert.deepEqual(await lineage(), first);
    await lake.commit(table, { upserts: [row(4, 0, "d"), row(5, 0, "e")] });
    await lake.commit(table, { removals: [key(1, 0), key(4, 0)] });
    const later = (await lineage()).filter(([id]) => id !== 1 && id !== 4);
    await merge(lake, table);
    assert.deepEqual(await lineage(), later);
    assert.deepEqual(later.slice(0, 2), first.slice(1));
    assert.equal(new Set(later.map(([, id]) => id)).size, 3);
  }),
);

for (const process of ["the same process", "a new process"]) {
  Deno.test(
    `expiry by ${process} leaves exactly the files that kept snapshots need`,
    onLake(async (lake) => {
      let table = lake.open();
      await table.create(definition);
      const reopen = () => process === "a new process" ? lake.open() : table;
      for (let round = 0; round < 4; round++) {
        for (let step = 0; step < 3; step++) {
          const upserts = [row(step, 0, "x"), row(round, 1, "y"), row(100 + round, step, `${step}`)];
          await lake.commit(table, { upserts, removals: [key(100 + round - 1, step)] });
        }
        if (round % 2 === 0) await merge(lake, table);
        const before = await lake.rows();
        table = reopen();
        assert.ok(await expire(lake, table) >= 3);
        await filesAreThoseReferred(lake);
        assert.deepEqual(await lake.rows(), before);
        assert.equal((await lake.open().load())!.position?.offset, `0/${3 * (round + 1)}`);
      }
      assert.deepEqual((await table.expire((await table.load())!, policy, { nowMs: Date.now() + 1 })).snapshots, 0);
    }),
  );
}

Deno.test(
  "a dry run of expiry names the files and changes nothing",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    for (let step = 0; step < 3; step++) await lake.commit(table, { truncate: true, upserts: [row(step, 0, "x")] });
    const [before, version] = [await lake.paths(), (await table.load())!.version];
    const state = (await table.load())!;
    const dry = await table.expire(state, policy, { nowMs: Date.now() + 1, dryRun: true });
    assert.deepEqual([dry.snapshots, dry.result], [2, undefined]);
    assert.deepEqual([await lake.paths(), (await lake.open().load())!.version], [before, version]);
    const real = await table.expire(state, policy, { nowMs: Date.now() + 1 });
    assert.deepEqual(real.unneeded, dry.unneeded);
  }),
);

Deno.test(
  "snapshots stay by age and by number",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    for (let step = 0; step < 5; step++) await lake.commit(table, { upserts: [row(step, 0, "x")] });
    const state = (await table.load())!;
    const left = async (keepSnapshotsMs: number, keepSnapshots: number, mostSnapshots?: number) => {
      const options = { nowMs: Date.now() + 1000, dryRun: true };
      const kept = { ...policy, keepSnapshotsMs, keepSnapshots, mostSnapshots };
      return (await table.expire(state, kept, options)).snapshots;
    };
    assert.equal(await left(3_600_000, 1), 0);
    assert.equal(await left(0, 1), 4);
    assert.equal(await left(0, 4), 1);
    assert.equal(await left(0, 9), 0);
    assert.equal(await left(3_600_000, 1, 2), 3);
    assert.equal(await left(3_600_000, 3, 2), 2);
  }),
);

Deno.test(
  "a failure at any step of upkeep loses no row and no file that is needed",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    const commits = icebergFailPoints.filter((point) => !/DataFiles|DeleteFiles/.test(point));
    const passed = new Set<string>();
    for (const [round, point] of [...icebergUpkeepFailPoints, ...commits].entries()) {
      await lake.commit(table, { upserts: [row(round, 0, point), row(round, 1, point)] });
      await lake.commit(table, { upserts: [row(round, 2, point)] });
      const meanwhile = async () => {
        armFailPoints(undefined);
        await lake.commit(table, { removals: [key(round, 0)] });
        failOnceAt(point);
      };
      failOnceAt(point);
      await merge(lake, table, meanwhile).then(() => {}, () => passed.add(point));
      failOnceAt(point);
      await expire(lake, table).then(() => {}, () => passed.add(`${point} of expiry`));
      armFailPoints(undefined);
      const fresh = lake.open();
      await lake.commit(fresh, { removals: [key(round, 0)] });
      assert.deepEqual((await lake.rows()).length, 2 * (round + 1), point);
      const needed = await fresh.referenced((await fresh.load())!);
      for (const path of needed) assert.ok(await lake.storage.stat(path), `${path} after ${point}`);
    }
    assert.ok(passed.size >= icebergUpkeepFailPoints.length + commits.length - 1, [...passed].join());
  }),
);
