/** What a log says of the past: which versions can be read still, at which positions, and what lies between two of them. */
import assert from "node:assert/strict";
import { checkpointEvery, type DeltaLake, onDeltaLake } from "../../testing/delta_lake.ts";
import { card, cards } from "../../testing/table_lake.ts";
import type { DeltaTable } from "./delta_table.ts";
import { cleanLog } from "./tidy_log.ts";

const at = (offset: number) => ({ instance: "test:1/1", offset: `0/${offset}` });

/** `version position after` of each version that is kept. */
async function told(table: DeltaTable): Promise<string[]> {
  const kept = await table.history((await table.load())!);
  return kept.map(({ id, position, after }) => `${id} ${position?.offset ?? "-"} ${after?.offset ?? "-"}`);
}

async function cardsTable(lake: DeltaLake): Promise<DeltaTable> {
  const table = lake.open();
  await table.create(cards);
  return table;
}

Deno.test(
  "a version tells where it begins and how far it came; what changed no rows begins where it ends",
  onDeltaLake(async (lake) => {
    const table = await cardsTable(lake);
    assert.deepEqual(await told(table), [], "it has never had a row");
    await lake.commit(table, { upserts: [card(1, "a")], position: at(1) });
    await lake.commit(table, { upserts: [card(2, "b")], after: at(3), position: at(4) });
    await table.recordPosition((await table.load())!, at(6));
    await lake.foreign(4, [{ commitInfo: { operation: "VACUUM END", timestamp: 1 } }]);
    await table.recordPosition((await table.load())!, undefined);
    await lake.foreign(6, [{ txn: { appId: "other", version: 1n } }]);
    const versions = ["1 0/1 -", "2 0/4 0/3", "3 0/6 0/6", "4 0/6 0/6", "5 - -", "6 - -"];
    assert.deepEqual(await told(table), versions);
    assert.deepEqual(await told(lake.open()), versions, "a new process finds the same");
  }),
);

Deno.test(
  "rows that another writer changed are at no position that we know",
  onDeltaLake(async (lake) => {
    const table = await cardsTable(lake);
    await lake.commit(table, { upserts: [card(1, "a")], position: at(1) });
    const [file] = (await table.load())!.files.values();
    const { path } = file!.add;
    await lake.foreign(2, [{ remove: { path, dataChange: true, deletionTimestamp: Date.now() } }]);
    await lake.foreign(3, [{ txn: { appId: "other", version: 1n } }]);
    assert.deepEqual(await told(table), ["1 0/1 -", "2 - -", "3 - -"]);
  }),
);

Deno.test(
  "versions whose log or files have left are not kept",
  onDeltaLake(async (lake) => {
    const table = await cardsTable(lake);
    for (let step = 1; step <= 6; step++) await lake.commit(table, { truncate: true, upserts: [card(step, "x")] });
    const newest = (await table.load())!;
    assert.equal((await table.history(newest)).length, 6);
    const old = new Date(Date.now() - 8 * 86_400_000);
    const logs = [0, 1, 2, 3].map((version) => lake.log(version)).concat(lake.log(2, "checkpoint.parquet"));
    for (const path of [...logs, lake.log(4, "checkpoint.parquet")]) {
      await Deno.utime(`${lake.fixture.folder}/${path}`, old, old);
    }
    const place = { storage: lake.storage, connection: lake.fixture.connection, folder: lake.folder };
    assert.deepEqual(await cleanLog(place, newest), logs.sort());
    assert.deepEqual((await table.history(newest)).map(({ id }) => id), [4n, 5n, 6n]);
    const [five] = (await table.stateAt(newest, 5n))!.files.keys();
    assert.deepEqual(await lake.rows(table, await table.stateAt(newest, 5n)), ["5 x"]);
    await lake.storage.delete(`${lake.folder}/${five}`);
    for (const version of [3n, 5n, 7n]) assert.equal(await table.stateAt(newest, version), undefined, `${version}`);
    assert.deepEqual(await lake.rows(table, await table.stateAt(newest, 4n)), ["4 x"]);
  }, checkpointEvery(2)),
);

Deno.test(
  "a version that cannot be replayed is not kept: a clean-up broke off before it came to its commit",
  onDeltaLake(async (lake) => {
    const table = await cardsTable(lake);
    for (let step = 1; step <= 6; step++) await lake.commit(table, { upserts: [card(step, "x")] });
    const newest = (await table.load())!;
    for (const path of [0, 1, 2].map((version) => lake.log(version)).concat(lake.log(2, "checkpoint.parquet"))) {
      await lake.storage.delete(path);
    }
    assert.deepEqual((await table.history(newest)).map(({ id }) => id), [4n, 5n, 6n]);
    assert.equal(await table.stateAt(newest, 3n), undefined);
    assert.equal((await table.stateAt(newest, 4n))?.rows, 4n);
  }, checkpointEvery(2)),
);

Deno.test(
  "between two versions only files are read that both do not have just so",
  onDeltaLake(async (lake) => {
    const table = await cardsTable(lake);
    await lake.commit(table, { upserts: [card(1, "a"), card(2, "b")] });
    await lake.commit(table, { upserts: [card(3, "c")] });
    const older = (await table.load())!;
    await lake.commit(table, { upserts: [card(2, "B")] });
    const newer = (await table.load())!;
    const { before, after } = await table.changedRows(older, newer);
    const rows = (sql: string) =>
      lake.fixture.connection.value(`SELECT string_agg(id || name, ' ' ORDER BY id) FROM (${sql})`);
    assert.deepEqual([await rows(before), await rows(after)], ["1a 2b", "1a 2B"]);
    assert.ok(
      [...older.files.keys()].filter((path) => before.includes(path)).length === 1,
      "the file of 3 is left alone",
    );
  }),
);
