/** deltalake, which shares no code with us, reads what we wrote, after every kind of change. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { DeltaModel } from "./delta_model.ts";
import { everyType, everyTypeRows, partitionedBy, partitionedRows } from "./every_type.ts";
import { pythonTest } from "./python_env.ts";
import { mergeOnce } from "./upkeep_steps.ts";

/** Every type, under names that need no column mapping. */
const plainNames: TableDefinition = {
  ...everyType,
  columns: everyType.columns.map((column) => ({ ...column, name: column.name.replace(" ", "_") })),
};
const plainRows = (range: string, salt: string) =>
  `SELECT * RENAME ("large amount" AS large_amount) FROM (${everyTypeRows(range, salt)})`;

for (const deletes of ["vectors", "rewrite"] as const) {
  await pythonTest(
    `by ${deletes}: rows of every type, added, replaced, removed and truncated`,
    (python) =>
      withDatabase(async (fixture) => {
        const model = new DeltaModel(fixture, { definition: plainNames, deletes, checkpointInterval: 2, python });
        await model.create();
        await model.apply({ upserts: plainRows("0, 1000", "first") });
        await model.check();
        await model.apply({ upserts: plainRows("900, 1500", "second") });
        const replaced = await model.check();
        const features = deletes === "vectors" ? ["deletionVectors", "timestampNtz"] : ["timestampNtz"];
        assert.deepEqual(replaced.protocol, { reader: 3, writer: 7, features });
        if (deletes === "vectors") {
          assert.match(String(replaced.arrow), /deletionVectors/, "it refuses, and gives no wrong rows");
        } else assert.equal(replaced.arrow, 1500);
        await model.apply({
          upserts: plainRows("1, 1500, 7", "third"),
          removals: "SELECT range AS id FROM range(0, 1600, 3)",
        });
        await model.check();
        await model.apply({ removals: "SELECT range AS id FROM range(0, 950)" });
        const reading = await model.check("id = 1400", "name is null", "id < 100");
        assert.equal(reading.planned.at(2)!.rows, 0);
        await model.apply({ truncate: true, upserts: plainRows("400, 600", "fourth") });
        const truncated = await model.check();
        assert.equal(truncated.totalFiles, 1);
        await model.apply({ truncate: true });
        await model.check();
      }),
  );

  await pythonTest(
    `by ${deletes}: columns added, renamed, widened, dropped and added again`,
    (python) =>
      withDatabase(async (fixture) => {
        const model = new DeltaModel(fixture, { definition: plainNames, deletes, checkpointInterval: 3, python });
        await model.create();
        await model.apply({ upserts: plainRows("0, 300", "first") });
        await model.apply({
          schemaChanges: [
            { kind: "addColumn", column: { name: "note", type: types.string, nullable: true } },
            { kind: "widenColumn", name: "small", type: types.int64 },
            { kind: "widenColumn", name: "single", type: types.float64 },
          ],
        });
        const widened = await model.check();
        assert.ok(!widened.protocol.features.includes("columnMapping"), "nothing needs it yet");
        await model.apply({
          schemaChanges: [
            { kind: "renameColumn", from: "name", to: "full name" },
            { kind: "widenColumn", name: "amount", type: types.decimal(18, 2) },
            { kind: "dropColumn", name: "flag" },
          ],
        });
        const mapped = await model.check();
        assert.ok(mapped.protocol.features.includes("columnMapping"));
        assert.match(String(mapped.arrow), /columnMapping/, "it refuses, and gives no wrong rows");
        const evolved = (range: string) =>
          `SELECT * EXCLUDE (flag) RENAME (name AS "full name"), 'n' || id AS note FROM (${
            plainRows(range, "second")
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
        await model.apply({
          schemaChanges: [{ kind: "widenColumn", name: "amount", type: types.decimal(28, 2) }],
          removals: "SELECT range AS holder FROM range(200, 210)",
          scope: ["holder"],
        });
        await model.check("small < 0");
      }),
  );
}

await pythonTest(
  "by day of event time: files are fewer by day and by key, and no column is added",
  (python, test) =>
    withDatabase(async (fixture) => {
      const definition = { ...everyType, name: "payments", partitionByDay: "seen" };
      const model = new DeltaModel(fixture, { definition, python });
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
      const day = "seen >= '1970-01-21T00:00:00Z' and seen < '1970-01-22T00:00:00Z'";
      const reading = await model.check(day, "id = 40", "id >= 1000");
      await test.step(`opened of ${reading.totalFiles} files: ${reading.planned.map(({ files }) => files).join(", ")}`, () => {
        assert.ok(reading.totalFiles > 40);
        assert.deepEqual(reading.planned.map(({ files, rows }) => [files, rows]), [[1, 1], [1, 1], [4, 4]]);
      });
    }),
);

await pythonTest(
  "partitioned by values of every type: by both ways of deltalake, which maintains it beside us",
  (python) =>
    withDatabase(async (fixture) => {
      const definition = { ...plainNames, name: "payments", partitionBy: partitionedBy };
      const rows = (range: string, salt: string, parts: number) =>
        `SELECT * RENAME ("large amount" AS large_amount) FROM (${partitionedRows(range, salt, parts)})`;
      const model = new DeltaModel(fixture, { definition, deletes: "rewrite", checkpointInterval: 3, python });
      await model.create();
      // Few parts go one by one, many through DuckDB's own splitting.
      await model.apply({ upserts: rows("0, 300", "first", 6) });
      await model.apply({
        upserts: rows("200, 400", "second", 12),
        removals: "SELECT range AS id FROM range(0, 90, 7)",
      });
      const filters = ["small = -2", "name is null", "seen < '1970-01-01T00:00:00Z' and born < '1970-01-01'", "flag"];
      const reading = await model.check(...filters);
      assert.equal(reading.arrow, 387);
      assert.equal(reading.totalFiles, 18);
      assert.deepEqual(reading.planned.map(({ files }) => files), [2, 2, 2, 7]);
      for (const { filter, rows } of reading.planned) assert.equal(rows, await model.count(filter), filter);
      await python.run({ script: "delta_maintain.py", args: [`${fixture.folder}/${model.tableFolder}`] });
      await model.apply({ upserts: rows("350, 450", "third", 6) });
      await model.apply({
        schemaChanges: [
          { kind: "renameColumn", from: "name", to: "full name" },
          { kind: "widenColumn", name: "small", type: types.int64 },
          { kind: "widenColumn", name: "amount", type: types.decimal(12, 2) },
        ],
      });
      await model.apply({
        upserts: `SELECT * RENAME (name AS "full name") FROM (${rows("440, 460", "fourth", 6)})`,
      });
      const merged = await model.check("small = -2", '"full name" is null');
      for (const { filter, rows } of merged.planned) assert.equal(rows, await model.count(filter), filter);
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
      const model = new DeltaModel(fixture, { definition, python });
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
  "a table without a key claims the least protocol, and 120 commits read the same through checkpoints",
  (python) =>
    withDatabase(async (fixture) => {
      const columns = plainNames.columns.filter(({ name }) => name !== "local");
      const rows = (range: string) => `SELECT * EXCLUDE (local) FROM (${plainRows(range, "x")})`;
      const model = new DeltaModel(fixture, {
        definition: { ...plainNames, key: [], columns },
        checkpointInterval: 50,
        python,
      });
      await model.create();
      for (let step = 0; step < 120; step++) await model.apply({ upserts: rows(`${step}, ${step + 3}`) });
      const reading = await model.check("id = 60");
      assert.deepEqual(reading.protocol, { reader: 1, writer: 2, features: [] });
      assert.equal(reading.arrow, 360, "every reader of Delta reads it");
      assert.equal(reading.totalFiles, 120);
      assert.equal(reading.planned[0]!.files, 3);
    }),
);

await pythonTest(
  "an earlier version shows what it held, to us and to deltalake, until it is vacuumed",
  (python) =>
    withDatabase(async (fixture) => {
      const model = new DeltaModel(fixture, { definition: plainNames, checkpointInterval: 2, python });
      await model.create();
      await model.apply({ upserts: plainRows("0, 100", "first") });
      await fixture.connection.run(`CREATE TABLE first_version AS ${model.rows}`);
      await model.apply({ upserts: plainRows("50, 150", "second"), removals: "SELECT range AS id FROM range(20)" });
      await model.apply({
        schemaChanges: [{ kind: "dropColumn", name: "flag" }],
        removals: "SELECT range AS id FROM range(40)",
      });
      const earlier = (await model.delta.loadVersion(1))!;
      const { scan } = model.output("deltalake");
      const report = await model.read({ version: 1 });
      assert.deepEqual(report.columns, earlier.columns.map(({ name }) => name));
      for (const shown of [(await model.delta.scan(earlier)).sql, scan]) {
        const different = await fixture.connection.value(
          `SELECT count(*) FROM ((FROM first_version EXCEPT ALL FROM (${shown})) UNION ALL (FROM (${shown}) EXCEPT ALL FROM first_version))`,
        );
        assert.equal(different, 0n);
      }
    }),
);

for (const [kind, key] of [["with a key, after deletes", ["id"]], ["without a key", []]] as const) {
  await pythonTest(
    `deltalake maintains a table ${kind}, between our commits and beside one, and nobody loses a row`,
    (python) =>
      withDatabase(async (fixture) => {
        const model = new DeltaModel(fixture, { definition: { ...plainNames, key }, checkpointInterval: 3, python });
        const folder = `${fixture.folder}/${model.tableFolder}`;
        const maintained = () =>
          python.run<{ compacted: number; version: number }>({ script: "delta_maintain.py", args: [folder] });
        const change = async (step: number) => {
          await model.apply({
            upserts: plainRows(`${100 * step}, ${100 * step + 150 - 50 * (1 - key.length)}`, `round ${step}`),
            ...(key.length === 0 ? {} : { removals: `SELECT range AS id FROM range(0, ${200 * step + 200}, 7)` }),
          });
        };
        await model.create();
        for (const round of [0, 1, 2]) {
          for (let step = 0; step < 4; step++) await change(4 * round + step);
          const { compacted, version } = await maintained();
          assert.ok(compacted >= 2, `${compacted} files compacted`);
          // Our sink still holds the state before; it meets the other writer's version and goes on from there.
          const before = await model.sink.status();
          assert.ok(before.snapshotId! < BigInt(version));
          await change(4 * round + 4);
          await model.check();
        }
      }),
  );
}

for (const deletes of ["vectors", "rewrite"] as const) {
  await pythonTest(
    `by ${deletes}: merged files, with rows deleted while they were merged, read as they are`,
    (python) =>
      withDatabase(async (fixture) => {
        const model = new DeltaModel(fixture, { definition: plainNames, deletes, checkpointInterval: 2, python });
        const scene = { fixture, storage: model.storage, table: model.delta };
        await model.create();
        for (let step = 0; step < 6; step++) {
          const removals = `SELECT range AS id FROM range(0, ${300 * step}, 11)`;
          await model.apply({ upserts: plainRows(`${200 * step}, ${200 * step + 300}`, `round ${step}`), removals });
        }
        const isMerged = await mergeOnce(scene, async () => {
          if (deletes === "vectors") await model.apply({ removals: "SELECT range AS id FROM range(3, 1400, 13)" });
        });
        assert.ok(isMerged);
        const merged = await model.check("id = 1299");
        assert.ok(merged.totalFiles <= 2, `${merged.totalFiles} files`);
        await model.apply({ upserts: plainRows("100, 200", "again") });
        await model.check();
      }),
  );
}
