/** The log over time: other writers, checkpoints, clean-up, vacuum, earlier versions, and what is damaged. */
import assert from "node:assert/strict";
import { checkpointEvery, DeltaLake, onDeltaLake } from "../../testing/delta_lake.ts";
import { card, cards } from "../../testing/table_lake.ts";
import { withDatabase } from "../../testing/temporary.ts";
import type { Action } from "./actions.ts";
import { cleanLog } from "./tidy_log.ts";

/** A table with two rows in one file, and the file. */
async function twoRows(lake: DeltaLake) {
  const table = lake.open();
  await table.create(cards);
  await lake.commit(table, { upserts: [card(1, "a"), card(2, "b")] });
  const state = (await table.load())!;
  return { table, state, file: [...state.files.values()][0]! };
}

/** What another writer does who compacts: the same rows in another file, without statistics. */
async function compacted(lake: DeltaLake, paths: readonly string[]): Promise<readonly Action[]> {
  const at = (path: string) => `${lake.fixture.folder}/${lake.folder}/${path}`;
  const list = paths.map((path) => `'${at(path)}'`);
  await lake.fixture.connection.run(`COPY (SELECT * FROM read_parquet([${list}])) TO '${at("other writer.parquet")}'`);
  const { bytes } = (await lake.storage.stat(`${lake.folder}/other writer.parquet`))!;
  return [
    ...paths.map((path) => ({ remove: { path, dataChange: false, deletionTimestamp: Date.now() } })),
    {
      add: { path: "other%20writer.parquet", partitionValues: {}, size: bytes, modificationTime: 1, dataChange: false },
    },
  ];
}

Deno.test(
  "another writer's compaction is followed: the position stays, and its rows are found by key",
  onDeltaLake(async (lake) => {
    const { table, state, file } = await twoRows(lake);
    const replacing = await table.prepare(state, await lake.change({ upserts: [card(1, "A")] }));
    await lake.foreign(2, await compacted(lake, [file.add.path]));
    assert.equal((await table.commit(table.stage(state, replacing))).outcome, "conflict");
    const newer = (await table.load())!;
    assert.deepEqual([newer.version, newer.rows, newer.position?.offset], [2, 2n, "0/1"]);
    assert.equal(table.stillFits(newer, replacing), false, "its rows stand in another file now");
    await lake.commit(table, { upserts: [card(1, "A")] });
    assert.deepEqual(await lake.rows(), ["1 A", "2 b"]);
  }),
);

Deno.test(
  "files prepared before another writer's commit are used again only where they still fit",
  onDeltaLake(async (lake) => {
    const { table, state } = await twoRows(lake);
    const loading = await table.prepare(state, await lake.change({ truncate: true, upserts: [card(5, "new")] }));
    const replacing = await table.prepare(state, await lake.change({ upserts: [card(7, "new")] }));
    await lake.foreign(2, [{ txn: { appId: "other", version: 7n } }]);
    const newer = (await table.load())!;
    assert.equal(table.stillFits(newer, loading), true);
    assert.equal(table.stillFits(newer, replacing), true, "nobody brought rows or took any");
    await lake.setProperties(3, { "delta.checkpointInterval": "7" });
    const changed = (await table.load())!;
    assert.equal(table.stillFits(changed, loading), false, "its rules are others now");
    await lake.commit(table, { upserts: [card(8, "last")] });
    const last = (await lake.open().load())!;
    assert.equal(last.metadata.configuration["delta.checkpointInterval"], "7");
    assert.equal(last.transactions.get("other")?.version, 7n);
  }),
);

Deno.test(
  "a table that another writer gave features or rules we do not keep is left alone",
  onDeltaLake(async (lake) => {
    const { state } = await twoRows(lake);
    const protocols = [
      { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ["typeWidening"], writerFeatures: ["typeWidening"] },
      { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["rowTracking"] },
      { minReaderVersion: 1, minWriterVersion: 4 },
    ];
    const { metadata } = state;
    const withProperty = (name: string, value: string) => ({
      metaData: { ...metadata, configuration: { ...metadata.configuration, [name]: value } },
    });
    const changes: readonly Action[] = [
      ...protocols.map((protocol) => ({ protocol })),
      withProperty("delta.appendOnly", "true"),
      withProperty("delta.columnMapping.mode", "id"),
      { metaData: { ...metadata, partitionColumns: ["gone"] } },
      { metaData: { ...metadata, schemaString: metadata.schemaString.replace(`"long"`, `"short"`) } },
    ];
    for (const change of changes) {
      await lake.foreign(2, [change]);
      await assert.rejects(() => lake.open().load(), { kind: "tableUnreadable" }, JSON.stringify(change));
      await lake.storage.delete(lake.log(2));
    }
  }),
);

