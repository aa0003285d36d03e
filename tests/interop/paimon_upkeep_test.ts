/** pypaimon, which shares no code with us, reads what upkeep leaves. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableUpkeep } from "../../lib/sink/table_upkeep.ts";
import { UpkeepWorker } from "../../lib/sink/upkeep_worker.ts";
import type { UpkeepPolicy } from "../../lib/table/upkeep.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { everyType, everyTypeRows } from "./every_type.ts";
import { PaimonModel } from "./paimon_model.ts";
import { PaimonJavaTests } from "./paimon_java.ts";
import { pythonTest } from "./python_env.ts";

const java = new PaimonJavaTests();

const policy: UpkeepPolicy = {
  targetFileBytes: 1 << 20,
  mergeFiles: 8,
  deletedShare: 0.3,
  keepSnapshotsMs: 0,
  keepSnapshots: 3,
  orphanAgeMs: 0,
};

async function withWorker(work: (fixture: DatabaseFixture, worker: UpkeepWorker) => Promise<void>): Promise<void> {
  await withDatabase(async (fixture) => {
    const connection = await fixture.database.connect();
    try {
      await work(fixture, new UpkeepWorker(connection));
    } finally {
      connection.close();
    }
  });
}

/** Merges until nothing is worth it, by an upkeep that sees what was committed so far. Gives the number of merges. */
async function mergeAll(open: () => TableUpkeep): Promise<number> {
  const upkeep = open();
  for (let count = 0;; count++) {
    const planned = await upkeep.planned();
    if (planned === undefined) return count;
    assert.ok(count < 1000 && await (await upkeep.merge(planned)).land());
  }
}

const commits = 80;

await pythonTest(
  `Paimon: a table left by ${commits} commits, before compaction, after it and after expiry`,
  (python, test) =>
    withWorker(async (fixture, worker) => {
      const columns = everyType.columns.filter(({ name }) => ["id", "name", "amount", "tags"].includes(name));
      const model = new PaimonModel(fixture, {
        definition: { ...everyType, columns },
        python,
        java: java.running,
        buckets: 1,
      });
      await model.create();
      for (let commit = 1; commit <= commits; commit++) {
        await model.apply({
          upserts: everyTypeRows(`${(commit * 37) % (2 * commit)}, ${2 * commit + 2}, ${commit}`, `round ${commit} `),
          removals: `SELECT ${(commit * 11) % (2 * commit)} AS id`,
        });
      }
      const read = async (stage: string, most: number) => {
        for (const reader of model.readers) {
          const { rows, totalFiles, version } = await model.check({ reader });
          await test.step(`${stage}: ${reader} ${version} reads ${rows} rows of ${totalFiles} files`, () => {
            assert.ok(rows > commits && totalFiles <= most, `${totalFiles} files`);
          });
        }
      };
      await read("before", commits);

      const upkeep = () => model.upkeep(policy, worker);
      assert.ok(await mergeAll(upkeep) > 0);
      await read("after compaction", policy.mergeFiles);
      const { unneeded } = await upkeep().expire();
      assert.ok(unneeded.length > 2 * commits);
      assert.deepEqual(await upkeep().orphans(), []);
      await read("after expiry", policy.mergeFiles);
    }),
);

/** Rows of every type after columns were widened and renamed. */
function evolvedRows(range: string, salt: string): string {
  return `SELECT * EXCLUDE (flag) RENAME (name AS "full name"), 'n' || id AS note FROM (${everyTypeRows(range, salt)})`;
}

