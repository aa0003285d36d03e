/** pyiceberg reads what upkeep leaves: after merges beside a writer, after expiry, at a tag. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import { identifier } from "../../lib/engine/quote.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { everyType, everyTypeRows } from "./every_type.ts";
import { IcebergModel } from "./iceberg_model.ts";
import { pythonTest } from "./python_env.ts";
import { expireOnce, filesAreThoseReferred, mergeOnce } from "./upkeep_steps.ts";

for (const formatVersion of [2, 3] as const) {
  await pythonTest(
    `v${formatVersion}: rows of every type are the same after merges with changes in their middle, and after expiry`,
    (python) =>
      withDatabase(async (fixture) => {
        const model = new IcebergModel(fixture, { definition: everyType, formatVersion, python });
        await model.create();
        for (let step = 0; step < 4; step++) {
          await model.apply({ upserts: everyTypeRows(`${step * 300}, ${step * 300 + 400}`, `${step}`) });
        }
        await model.apply({ removals: "SELECT range AS id FROM range(0, 1300, 7)" });
        const before = await model.check();
        assert.ok(
          await mergeOnce(model.scene, async () => {
            await model.apply({
              upserts: everyTypeRows("100, 1200, 11", "meanwhile"),
              removals: "SELECT range AS id FROM range(5, 1300, 13)",
            });
          }),
        );
        const merged = await model.check("id = 1001", "id >= 1200");
        assert.ok(merged.totalFiles < before.totalFiles);
        // The writer has seen the merge before the files that it knew of go.
        await model.apply({});
        assert.ok(await expireOnce(model.scene) > 0);
        await filesAreThoseReferred(model.scene);
        await model.check();
        await model.apply({
          schemaChanges: [
            { kind: "addColumn", column: { name: "note", type: types.string, nullable: true } },
            { kind: "renameColumn", from: "name", to: "full name" },
            { kind: "widenColumn", name: "small", type: types.int64 },
          ],
          upserts: `SELECT * RENAME (name AS "full name"), 'n' || id AS note FROM (${
            everyTypeRows("1250, 1500", "evolved")
          })`,
        });
        assert.ok(await mergeOnce(model.scene));
        await model.check("small > 250", "note is null");
        await expireOnce(model.scene);
        assert.equal((await model.check()).totalFiles, 1);
      }),
  );

  await pythonTest(
    `v${formatVersion}: partitions are merged each by itself, and files are still planned by day`,
    (python) =>
      withDatabase(async (fixture) => {
        const definition = { ...everyType, name: "payments", partitionByDay: "seen", sortBy: ["name", "small"] };
        const model = new IcebergModel(fixture, { definition, formatVersion, python });
        await model.create();
        for (let step = 0; step < 3; step++) {
          await model.apply({
            upserts:
              `SELECT * REPLACE (CASE WHEN id % 4 < 3 THEN TIMESTAMPTZ '1969-12-31 00:00:00+00' + to_days((id % 4)::INTEGER)
              END AS seen) FROM (${everyTypeRows(`${40 * step}, ${40 * step + 60}`, `${step}`)})`,
          });
        }
        let merges = 0;
        while (await mergeOnce(model.scene)) merges++;
        assert.ok(merges >= 4, `${merges} merges`);
        await expireOnce(model.scene);
        await filesAreThoseReferred(model.scene);
        const reading = await model.check("seen is null", "seen < '1970-01-01T00:00:00+00:00'");
        assert.deepEqual([reading.totalFiles, ...reading.planned.map(({ files }) => files)], [4, 1, 1]);
      }),
  );
}

await pythonTest(
  "v3: a tag keeps its rows for pyiceberg through merges and expiry",
  (python) =>
    withDatabase(async (fixture) => {
      const model = new IcebergModel(fixture, { definition: everyType, formatVersion: 3, python });
      await model.create();
      await model.apply({ upserts: everyTypeRows("0, 500", "first") });
      await model.apply({ upserts: everyTypeRows("400, 600", "second"), removals: "SELECT 7 AS id" });
      assert.equal(
        (await model.table.setRef((await model.table.load())!, "audit", { type: "tag" })).outcome,
        "committed",
      );
      await fixture.connection.run(`CREATE TABLE ${identifier("audited")} AS ${model.rows}`);
      await model.apply({ removals: "SELECT range AS id FROM range(0, 300)" });
      assert.ok(await mergeOnce(model.scene));
      await model.apply({ upserts: everyTypeRows("0, 100", "third") });
      await expireOnce(model.scene);
      await model.check();
      const tagged = await model.readTag("audit");
      const differing = await fixture.connection.value(
        `SELECT count(*) FROM ((SELECT id, name FROM audited EXCEPT ALL SELECT id, name FROM (${tagged}))
       UNION ALL (SELECT id, name FROM (${tagged}) EXCEPT ALL SELECT id, name FROM audited))`,
      );
      assert.equal(differing, 0n);
    }),
);

for (const formatVersion of [2, 3] as const) {
  await pythonTest(
    `v${formatVersion}: a table that is partitioned and sorted otherwise than before`,
    (python) =>
      withDatabase(async (fixture) => {
        const model = new IcebergModel(fixture, { definition: everyType, formatVersion, python });
        await model.create();
        await model.apply({ upserts: everyTypeRows("0, 300", "first") });
        model.declare({ partitionByDay: "born", sortBy: ["amount"] });
        await model.apply({
          upserts: everyTypeRows("200, 320", "second"),
          removals: "SELECT range AS id FROM range(0, 9)",
        });
        const day = "born = '1965-01-01' or born >= '1982-01-01'";
        const evolved = await model.check(day, "id = 250");
        assert.ok(evolved.planned[0]!.files < evolved.totalFiles / 2);
        model.declare({ partitionByDay: "seen" });
        await model.apply({
          upserts: everyTypeRows("290, 330", "third"),
          removals: "SELECT range AS id FROM range(100, 240)",
        });
        await model.check("seen < '1970-02-01T00:00:00+00:00'", day);
        while (await mergeOnce(model.scene));
        await expireOnce(model.scene);
        await filesAreThoseReferred(model.scene);
        await model.check("seen < '1970-02-01T00:00:00+00:00'", day);
      }),
  );
}
