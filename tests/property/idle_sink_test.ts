/** A sink that stood still while another process merged its table's files and removed them goes on as if nothing were. */
import assert from "node:assert/strict";
import { TableUpkeep } from "../../lib/sink/table_upkeep.ts";
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import { UpkeepWorker } from "../../lib/sink/upkeep_worker.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import type { UpkeepPolicy } from "../../lib/table/upkeep.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { keptTable } from "../../jobs/wiring/kept_tables.ts";
import { holders, position, type SinkFormat, SinkUnderTest } from "../contract/sink_fixture.ts";

const policy: UpkeepPolicy = {
  targetFileBytes: 2 ** 20,
  mergeFiles: 2,
  deletedShare: 0.1,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};

const formats = ["iceberg", "paimon", "delta"] as const;

function openTable(format: typeof formats[number], { folder, connection }: DatabaseFixture) {
  const made = { icebergVersion: 3, deltaDeletes: "vectors", keptMs: 0 } as const;
  const storage = new LocalStorage(`${folder}/lake`);
  return { storage, table: keptTable({ format, namespace: "bank", name: "holders" }, { storage, connection, made }) };
}

/** The sink of a table, and upkeep of it by somebody else. */
async function withIdleSink(
  format: typeof formats[number],
  body: (sink: SinkUnderTest, elsewhere: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await withDatabase(async (fixture) => {
    const suite: SinkFormat = {
      name: format,
      failPoints: [],
      hasStorage: true,
      countsRows: false,
      lake: () => ({ open: () => new LakeSink(openTable(format, fixture).table) }),
    };
    const sink = new SinkUnderTest(fixture, { format: suite, lake: suite.lake(fixture), definition: holders });
    for (let n = 1; n <= 4; n++) await sink.commit(n, { upserts: [{ id: String(n), name: `'${n}'` }, { id: "9" }] });
    await body(sink, async () => {
      const worker = new UpkeepWorker(await fixture.database.connect());
      const upkeep = new TableUpkeep({ ...openTable(format, fixture), policy, worker, now: () => Date.now() + 60_000 });
      let merges = 0;
      for (let planned = await upkeep.planned(); planned !== undefined; planned = await upkeep.planned()) {
        assert.equal(await (await upkeep.merge(planned)).land(), true);
        merges++;
      }
      const { unneeded } = await upkeep.expire();
      assert.ok(merges > 0 && unneeded.some((path) => path.endsWith(".parquet")), "files left the table");
    });
  });
}

for (const format of formats) {
  Deno.test(`${format}: a sink that was idle while others merged and removed files reads and writes on`, async () => {
    await withIdleSink(format, async (idle, elsewhere) => {
      await elsewhere();
      using scan = (await idle.sink.scan())!;
      assert.equal(await idle.connection.value(`SELECT count(*)::INTEGER FROM (${scan.sql})`), 5);
    });
    await withIdleSink(format, async (idle, elsewhere) => {
      await elsewhere();
      await idle.commit(5, { upserts: [{ id: "9", name: "'later'" }], removals: [{ id: "1" }] });
      await idle.holds({ 2: "2", 3: "3", 4: "4", 9: "later" }, position(5));
    });
    await withIdleSink(format, async (idle, elsewhere) => {
      await elsewhere();
      await idle.sink.recordPosition(position(6));
      await elsewhereHolds(idle);
      const load = await idle.sink.load(await idle.change(7, { truncate: true }));
      await load.add(await idle.relation([{ id: "7", name: "'copied'" }]));
      await load.commit();
      await idle.holds({ 7: "copied" }, position(7));
    });
  });
}

async function elsewhereHolds(idle: SinkUnderTest): Promise<void> {
  const kept = idle.sink;
  await idle.holds({ 1: "1", 2: "2", 3: "3", 4: "4", 9: null }, position(6));
  idle.sink = kept;
}

Deno.test("upkeep of a table that another sink goes on writing is not fenced by it", async () => {
  await withDatabase(async (fixture) => {
    const { storage, table } = openTable("iceberg", fixture);
    const sink = new SinkUnderTest(fixture, {
      format: {
        name: "iceberg",
        failPoints: [],
        hasStorage: true,
        countsRows: true,
        lake: () => ({ open: () => new LakeSink(table) }),
      },
      lake: { open: () => new LakeSink(table) },
      definition: holders,
    });
    for (let n = 1; n <= 4; n++) await sink.commit(n, { upserts: [{ id: String(n), name: `'${n}'` }] });
    const worker = new UpkeepWorker(await fixture.database.connect());
    const upkeep = new TableUpkeep({ table: openTable("iceberg", fixture).table, storage, policy, worker });
    const merged = await upkeep.merge((await upkeep.planned())!);
    await sink.commit(5, { upserts: [{ id: "5", name: "'5'" }], removals: [{ id: "1" }] });
    assert.equal(await merged.land(), true);
    await sink.commit(6, { removals: [{ id: "2" }] });
    await sink.holds({ 3: "3", 4: "4", 5: "5" }, position(6));
    await sink.sink.recordPosition(undefined);
    assert.equal(await upkeep.planned(), undefined, "a table that is to be copied again is left alone");
  });
});
