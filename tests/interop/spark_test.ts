/**
 * Apache Spark, with the runtimes of the formats' own projects, reads what we wrote, after every kind of change. It writes and maintains
 * our Delta tables beside us, and both go on: no row lost, none twice.
 */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import type { SchemaChange } from "../../lib/dataset/schema_change.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { everyType, everyTypeRows, partitionedBy, partitionedRows } from "./every_type.ts";
import { partitionedHolders, partitionedRows as partitionedHolderRows } from "./holders.ts";
import { MirrorModel } from "./mirror_model.ts";
import { kinds, SparkModel } from "./spark_model.ts";
import { appendPartitioned, remove } from "./spark_changes.ts";
import { SparkTests } from "./spark.ts";
import { expireOnce, filesAreThoseReferred, mergeOnce } from "./upkeep_steps.ts";

const spark = new SparkTests(["delta"]);

const addNote: SchemaChange = { kind: "addColumn", column: { name: "note", type: types.string, nullable: true } };
const schemaChanges: readonly SchemaChange[] = [
  addNote,
  { kind: "renameColumn", from: "name", to: "full name" },
  { kind: "widenColumn", name: "small", type: types.int64 },
  { kind: "widenColumn", name: "single", type: types.float64 },
  { kind: "widenColumn", name: "amount", type: types.decimal(18, 2) },
  { kind: "dropColumn", name: "flag" },
];

/** Rows after {@linkcode schemaChanges}. */
function evolvedRows(range: string, salt: string): string {
  return `SELECT * EXCLUDE (flag) RENAME (name AS "full name"), 'n' || id AS note FROM (${everyTypeRows(range, salt)})`;
}

const { Paimon: _withoutKey, ...keyed } = kinds;

for (const [name, kind] of Object.entries(keyed)) {
  spark.test(
    `${name}: rows of every type, after upserts, deletes, schema changes, merges and expiry`,
    (running) =>
      withDatabase(async (fixture) => {
        const model = new SparkModel({ fixture, spark: running, kind }, everyType);
        await model.create();
        await model.apply({ upserts: everyTypeRows("0, 400", "first") });
        await model.apply({
          upserts: everyTypeRows("1, 500, 7", "second"),
          removals: "SELECT range AS id FROM range(0, 450, 3)",
        });
        await model.check("id = 401", "name is null", "seen < '1970-02-01T00:00:00+00:00'");
        for (const change of schemaChanges) await model.apply({ schemaChanges: [change] });
        await model.apply({ upserts: evolvedRows("450, 600", "evolved"), removals: "SELECT 5 AS id" });
        await model.check("small > 50", "note is null");
        await model.apply({
          schemaChanges: [
            { kind: "addColumn", column: { name: "flag", type: types.list(types.int64), nullable: true } },
            { kind: "renameColumn", from: "id", to: "holder" },
          ],
          upserts: `SELECT * RENAME (id AS holder), [id, NULL] AS flag FROM (${evolvedRows("590, 620", "again")})`,
        });
        const isMerged = await mergeOnce(model.scene, () => model.apply({}));
        assert.ok(isMerged);
        await model.check("holder >= 600");
        await model.apply({ removals: "SELECT range AS holder FROM range(100, 200)" });
        assert.ok(await expireOnce(model.scene) > 0);
        await model.check("amount > 100");
        await model.apply({ truncate: true });
        await model.check();
      }),
  );
}

const { "Iceberg v2": icebergV2, Paimon: paimon } = kinds;

for (const [name, kind] of Object.entries({ "Iceberg v2": icebergV2, "Paimon": paimon })) {
  spark.test(
    `${name}: a table without a key, after appends, schema changes, merges and expiry`,
    (running) =>
      withDatabase(async (fixture) => {
        const model = new SparkModel({ fixture, spark: running, kind }, { ...everyType, name: "events", key: [] });
        await model.create();
        for (let step = 0; step < 4; step++) {
          await model.apply({ upserts: everyTypeRows(`${step * 50}, ${step * 50 + 100}`, `${step}`) });
        }
        await model.check("id = 120", "id >= 200", "born < '1970-01-01'");
        await model.apply({
          schemaChanges: schemaChanges.filter((change) => change.kind !== "renameColumn"),
          upserts: `SELECT * RENAME ("full name" AS name) FROM (${evolvedRows("250, 300", "evolved")})`,
        });
        await model.check("small > -260", "note is null");
        assert.ok(await mergeOnce(model.scene));
        await model.apply({ schemaChanges: schemaChanges.filter((change) => change.kind === "renameColumn") });
        assert.ok(await expireOnce(model.scene) > 0);
        await filesAreThoseReferred(model.scene);
        await model.check("small > -260", "id >= 200");
      }),
  );
}

