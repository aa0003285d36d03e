/** pypaimon, which shares no code with us, reads what we wrote, after every kind of change. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { everyType, everyTypeRows } from "./every_type.ts";
import { PaimonModel } from "./paimon_model.ts";
import { PaimonJavaTests } from "./paimon_java.ts";
import { pythonTest } from "./python_env.ts";

const java = new PaimonJavaTests();

await pythonTest(
  "Paimon: a table left by 40 commits of inserts, updates, deletes and key changes",
  (python, test) =>
    withDatabase(async (fixture) => {
      const columns = everyType.columns.filter(({ name }) => ["id", "name", "amount", "tags"].includes(name));
      const options = { definition: { ...everyType, columns }, python, java: java.running, buckets: 2 };
      const model = new PaimonModel(fixture, options);
      await model.create();
      for (let commit = 1; commit <= 40; commit++) await model.apply(manyChanges(commit));
      const moved = await model.count("id >= 100000");
      assert.ok(moved > 25);
      for (const reader of model.readers) {
        const { rows, totalFiles, version } = await model.check({ reader });
        await test.step(`${reader} ${version} reads ${rows} rows of ${totalFiles} files, ${moved} moved`, () => {
          assert.ok(rows > 100 && totalFiles > 60);
        });
      }
    }),
);

/** One commit: new rows, a 13th of the older ones anew, a 29th of them away, and one under another key. */
function manyChanges(commit: number): { readonly upserts: string; readonly removals: string } {
  const first = 5 * commit;
  const key = (commit * 7) % first;
  const moved = everyTypeRows(`${key}, ${key + 1}`, "moved");
  return {
    upserts: `SELECT * REPLACE (id + 100000 * ${commit} AS id) FROM (${moved})
      UNION ALL ${everyTypeRows(`${first}, ${first + 5}`, "new")}
      UNION ALL ${everyTypeRows(`${commit % 13}, ${first}, 13`, `update ${commit}`)}`,
    removals: `SELECT range AS id FROM range(${commit % 29}, ${first}, 29) UNION SELECT ${key}`,
  };
}

await pythonTest(
  "Paimon: truncated, alone and together with new rows",
  (python) =>
    withDatabase(async (fixture) => {
      const model = new PaimonModel(fixture, { definition: everyType, python, java: java.running });
      await model.create();
      await model.apply({ upserts: everyTypeRows("0, 500", "first") });
      await model.apply({ removals: "SELECT range AS id FROM range(0, 500, 3)" });
      await model.apply({ truncate: true });
      const empty = await model.checkByAll();
      assert.deepEqual([empty.rows, empty.totalFiles, empty.snapshot?.commitKind], [0, 0, "OVERWRITE"]);
      await model.apply({ upserts: everyTypeRows("100, 300", "second") });
      await model.apply({ truncate: true, upserts: everyTypeRows("200, 400", "third") });
      await model.apply({ removals: "SELECT range AS id FROM range(0, 400, 7)" });
      for (const reader of model.readers) await model.check({ reader });
    }),
);

