/** deltalake and pypaimon read an Iceberg table's mirrors: the same rows out of the same files. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import type { SchemaChange } from "../../lib/dataset/schema_change.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { everyType, everyTypeRows } from "./every_type.ts";
import { partitionedHolders, partitionedRows } from "./holders.ts";
import { MirrorModel } from "./mirror_model.ts";
import { type PaimonDeed, PaimonJavaTests } from "./paimon_java.ts";
import { pythonTest } from "./python_env.ts";
import { eagerPolicy, mergeOnce } from "./upkeep_steps.ts";

const java = new PaimonJavaTests();

const widenings: readonly SchemaChange[] = [
  { kind: "widenColumn", name: "small", type: types.int64 },
  { kind: "widenColumn", name: "single", type: types.float64 },
  { kind: "widenColumn", name: "amount", type: types.decimal(14, 2) },
];

await pythonTest(
  "mirrors find the files of a table that is partitioned by values, whatever their folders are called",
  (python) =>
    withDatabase(async (fixture) => {
      const model = new MirrorModel(fixture, { definition: partitionedHolders, formatVersion: 3 });
      await model.create();
      await model.apply({ upserts: partitionedRows("0, 100", "a") });
      await model.apply({
        upserts: partitionedRows("90, 120", "b"),
        removals: "SELECT range AS id FROM range(0, 50, 3)",
      });
      await model.followed();
      await model.scansAgree();
      await model.check({ python, java: java.running });
    }),
);

for (const formatVersion of [2, 3] as const) {
  await pythonTest(
    `v${formatVersion}: mirrors show rows of every type through updates, schema changes and merges`,
    (python) =>
      withDatabase(async (fixture) => {
        const model = new MirrorModel(fixture, { definition: everyType, formatVersion });
        await model.create();
        const check = async () => {
          await model.followed();
          await model.scansAgree();
          return await model.check({ python, java: java.running });
        };
        await model.apply({ upserts: everyTypeRows("0, 400", "a") });
        await check();
        await model.apply({
          upserts: everyTypeRows("300, 700", "b"),
          removals: "SELECT range AS id FROM range(0, 700, 7)",
        });
        await check();
        await model.apply({
          schemaChanges: [
            { kind: "addColumn", column: { name: "note", type: types.string, nullable: true } },
            { kind: "renameColumn", from: "name", to: "full name" },
            ...widenings,
            { kind: "dropColumn", name: "flag" },
          ],
          upserts: `SELECT * EXCLUDE (flag) RENAME (name AS "full name"), 'n' || id AS note FROM (${
            everyTypeRows("650, 900", "c")
          })`,
        });
        await check();
        // The name of a dropped column comes back, as another column.
        await model.apply({
          schemaChanges: [
            { kind: "addColumn", column: { name: "flag", type: types.string, nullable: true } },
            { kind: "addColumn", column: { name: "name", type: types.int64, nullable: true } },
          ],
          upserts:
            `SELECT * EXCLUDE (flag) RENAME (name AS "full name"), 'n' || id AS note, 'f' AS flag, id AS name FROM (${
              everyTypeRows("850, 1000", "d")
            })`,
        });
        await check();
        assert.ok(await mergeOnce(model.scene));
        model.reopened();
        await check();
        await model.apply({ truncate: true });
        await check();
      }),
  );
}

await pythonTest(
  "what deltalake does to a mirror hurts neither the table nor the other mirror, and the next turn mends it",
  (python) =>
    withDatabase(async (fixture) => {
      // Its column of two words would be mapped, and deltalake merges no tables with mapped columns.
      const columns = everyType.columns.filter((column) => column.name !== "large amount");
      const rows = (range: string) => `SELECT * EXCLUDE ("large amount") FROM (${everyTypeRows(range, "a")})`;
      const model = new MirrorModel(fixture, { definition: { ...everyType, columns }, formatVersion: 3 });
      await model.create();
      await model.apply({ upserts: rows("0, 400") });
      await model.apply({
        upserts: rows("300, 700"),
        removals: "SELECT range AS id FROM range(0, 700, 7)",
      });
      await model.followed();
      const { namespace, name } = model.definition;
      const files = () => Array.fromAsync(model.storage.list("iceberg"), ({ path }) => path);
      const before = await files();
      const refused = await python.run<Record<string, string | null>>({
        script: "mirror_maintain.py",
        args: [`${model.folder}/delta/${namespace}/${name}`],
      });
      assert.match(refused["compact"] ?? "", /outside table root/);
      assert.deepEqual(await files(), before, "the table has its files");
      const { paimon } = model.tables();
      await model.same((await paimon.scan((await paimon.load())!)).sql, "our scan of paimon");
      model.reopened();
      await model.followed();
      await model.scansAgree();
      await model.check({ python, java: java.running });
    }),
);

await pythonTest(
  "readers of a Paimon mirror widen the columns of older files, which stay where no Delta mirror needs them anew",
  (python) =>
    withDatabase(async (fixture) => {
      const model = new MirrorModel(fixture, { definition: everyType, formatVersion: 3, formats: ["paimon"] });
      await model.create();
      await model.apply({ upserts: everyTypeRows("0, 400", "a") });
      const [narrow] = (await model.table.load())!.files.keys();
      await model.apply({
        schemaChanges: widenings,
        upserts: everyTypeRows("300, 700", "b"),
        removals: "SELECT range AS id FROM range(0, 700, 7)",
      });
      assert.ok((await model.table.load())!.files.has(narrow!));
      await model.followed();
      await model.checkByPypaimon(python);
      if (java.running !== undefined) await model.checkByJava(java.running, "small > 50", "amount > 100");
    }),
);

if (java.missing === undefined) {
  await pythonTest(
    "what Paimon's own code does to a mirror, a merge and an expiry too, takes no file away, and the next turn mends it",
    (python) =>
      withDatabase(async (fixture) => {
        const model = new MirrorModel(fixture, { definition: everyType, formatVersion: 3, keepMs: 0 });
        await model.create();
        for (let step = 0; step < 6; step++) {
          await model.apply({ upserts: everyTypeRows(`${step * 100}, ${step * 100 + 150}`, `${step}`) });
          await model.followed();
        }
        const files = () => Array.fromAsync(model.storage.list("iceberg"), ({ path }) => path);
        const before = await files();
        const { namespace, name } = model.definition;
        const change = (deed: PaimonDeed) => {
          return java.running!.change({ lake: model.folder, table: `${namespace}.${name}` }, deed);
        };
        assert.equal(await change({ do: "compact" }), 1);
        await model.checkByJava(java.running!);
        assert.equal(await change({ do: "expire", keep: 1 }), 0);
        assert.deepEqual(await change({ do: "clean" }), []);
        assert.deepEqual(await files(), before, "the table has its files");
        model.reopened();
        await model.followed();
        await model.check({ python, java: java.running });
        // Ours takes the snapshots of theirs away, and none of the files that they called deleted.
        await model.apply({ removals: "SELECT 5 AS id" });
        await model.followed();
        await model.mirror.expire(eagerPolicy, Date.now() + 1);
        assert.ok(new Set(before).isSubsetOf(new Set(await files())));
        await model.check({ python, java: java.running });
      }),
  );
}