spark.test(
  `Iceberg v3: partitioned by a value and by day, and sorted, before and after merges`,
  (running) =>
    withDatabase(async (fixture) => {
      const layout = { partitionBy: ["flag"], partitionByDay: "seen", sortBy: ["name", "small"] };
      const definition = { ...everyType, name: "payments", ...layout };
      const model = new SparkModel({ fixture, spark: running, kind: kinds["Iceberg v3"] }, definition);
      await model.create();
      for (let step = 0; step < 3; step++) {
        await model.apply({
          upserts:
            `SELECT * REPLACE (CASE WHEN id % 4 < 3 THEN TIMESTAMPTZ '1969-12-31 00:00:00+00' + to_days((id % 4)::INTEGER)
            END AS seen) FROM (${everyTypeRows(`${40 * step}, ${40 * step + 60}`, `${step}`)})`,
          removals: `SELECT range AS id FROM range(0, ${40 * step}, 9)`,
        });
      }
      const days = ["seen is null", "seen < '1970-01-01T00:00:00+00:00'", "seen >= '1970-01-01T00:00:00+00:00'"];
      await model.check(...days);
      while (await mergeOnce(model.scene));
      await expireOnce(model.scene);
      await model.check(...days, "id = 77", "flag");
    }),
);

spark.test(
  "the Delta mirror of an Iceberg table, after upserts, deletes, schema changes and merges",
  (running) =>
    withDatabase(async (fixture) => {
      const model = new MirrorModel(fixture, { definition: everyType, formatVersion: 3 });
      await model.create();
      const check = async (...filters: readonly string[]) => {
        await model.followed();
        await model.checkBySpark(running, "delta", ...filters);
      };
      await model.apply({ upserts: everyTypeRows("0, 400", "first") });
      await model.apply({
        upserts: everyTypeRows("1, 500, 7", "second"),
        removals: "SELECT range AS id FROM range(0, 450, 3)",
      });
      await check("id = 401", "seen < '1970-02-01T00:00:00+00:00'");
      await model.apply({
        schemaChanges,
        upserts: evolvedRows("450, 600", "evolved"),
        removals: "SELECT 5 AS id",
      });
      // Spark 3.5 reads no column as a wider type than it has in the file.
      await check("note is null", "small > 50", "amount > 100");
      assert.ok(await mergeOnce(model.scene));
      model.reopened();
      await check("small > 50", "amount > 100");
    }),
);

spark.test(
  "Delta by vectors, partitioned by two columns: Spark appends, updates, deletes, merges files and vacuums",
  (running) =>
    withDatabase(async (fixture) => {
      const model = new SparkModel({ fixture, spark: running, kind: kinds["Delta by vectors"] }, partitionedHolders);
      await model.create();
      await model.apply({ upserts: partitionedHolderRows("0, 100", "ours") });
      await model.bySpark(appendPartitioned);
      await model.apply({ upserts: partitionedHolderRows("50, 120", "again"), removals: "SELECT 900 AS id" });
      await model.check();
      await model.bySpark((table) => `UPDATE ${table} SET name = concat(name, '!'), land = 'x' WHERE id % 7 = 0`);
      await model.bySpark(remove);
      await model.apply({ upserts: partitionedHolderRows("5, 25", "third") });
      await model.check("land = 'a/b=%é 1'", "land is null", "born > '1969-12-31'");
      await model.maintain((table) => `OPTIMIZE ${table}`);
      await model.apply({ upserts: partitionedHolderRows("90, 130", "after the merge"), removals: "SELECT 901 AS id" });
      await model.maintain((table) => `VACUUM ${table} RETAIN 0 HOURS`);
      await model.apply({ upserts: partitionedHolderRows("110, 140", "after the vacuum") });
      await model.check("id = 115");
    }),
);

spark.test(
  "Delta partitioned by values of every type",
  (running) =>
    withDatabase(async (fixture) => {
      const definition = { ...everyType, name: "payments", partitionBy: partitionedBy };
      const model = new SparkModel({ fixture, spark: running, kind: kinds["Delta by vectors"] }, definition);
      await model.create();
      await model.apply({ upserts: partitionedRows("0, 60", "first", 6) });
      await model.apply({
        upserts: partitionedRows("50, 60", "second", 6),
        removals: "SELECT range AS id FROM range(0, 50, 7)",
      });
      const times = "seen >= '1970-01-01T00:00:00+00:00' and local < '1970-01-01T00:00:00.000003'";
      await model.check(`small = -2 and amount > 2 or flag or name is null or ${times}`);
    }),
);
