/** pyiceberg, which shares no code with us, reads what we wrote, after every kind of change. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { everyType, everyTypeRows, partitionedBy, partitionedRows } from "./every_type.ts";
import { IcebergModel } from "./iceberg_model.ts";
import { pythonTest } from "./python_env.ts";

for (const formatVersion of [2, 3] as const) {
  await pythonTest(
    `v${formatVersion}: rows of every type, added, replaced, removed and truncated`,
    (python) =>
      withDatabase(async (fixture) => {
        const model = new IcebergModel(fixture, { definition: everyType, formatVersion, python });
        await model.create();
        await model.apply({ upserts: everyTypeRows("0, 1000", "first") });
        await model.check();
        await model.apply({ upserts: everyTypeRows("900, 1500", "second") });
        await model.check();
        await model.apply({
          upserts: everyTypeRows("1, 1500, 7", "third"),
          removals: "SELECT range AS id FROM range(0, 1600, 3)",
        });
        await model.check();
        await model.apply({ removals: "SELECT range AS id FROM range(0, 950)" });
        const reading = await model.check("id = 1400", "name is null", "id < 100");
        assert.equal(reading.planned.at(2)!.rows, 0);
        await model.apply({ truncate: true, upserts: everyTypeRows("400, 600", "fourth") });
        const truncated = await model.check();
        assert.equal(truncated.totalFiles, 1);
        await model.apply({ truncate: true });
        await model.check();
      }),
  );

  await pythonTest(
    `v${formatVersion}: columns added, renamed, widened, dropped and added again`,
    (python) =>
      withDatabase(async (fixture) => {
        const model = new IcebergModel(fixture, { definition: everyType, formatVersion, python });
        await model.create();
        await model.apply({ upserts: everyTypeRows("0, 300", "first") });
        await model.apply({
          schemaChanges: [
            { kind: "addColumn", column: { name: "note", type: types.string, nullable: true } },
            { kind: "renameColumn", from: "name", to: "full name" },
            { kind: "widenColumn", name: "small", type: types.int64 },
            { kind: "widenColumn", name: "single", type: types.float64 },
            { kind: "widenColumn", name: "amount", type: types.decimal(18, 2) },
            { kind: "dropColumn", name: "flag" },
          ],
        });
        await model.check();
        const evolved = (range: string) =>
          `SELECT * EXCLUDE (flag) RENAME (name AS "full name"), 'n' || id AS note FROM (${
            everyTypeRows(range, "second")
          })`;
        await model.apply({ upserts: evolved("200, 400") });
        await model.check("small > 250");
        await model.apply({
          schemaChanges: [
            { kind: "addColumn", column: { name: "flag", type: types.list(types.int64), nullable: true } },
            { kind: "renameColumn", from: "id", to: "holder" },
          ],
          upserts: `SELECT * RENAME (id AS holder), [id, NULL] AS flag FROM (${evolved("390, 450")})`,
          removals: "SELECT range AS holder FROM range(100, 120)",
          scope: ["holder"],
        });
        await model.check();
      }),
  );

  await pythonTest(
    `v${formatVersion}: partitioned by day, planned files are fewer by day and by key`,
    (python, test) =>
      withDatabase(async (fixture) => {
        const definition = { ...everyType, name: "payments", partitionByDay: "seen" };
        const model = new IcebergModel(fixture, { definition, formatVersion, python });
        await model.create();
        // Few days go one by one, many through DuckDB's own splitting; both hold days before 1970 or no day at all.
        await model.apply({ upserts: everyTypeRows("0, 5", "first") });
        await model.apply({ upserts: everyTypeRows("0, 60", "second") });
        await model.apply({ upserts: everyTypeRows("1000, 1004", "third") });
        await model.apply({
          upserts: `SELECT * REPLACE (CASE WHEN id = 31 THEN NULL ELSE seen END AS seen) FROM (${
            everyTypeRows("30, 32", "fourth")
          })`,
          removals: "SELECT range AS id FROM range(10, 20)",
        });
        const day = "seen >= '1970-01-21T00:00:00+00:00' and seen < '1970-01-22T00:00:00+00:00'";
        const reading = await model.check(day, "id = 40", "id >= 1000");
        await test.step(`planned of ${reading.totalFiles} files: ${reading.planned.map(({ files }) => files).join(", ")}`, () => {
          assert.ok(reading.totalFiles > 40);
          assert.deepEqual(reading.planned.map(({ files, rows }) => [files, rows]), [[1, 1], [1, 1], [4, 4]]);
        });
      }),
  );
}

await pythonTest(
  "partitioned by values of every type: planned files are fewer by each, also once columns are renamed and wider",
  (python) =>
    withDatabase(async (fixture) => {
      const definition = { ...everyType, name: "payments", partitionBy: partitionedBy };
      const model = new IcebergModel(fixture, { definition, formatVersion: 3, python });
      await model.create();
      await model.apply({ upserts: partitionedRows("0, 300", "first", 6) });
      await model.apply({
        upserts: partitionedRows("200, 400", "second", 12),
        removals: "SELECT range AS id FROM range(0, 90, 7)",
      });
      const filters = [
        "small = -2",
        "name is null",
        "seen < '1970-01-01T00:00:00+00:00'",
        "flag = true",
        "amount >= 10",
      ];
      const reading = await model.check(...filters);
      assert.equal(reading.totalFiles, 18);
      assert.deepEqual(reading.planned.map(({ files }) => files), [2, 2, 2, 7, 2]);
      for (const { filter, rows } of reading.planned) assert.equal(rows, await model.count(filter), filter);
      await model.apply({
        schemaChanges: [
          { kind: "renameColumn", from: "name", to: "full name" },
          { kind: "widenColumn", name: "small", type: types.int64 },
          { kind: "widenColumn", name: "amount", type: types.decimal(20, 2) },
        ],
      });
      model.declare({ partitionBy: ["amount", "small"], partitionByDay: "seen" });
      await model.apply({
        upserts: `SELECT * RENAME (name AS "full name") FROM (${partitionedRows("350, 450", "third", 3)})`,
      });
      const wide = await model.check("small = -1", "amount < 2");
      for (const { filter, rows } of wide.planned) assert.equal(rows, await model.count(filter), filter);
    }),
);

await pythonTest(
  "a key of two columns: all children of a parent replaced at once",
  (python) =>
    withDatabase(async (fixture) => {
      const definition: TableDefinition = {
        namespace: "bank",
        name: "cards",
        key: ["holder", "ordinal"],
        columns: [
          { name: "holder", type: types.string, nullable: false },
          { name: "ordinal", type: types.int32, nullable: false },
          { name: "number", type: types.string, nullable: true },
        ],
      };
      const rows = (range: string, most: number) =>
        `SELECT 'holder ' || i AS holder, n::INTEGER AS ordinal, i || '/' || n AS number
       FROM range(${range}) AS holders(i), range(${most}) AS ordinals(n)`;
      const model = new IcebergModel(fixture, { definition, formatVersion: 3, python });
      await model.create();
      await model.apply({ upserts: rows("0, 300", 3) });
      await model.apply({
        upserts: rows("100, 150", 2),
        removals: "SELECT 'holder ' || range AS holder FROM range(100, 160)",
        scope: ["holder"],
      });
      await model.check("holder = 'holder 155'");
    }),
);

await pythonTest(
  "a table without a key only grows; many commits and merged manifests read the same",
  (python) =>
    withDatabase(async (fixture) => {
      const definition = { ...everyType, key: [] };
      const model = new IcebergModel(fixture, { definition, formatVersion: 2, python });
      await model.create();
      for (let step = 0; step < 120; step++) await model.apply({ upserts: everyTypeRows(`${step}, ${step + 3}`, "x") });
      const reading = await model.check("id = 60");
      assert.equal(reading.totalFiles, 120);
      assert.ok(reading.manifests < 100, `${reading.manifests} manifests`);
      assert.equal(reading.planned[0]!.files, 3);
    }),
);