Deno.test(
  "a new process reads the same from a checkpoint as from the whole log, position and removed files too",
  onDeltaLake(async (lake) => {
    const { table } = await twoRows(lake);
    for (let step = 0; step < 7; step++) {
      await lake.commit(table, { upserts: [card(1, `v${step}`), card(step + 10, "x")] });
    }
    await table.recordPosition((await table.load())!, { instance: "test:1/1", offset: "0/99" });
    const rows = await lake.rows(table);
    assert.deepEqual((await lake.open().load())!.checkpoint?.version, 9);
    for (let version = 0; version < 9; version++) await lake.storage.delete(lake.log(version));
    const fresh = (await lake.open().load())!;
    assert.deepEqual([fresh.version, fresh.position?.offset, fresh.rows], [9, "0/99", 9n]);
    assert.deepEqual(await lake.rows(), rows);
    assert.deepEqual((await lake.open().vacuum()).paths, [], "what was removed lately is needed still");
  }, checkpointEvery(3)),
);

Deno.test("a checkpoint takes little memory, however many threads write it", () =>
  withDatabase(async (fixture) => {
    const lake = new DeltaLake(fixture, checkpointEvery(2));
    const { table } = await twoRows(lake);
    await lake.commit(table, { upserts: [card(1, "A")] });
    assert.equal((await table.load())!.checkpoint?.version, 2);
    assert.deepEqual(await lake.rows(), ["1 A", "2 b"]);
  }, { threads: 4, memoryLimitBytes: 2 ** 27 }));

Deno.test(
  "the hint only saves work: lost, lying or rubbish, the table is found; a damaged checkpoint is named",
  onDeltaLake(async (lake) => {
    const { table } = await twoRows(lake);
    for (let step = 0; step < 4; step++) await lake.commit(table, { upserts: [card(step, "x")] });
    const rows = await lake.rows(table);
    const hint = `${lake.folder}/_delta_log/_last_checkpoint`;
    assert.deepEqual(JSON.parse(new TextDecoder().decode((await lake.storage.read(hint))!)).version, 4);
    for (const text of [`{"version":2}`, `{"version":77}`, "rubbish", ""]) {
      await lake.storage.put(hint, new TextEncoder().encode(text));
      assert.deepEqual(await lake.rows(), rows);
    }
    await lake.storage.delete(hint);
    assert.deepEqual(await lake.rows(), rows);
    const path = lake.log(4, "checkpoint.parquet");
    await lake.storage.put(path, new Uint8Array(20));
    await assert.rejects(() => lake.open().load(), { kind: "tableUnreadable", detail: { path } });
  }, checkpointEvery(2)),
);

Deno.test(
  "a process whose checkpoint another one removed goes on from the next, also where the hint names the removed one",
  onDeltaLake(async (lake) => {
    const { table } = await twoRows(lake);
    for (let step = 0; step < 2; step++) await lake.commit(table, { upserts: [card(step, "x")] });
    const behind = lake.open();
    assert.equal((await behind.load())!.checkpoint?.version, 2);
    for (let step = 0; step < 2; step++) await lake.commit(table, { upserts: [card(step, "y")] });
    for (let version = 0; version < 3; version++) await lake.storage.delete(lake.log(version));
    await lake.storage.delete(lake.log(2, "checkpoint.parquet"));
    await lake.storage.put(`${lake.folder}/_delta_log/_last_checkpoint`, new TextEncoder().encode(`{"version":2}`));
    const newer = (await behind.load())!;
    assert.deepEqual([newer.version, newer.checkpoint?.version], [5, 2]);
    assert.deepEqual(await behind.referenced(newer), await lake.open().referenced((await lake.open().load())!));
    await lake.commit(behind, { upserts: [card(7, "z")] });
    assert.equal((await lake.open().load())!.checkpoint?.version, 6);
  }, checkpointEvery(2)),
);

Deno.test(
  "a hole in the log, and any damaged file, is named",
  onDeltaLake(async (lake) => {
    const { table } = await twoRows(lake);
    await lake.commit(table, { upserts: [card(1, "A")] });
    await lake.commit(table, { upserts: [card(3, "c")] });
    const middle = (await lake.storage.read(lake.log(2)))!;
    await lake.storage.delete(lake.log(2));
    await assert.rejects(() => lake.open().load(), { kind: "tableUnreadable", detail: { path: lake.log(2) } });
    for (const text of ["{", "7", `{"add":{}}`]) {
      await lake.storage.put(lake.log(2), new TextEncoder().encode(text));
      await assert.rejects(() => lake.open().load(), { kind: "tableUnreadable", detail: { path: lake.log(2) } });
    }
    await lake.storage.put(lake.log(2), middle);
    const vector = (await lake.paths()).find((path) => path.endsWith(".bin"))!;
    await lake.storage.delete(vector);
    await assert.rejects(() => lake.open().load(), { kind: "tableUnreadable" });
  }),
);

Deno.test(
  "an earlier version shows what it held",
  onDeltaLake(async (lake) => {
    const { table } = await twoRows(lake);
    await lake.commit(table, { upserts: [card(2, "B")] });
    await lake.commit(table, { truncate: true, upserts: [card(3, "c")] });
    const expected = [[], ["1 a", "2 b"], ["1 a", "2 B"], ["3 c"]];
    for (const [version, rows] of expected.entries()) {
      assert.deepEqual(await lake.rows(table, (await table.loadVersion(version))!), rows);
    }
    await assert.rejects(() => table.loadVersion(4), { kind: "tableUnreadable" });
    assert.deepEqual(await lake.rows(), ["3 c"]);
  }, checkpointEvery(2)),
);

