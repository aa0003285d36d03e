import assert from "node:assert/strict";
import type { Scan } from "../../change/sink.ts";
import { definition, folder, key, onLake, row } from "../../testing/iceberg_lake.ts";
import { relationOf } from "../../testing/relations.ts";
import type { UpkeepPolicy } from "../upkeep.ts";

const policy: UpkeepPolicy = {
  targetFileBytes: 2 ** 20,
  mergeFiles: 4,
  deletedShare: 0.5,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};

for (const formatVersion of [2, 3] as const) {
  Deno.test(
    `v${formatVersion}: rows are added, replaced and removed, and a new process reads the same`,
    onLake(async (lake) => {
      const table = lake.open({ formatVersion });
      await table.create(definition);
      await lake.commit(table, { upserts: [row(1, 0, "a"), row(1, 1, "b"), row(2, 0, "c")] });
      await lake.commit(table, { upserts: [row(1, 1, "B"), row(3, 0, "d")], removals: [key(2, 0), key(3, 0)] });
      assert.deepEqual(await lake.rows(table), ["1/0 a", "1/1 B", "3/0 d"]);
      const result = await lake.commit(table, { upserts: [row(1, 1, "bb")], removals: [{ id: "3" }], scope: ["id"] });
      assert.equal(result.outcome === "committed" && result.rows, 2n);
      assert.deepEqual(await lake.rows(table), ["1/0 a", "1/1 bb"]);
      assert.deepEqual(await lake.rows(), ["1/0 a", "1/1 bb"]);
      const state = (await lake.open().load())!;
      assert.deepEqual([state.rows, state.position?.offset], [2n, "0/3"]);
    }),
  );
}

Deno.test(
  "truncate takes what was there and keeps what comes with it",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a"), row(2, 0, "b")] });
    await lake.commit(table, { upserts: [row(1, 0, "A")] });
    await lake.commit(table, { truncate: true, upserts: [row(2, 0, "new")] });
    assert.deepEqual(await lake.rows(), ["2/0 new"]);
    await lake.commit(table, { truncate: true });
    assert.deepEqual(await lake.rows(), []);
  }),
);

Deno.test(
  "a file without a living row leaves the table with its deletes",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a"), row(2, 0, "b")] });
    await lake.commit(table, { upserts: [row(1, 0, "A")] });
    await lake.commit(table, { removals: [key(2, 0)] });
    const state = (await lake.open().load())!;
    assert.equal(state.files.size, 1);
    assert.equal([...state.files.values()][0]!.deletes, undefined);
    const summary = state.metadata.snapshots.at(-1)!.summary;
    assert.equal(summary["total-data-files"], "1");
    assert.equal(summary["total-delete-files"], "0");
    assert.equal(summary.operation, "delete");
  }),
);

Deno.test(
  "a scan text keeps giving the rows of its own state",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a"), row(2, 0, "b"), row(3, 0, "c")] });
    await lake.commit(table, { upserts: [row(1, 0, "A")] });
    const old = (await table.load())!;
    const before = await table.scan(old);
    await lake.commit(table, { upserts: [row(2, 0, "B")] });
    await table.scan((await table.load())!);
    const count = ({ sql }: Scan) =>
      lake.fixture.connection.value(`SELECT string_agg(name, ',' ORDER BY name) FROM (${sql})`);
    assert.equal(await count(before), "A,b,c");
    assert.equal(await count(await table.scan(old)), "A,b,c");
    assert.equal(await count(await table.scan((await table.load())!)), "A,B,c");
  }),
);

Deno.test(
  "progress is recorded without a snapshot",
  onLake(async (lake) => {
    const table = lake.open();
    const result = await table.recordPosition(await table.create(definition), { instance: "x", offset: "9" });
    assert.equal(result.outcome, "committed");
    const state = (await lake.open().load())!;
    assert.deepEqual(state.position, { instance: "x", offset: "9" });
    assert.equal(state.snapshotId, undefined);
  }),
);