await pythonTest(
  "Paimon: columns added, widened, dropped, renamed and added again in a table with older files",
  (python) =>
    withDatabase(async (fixture) => {
      const model = new PaimonModel(fixture, { definition: everyType, python, java: java.running });
      await model.create();
      await model.apply({ upserts: everyTypeRows("0, 300", "first") });
      await model.apply({
        schemaChanges: [
          { kind: "addColumn", column: { name: "note", type: types.string, nullable: true } },
          { kind: "widenColumn", name: "small", type: types.int64 },
          { kind: "widenColumn", name: "single", type: types.float64 },
          { kind: "widenColumn", name: "amount", type: types.decimal(18, 2) },
          { kind: "dropColumn", name: "flag" },
        ],
      });
      await model.checkByAll();
      const widened = (range: string) =>
        `SELECT * EXCLUDE (flag), 'n' || id AS note FROM (${everyTypeRows(range, "second")})`;
      await model.apply({ upserts: widened("200, 400"), removals: "SELECT range AS id FROM range(0, 200, 9)" });
      for (const reader of model.readers) await model.check({ reader, filters: ["id = 333"] });

      await model.apply({ schemaChanges: [{ kind: "renameColumn", from: "name", to: "full name" }] });
      await model.checkByAll();
      const renamed = (range: string) => `SELECT * RENAME (name AS "full name") FROM (${widened(range)})`;
      await model.apply({
        schemaChanges: [
          { kind: "addColumn", column: { name: "flag", type: types.list(types.int64), nullable: true } },
          { kind: "renameColumn", from: "id", to: "holder" },
        ],
        upserts: `SELECT * RENAME (id AS holder), [id, NULL] AS flag FROM (${renamed("390, 450")})`,
        removals: "SELECT range AS holder FROM range(100, 120)",
      });
      await model.checkByAll("holder = 5", "holder = 395");

      // A default fills every older row: the source's rows take the place of all that was there.
      const filled = model.rows.replace("*", "*, 7::BIGINT AS filled");
      await fixture.connection.run(`CREATE TABLE copied_again AS ${filled}`);
      await model.apply({
        schemaChanges: [{ kind: "addColumn", column: { name: "filled", type: types.int64, nullable: true } }],
        truncate: true,
        upserts: "FROM copied_again",
      });
      await model.checkByAll();
    }),
);

const cards: TableDefinition = {
  namespace: "bank",
  name: "cards",
  key: ["holder", "ordinal"],
  colocation: ["holder"],
  columns: [
    { name: "holder", type: types.string, nullable: false },
    { name: "ordinal", type: types.int32, nullable: false },
    { name: "number", type: types.string, nullable: true },
  ],
};

/** Cards of each holder of a range. */
function cardRows(range: string, options: { readonly each: number; readonly name?: string }): string {
  return `SELECT '${options.name ?? "holder "}' || i AS holder, n::INTEGER AS ordinal, i || '/' || n AS number
    FROM range(${range}) AS holders(i), range(${options.each}) AS ordinals(n)`;
}

await pythonTest(
  "Paimon: child rows are replaced, removed and moved with their parent",
  (python) =>
    withDatabase(async (fixture) => {
      const model = new PaimonModel(fixture, { definition: cards, python, java: java.running, buckets: 3 });
      await model.create();
      const scope = ["holder"];
      await model.apply({ upserts: cardRows("0, 300", { each: 4 }), scope });
      const of = (range: string) => `SELECT 'holder ' || range AS holder FROM range(${range})`;
      await model.apply({ removals: of("100, 160"), upserts: cardRows("100, 150", { each: 2 }), scope });
      assert.equal(await model.count("holder = 'holder 155'"), 0);
      await model.apply({ removals: of("20, 40"), upserts: cardRows("20, 40", { each: 5, name: "moved " }), scope });
      await model.apply({ removals: of("140, 145"), upserts: cardRows("140, 145", { each: 3 }), scope });
      const filters = ["holder = 'holder 155'", "holder = 'holder 141'", "holder = 'moved 30' AND ordinal >= 3"];
      for (const reader of model.readers) {
        const { buckets, planned } = await model.check({ reader, filters });
        assert.equal(buckets, 3);
        assert.deepEqual(planned.map(({ rows }) => rows), [0, 3, 2]);
      }
      await model.apply({ truncate: true, scope });
      assert.equal((await model.checkByAll()).rows, 0);
    }),
);

/** Keys of every type that hashes in a way of its own, and two of the values that stay in the table. */
const keys = {
  whole: { type: types.int64, value: "i * 1000003 - 5000000", filters: ["whole = -5000000", "whole = -2999994"] },
  text: {
    type: types.string,
    value: "'é😀' || i || repeat('x', i % 9)",
    filters: ["text = 'é😀18'", "text = 'é😀8xxxxxxxx'"],
  },
  day: {
    type: types.date,
    value: "DATE '1969-12-01' + i::INTEGER",
    filters: ["day = '1969-12-08'", "day = '1970-02-01'"],
  },
  small: { type: types.int32, value: "i - 500", filters: ["small = -500", "small = -2"] },
  price: { type: types.decimal(12, 2), value: "i * 1.25 - 40", filters: ["price = -40.00", "price = 1207.50"] },
} as const;