Deno.test(
  "states are scanned in any order: a row is gone from the commit on that deleted it, not from the scan that met it",
  onDeltaLake(async (lake) => {
    const { table } = await twoRows(lake);
    const states = [(await table.load())!];
    for (const content of [{ removals: [{ id: "1" }] }, { upserts: [card(3, "c")] }, { upserts: [card(4, "d")] }]) {
      await lake.commit(table, content);
      states.push((await table.load())!);
    }
    const expected = [["1 a", "2 b"], ["2 b"], ["2 b", "3 c"], ["2 b", "3 c", "4 d"]];
    for (const index of [3, 0, 2, 1, 3, 1]) assert.deepEqual(await lake.rows(table, states[index]), expected[index]);
    for (const index of [1, 3, 0]) {
      const loaded = (await table.loadVersion(states[index]!.version))!;
      assert.deepEqual(await lake.rows(table, loaded), expected[index]);
    }
  }, checkpointEvery(3)),
);

Deno.test(
  "old log files go once a checkpoint as old stands for them; the position and every row stay",
  onDeltaLake(async (lake) => {
    const { table } = await twoRows(lake);
    for (let step = 0; step < 6; step++) await lake.commit(table, { upserts: [card(step, "x")] });
    const state = (await table.load())!;
    const rows = await lake.rows();
    const place = { storage: lake.storage, connection: lake.fixture.connection, folder: lake.folder };
    assert.deepEqual(await cleanLog(place, state), [], "nothing is older than seven days");
    const old = new Date(Date.now() - 8 * 86_400_000);
    for (const version of [0, 1, 2, 3, 4, 5]) await Deno.utime(`${lake.fixture.folder}/${lake.log(version)}`, old, old);
    for (const version of [2, 4]) {
      await Deno.utime(`${lake.fixture.folder}/${lake.log(version, "checkpoint.parquet")}`, old, old);
    }
    const gone = await cleanLog(place, state);
    const first = lake.log(2, "checkpoint.parquet");
    assert.deepEqual(gone, [0, 1, 2, 3].map((version) => lake.log(version)).concat(first).sort(), "oldest first");
    assert.deepEqual(await lake.rows(), rows);
    assert.deepEqual((await lake.open().load())!.position, state.position);
    await assert.rejects(() => lake.open().loadVersion(3), { kind: "tableUnreadable" });
  }, checkpointEvery(2)),
);

Deno.test(
  "a position whose commit another writer cleaned away is unknown, never a wrong one",
  onDeltaLake(async (lake) => {
    const { table, file } = await twoRows(lake);
    await lake.commit(table, { upserts: [card(3, "c")] });
    await lake.foreign(3, await compacted(lake, [file.add.path]));
    await lake.foreign(4, [{ txn: { appId: "other", version: 1n } }]);
    assert.deepEqual((await lake.open().load())!.position?.offset, "0/2");
    for (const version of [0, 1, 2]) await lake.storage.delete(lake.log(version));
    const fresh = (await lake.open().load())!;
    assert.deepEqual([fresh.version, fresh.rows, fresh.position], [4, 3n, undefined]);
  }, checkpointEvery(2)),
);

Deno.test(
  "a vacuum names, and only when told deletes, what is old and needed by nobody",
  onDeltaLake(async (lake) => {
    const { table } = await twoRows(lake);
    await lake.commit(table, { upserts: [card(1, "A")] });
    await lake.commit(table, { upserts: [card(1, "AA")] });
    await lake.commit(table, { truncate: true, upserts: [card(5, "e"), card(6, "f")] });
    await lake.commit(table, { upserts: [card(6, "F")] });
    const stray = `${lake.folder}/day=2024-01-01/left-behind.parquet`;
    await lake.storage.put(stray, new Uint8Array(10));
    const old = new Date(Date.now() - 8 * 86_400_000);
    for (const path of await lake.paths()) await Deno.utime(`${lake.fixture.folder}/${path}`, old, old);
    assert.deepEqual((await table.vacuum()).paths, [stray], "removed files are needed by versions of the last days");
    await lake.setProperties(6, { "delta.deletedFileRetentionDuration": "interval 0 seconds" });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const named = await lake.open().vacuum();
    assert.equal(named.paths.length, 5, "three data files, a vector and the stray one");
    assert.equal((await lake.storage.stat(stray))?.bytes, 10, "a dry run");
    const done = await lake.open().vacuum({ dryRun: false });
    assert.deepEqual([done.paths, done.isDryRun], [named.paths, false]);
    assert.equal(await lake.storage.stat(stray), undefined);
    assert.deepEqual(await lake.rows(), ["5 e", "6 F"]);
    assert.deepEqual((await lake.open().vacuum()).paths, []);
  }, checkpointEvery(3)),
);