await pythonTest(
  "Paimon: every type under compaction, schema changes, expiry, a tag and more buckets",
  (python) =>
    withWorker(async (fixture, worker) => {
      const model = new PaimonModel(fixture, { definition: everyType, python, java: java.running, buckets: 2 });
      await model.create();
      const upkeep = () => model.upkeep({ ...policy, mergeFiles: 4 }, worker);
      const whole = () => model.upkeep({ ...policy, mergeFiles: 2 }, worker);
      await model.apply({ upserts: everyTypeRows("0, 1000", "first") });
      for (let round = 1; round <= 10; round++) {
        await model.apply({
          upserts: everyTypeRows(`${round * 17}, ${1000 + round * 10}, 19`, `round ${round}`),
          removals: `SELECT range AS id FROM range(${round * 5}, 1000, 83)`,
        });
        await mergeAll(upkeep);
      }
      for (const reader of model.readers) await model.check({ reader, filters: ["id = 333", "id >= 990"] });
      await model.table.createTag("v1", (await model.table.load())!.snapshotId!);
      await fixture.connection.run(`CREATE TABLE tagged AS ${model.rows}`);

      await model.apply({
        schemaChanges: [
          { kind: "addColumn", column: { name: "note", type: types.string, nullable: true } },
          { kind: "widenColumn", name: "small", type: types.int64 },
          { kind: "widenColumn", name: "amount", type: types.decimal(18, 2) },
          { kind: "dropColumn", name: "flag" },
          { kind: "renameColumn", from: "name", to: "full name" },
        ],
        upserts: evolvedRows("500, 1300, 3", "evolved"),
        removals: "SELECT range AS id FROM range(0, 1000, 29)",
      });
      await model.checkByAll("id = 503");
      await mergeAll(whole);
      // Every file is of the newest schema now, so that also a reader that knows columns by name is right.
      for (const reader of model.readers) {
        const { totalFiles, merged } = await model.check({ reader, filters: ["id = 503", "id >= 1200"] });
        assert.deepEqual([totalFiles, merged], [2, 0]);
      }
      assert.ok((await upkeep().expire()).unneeded.length > 0);
      assert.deepEqual(await upkeep().orphans(), []);
      for (const reader of model.readers) await model.check({ reader });
      await model.checkTag("v1", "FROM tagged");

      const plan = model.table.planRescale((await model.table.load())!, {
        bucketBytes: 20_000,
        targetFileBytes: 1 << 20,
      })!;
      const before = (await model.table.load())!;
      const prepared = await model.table.compact(before, plan, fixture.connection);
      await model.apply({ upserts: evolvedRows("0, 1000, 7", "meanwhile"), removals: "SELECT 5 AS id" });
      const state = (await model.table.load())!;
      const staged = model.table.stage(state, (await model.table.rebase(state, prepared))!);
      assert.equal((await model.table.commit(staged)).outcome, "committed");
      for (const reader of model.readers) {
        const { buckets, planned, totalFiles } = await model.check({ reader, filters: ["id = 503", "id = 14"] });
        assert.equal(buckets, plan.buckets);
        // The older one does not compute the bucket of a key.
        const most = reader !== "olderPypaimon" ? totalFiles / 4 : totalFiles;
        assert.ok(planned.every(({ files, rows }) => rows === 1 && files <= most), `${reader}: ${totalFiles} files`);
      }
      await model.apply({ upserts: evolvedRows("900, 1500, 2", "later") });
      await mergeAll(whole);
      await upkeep().expire();
      assert.deepEqual(await upkeep().orphans(), []);
      for (const reader of model.readers) await model.check({ reader, filters: ["id = 1402"] });
    }),
);

await pythonTest(
  "Paimon: a table without a key, its small files merged and its snapshots expired",
  (python) =>
    withWorker(async (fixture, worker) => {
      const model = new PaimonModel(fixture, {
        definition: { ...everyType, name: "events", key: [] },
        python,
        java: java.running,
      });
      await model.create();
      const upkeep = () => model.upkeep(policy, worker);
      let merges = 0;
      for (let commit = 0; commit < 60; commit++) {
        await model.apply({ upserts: everyTypeRows(`${commit * 30}, ${commit * 30 + 50}`, `commit ${commit}`) });
        if (commit % 9 === 0) merges += await mergeAll(upkeep);
      }
      assert.ok(merges > 3);
      await upkeep().expire();
      assert.deepEqual(await upkeep().orphans(), []);
      for (const reader of model.readers) {
        const { totalFiles, planned } = await model.check({ reader, filters: ["id = 33", "id >= 1700"] });
        assert.ok(totalFiles < 2 * policy.mergeFiles && planned.every(({ files }) => files < totalFiles));
      }
    }),
);