await pythonTest(
  "Paimon: in 8 buckets a row is found by its key, whatever its type, in fewer files",
  (python, test) =>
    withDatabase(async (fixture) => {
      for (const [name, { type, value, filters }] of Object.entries(keys)) {
        const columns = [{ name, type, nullable: false }, { name: "note", type: types.string, nullable: true }];
        const definition = { namespace: "shop", name: `by_${name}`, key: [name], columns };
        const model = new PaimonModel(fixture, { definition, python, java: java.running, buckets: 8 });
        await model.create();
        const rows = (range: string, note: string) =>
          `SELECT ${value} AS ${name}, '${note} ' || i AS note FROM range(${range}) AS numbers(i)`;
        await model.apply({ upserts: rows("0, 500", "first") });
        await model.apply({ upserts: rows("0, 1000, 2", "second") });
        await model.apply({ removals: `SELECT ${name} FROM (${rows("1, 1000, 10", "third")})` });
        for (const reader of model.newerReaders) {
          const { buckets, planned, totalFiles, version } = await model.check({ reader, filters });
          const files = planned.map((found) => found.files);
          await test.step(`${name}, ${reader} ${version}: planned of ${totalFiles} files: ${files.join(", ")}`, () => {
            assert.equal(buckets, 8);
            assert.deepEqual(planned.map((found) => found.rows), [1, 1]);
            // Of a decimal pypaimon does not compute the bucket; what remains are the bounds of the keys.
            const isByBounds = type.kind === "decimal" && reader === "pypaimon";
            const most = isByBounds ? totalFiles - 1 : totalFiles / 8;
            assert.ok(files.every((count) => count > 0 && count <= most));
          });
        }
      }
    }),
);

await pythonTest(
  "Paimon: planned files are fewer by day and by key, in tables with a key and without, in partitions and without",
  (python, test) =>
    withDatabase(async (fixture) => {
      const columns = [
        { name: "day", type: types.date, nullable: false },
        { name: "id", type: types.int64, nullable: false },
        { name: "score", type: types.int32, nullable: true },
        { name: "note", type: types.string, nullable: true },
      ];
      const filters = [
        "day = '2026-01-07'",
        "day >= '2026-01-05' AND day < '2026-01-08'",
        "id = 512",
        "day = '2026-01-07' AND id = 605",
        "score = -350",
      ];
      const shapes = [[], ["day"]].flatMap((partitionBy) => [["day", "id"], []].map((key) => ({ key, partitionBy })));
      for (const { key, partitionBy } of shapes) {
        const name = ["by", ...partitionBy, key.length === 0 ? "events" : "balances"].join("_");
        const model = new PaimonModel(fixture, {
          definition: { namespace: "bank", name, key, columns, partitionBy },
          python,
          java: java.running,
          buckets: 2,
        });
        await model.create();
        for (let day = 0; day < 10; day++) {
          await model.apply({
            upserts: `SELECT DATE '2026-01-01' + ${day} AS day, i AS id, (i - 500)::INTEGER AS score, 'n' || i AS note
              FROM range(${day * 100}, ${day * 100 + 100}) AS numbers(i)`,
          });
        }
        // Statistics of older files are of the columns and types that those files were written with.
        await model.apply({
          schemaChanges: [
            { kind: "widenColumn", name: "score", type: types.int64 },
            { kind: "dropColumn", name: "note" },
          ],
        });
        for (const reader of model.readers) {
          const { planned, totalFiles, version } = await model.check({ reader, filters });
          const files = planned.map((found) => found.files);
          await test.step(`${name}, ${reader} ${version}: planned of ${totalFiles} files: ${files.join(", ")}`, () => {
            assert.deepEqual(planned.map((found) => found.rows), [100, 300, 1, 1, 1]);
            // Two buckets with a key, one without. In a keyed table only the key's bounds leave files out.
            const [perDay, byScore] = key.length === 0 ? [1, 1] : [2, totalFiles];
            assert.equal(totalFiles, 10 * perDay);
            const most = [perDay, 3 * perDay, perDay, perDay, byScore];
            assert.ok(files.every((count, index) => count > 0 && count <= most[index]!), files.join());
          });
        }
      }
    }),
);