Deno.test(
  "files prepared before a foreign commit are used again only where they still fit",
  onLake(async (lake) => {
    const [table, other] = [lake.open(), lake.open()];
    const state = await table.create(definition);
    const replacing = await table.prepare(state, await lake.change({ upserts: [row(1, 0, "mine")] }));
    const upserts = await relationOf(lake.fixture.connection, {
      definition,
      rows: [row(5, 0, "new")],
      replaces: false,
    });
    const loading = await table.prepare(state, { ...await lake.change({ truncate: true }), upserts });
    await lake.commit(other, { upserts: [row(1, 0, "theirs")] });
    const newer = (await table.load())!;
    assert.equal(table.stillFits(newer, replacing), false);
    assert.equal(table.stillFits(newer, loading), true);
    await table.commit(table.stage(newer, loading));
    assert.deepEqual(await lake.rows(), ["5/0 new"]);
  }),
);

Deno.test(
  "a damaged file is named",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a"), row(2, 0, "b")] });
    await lake.commit(table, { upserts: [row(1, 0, "A")] });
    const kinds = [/v3\.metadata\.json$/, /snap-.*\.avro$/, /-m0\.avro$/, /\.puffin$/];
    for (const kind of kinds) {
      const list = (await lake.open().load())!.metadata.snapshots.at(-1)!["manifest-list"];
      const path = (await lake.paths()).find((each) =>
        kind.source.includes("snap") ? list.endsWith(each) : kind.test(each)
      )!;
      const whole = (await lake.storage.read(path))!;
      await lake.storage.put(path, whole.subarray(0, 20));
      await assert.rejects(() => lake.open().load(), { kind: "tableUnreadable", detail: { path } });
      await lake.storage.delete(path);
      if (!path.endsWith(".json")) {
        await assert.rejects(() => lake.open().load(), { kind: "tableUnreadable", detail: { path } });
      }
      await lake.storage.put(path, whole);
    }
    assert.deepEqual(await lake.rows(), ["1/0 A", "2/0 b"]);
  }),
);

Deno.test(
  "a lost or lying hint does not hide the table",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, { upserts: [row(1, 0, "a")] });
    await lake.commit(table, { upserts: [row(2, 0, "b")] });
    const hint = `${folder}/metadata/version-hint.text`;
    assert.equal(new TextDecoder().decode(await lake.storage.read(hint)), "3");
    for (const text of ["1", "77", "rubbish", ""]) {
      await lake.storage.put(hint, new TextEncoder().encode(text));
      assert.equal((await lake.open().load())!.version, 3);
    }
    await lake.storage.delete(hint);
    assert.equal((await lake.open().load())!.version, 3);
  }),
);

Deno.test(
  "metadata stays bounded over many commits",
  onLake(async (lake) => {
    const table = lake.open();
    await table.create(definition);
    const first = await lake.metadata(1);
    const properties = {
      ...first.properties,
      "commit.manifest.min-count-to-merge": "5",
      "write.metadata.previous-versions-max": "4",
    };
    await lake.storage.put(
      `${folder}/metadata/v1.metadata.json`,
      new TextEncoder().encode(JSON.stringify({ ...first, properties })),
    );
    const fresh = lake.open();
    for (let step = 0; step < 30; step++) {
      await lake.commit(fresh, { upserts: [row(step, 0, "x"), row(100, 0, `${step}`), row(step, 1, "y")] });
      const now = { nowMs: Date.now() + 1 };
      if (step % 6 === 5) await fresh.expire((await fresh.load())!, { ...policy, keepSnapshots: 3 }, now);
    }
    const state = (await lake.open().load())!;
    assert.equal(state.rows, 61n);
    assert.equal((await lake.rows()).length, 61);
    const json = await lake.metadata(36);
    assert.equal(json.snapshots.length, 3);
    assert.ok(json["snapshot-log"].length <= 3);
    assert.equal(json["metadata-log"].length, 4);
    assert.equal((await lake.paths()).filter((path) => path.endsWith(".metadata.json")).length, 5);
    assert.ok(state.manifests.length <= 10, `${state.manifests.length} manifests`);
    assert.equal(json.snapshots.at(-1)!.summary["total-data-files"], String(state.files.size));
    const ids = [...state.files.values()].map(({ entry: { file } }) =>
      [file.first_row_id!, file.record_count] as const
    );
    ids.sort(([a], [b]) => a < b ? -1 : 1).reduce((end, [start, rows]) => {
      assert.ok(start >= end, "row ids do not overlap");
      return start + rows;
    }, 0n);
  }),
);
