import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { checkpointEvery, type DeltaLake, onDeltaLake } from "../../testing/delta_lake.ts";
import type { LiteralRow } from "../../testing/relations.ts";
import { card, cards } from "../../testing/table_lake.ts";
import { eagerPolicy } from "../../testing/iceberg_lake.ts";
import type { DeltaTable } from "./delta_table.ts";
import { newTable } from "./new_table.ts";

const column = (name: string, type: TableDefinition["columns"][number]["type"]) => ({ name, type, nullable: true });
const byLand: TableDefinition = {
  ...cards,
  columns: [...cards.columns, column("land", types.string)],
  partitionBy: ["land"],
};
const holder = (id: number, land: string | null, name = "x"): LiteralRow => ({
  ...card(id, name),
  land: land === null ? "NULL" : `'${land}'`,
});

async function valuesOf(table: DeltaTable): Promise<string[]> {
  return [...(await table.load())!.files.values()].map(({ add }) => JSON.stringify(add.partitionValues)).sort();
}

/** Rows with their land. */
async function lands(lake: DeltaLake, table = lake.open()): Promise<unknown[]> {
  using scan = await table.scan((await table.load())!);
  const rows = await lake.fixture.connection.rows(
    `SELECT id || ' ' || coalesce(land, '-') AS row FROM (${scan.sql}) ORDER BY id`,
  );
  return rows.map(({ row }) => row);
}

for (const deletes of ["vectors", "rewrite"] as const) {
  Deno.test(
    `by ${deletes}: rows stand with the others of their partition, through replacements, merges and checkpoints`,
    onDeltaLake(async (lake) => {
      const table = lake.open();
      const { metadata } = await table.create(byLand);
      assert.deepEqual(metadata.partitionColumns, ["land"]);
      const commit = (content: Parameters<DeltaLake["commit"]>[1]) =>
        lake.commit(table, { definition: byLand, ...content });
      await commit({ upserts: [holder(1, "DE"), holder(2, "a/b c=%é"), holder(3, null), holder(4, "\u{feff}x")] });
      assert.deepEqual(
        await valuesOf(table),
        [null, "DE", "a/b c=%é", "\u{feff}x"].map((land) => JSON.stringify({ land })).sort(),
      );
      assert.deepEqual(await lands(lake), ["1 DE", "2 a/b c=%é", "3 -", "4 \u{feff}x"]);
      await commit({ upserts: [holder(1, "a/b c=%é"), holder(5, "DE")], removals: [{ id: "3" }] });
      await commit({ upserts: [holder(6, "DE"), holder(7, "DE")] });
      await commit({ removals: [{ id: "7" }] });
      const all = ["1 a/b c=%é", "2 a/b c=%é", "4 \u{feff}x", "5 DE", "6 DE"];
      assert.deepEqual(await lands(lake), all);
      for (let plan; (plan = table.planCompaction((await table.load())!, eagerPolicy)) !== undefined;) {
        const state = (await table.load())!;
        const merged = await table.compact(state, plan, lake.fixture.connection);
        await table.commit(table.stage(state, (await table.rebase(state, merged))!));
      }
      assert.deepEqual(
        await valuesOf(table),
        ["DE", "a/b c=%é", "\u{feff}x"].map((land) => JSON.stringify({ land })).sort(),
      );
      assert.deepEqual(await lands(lake), all);
      const paths = [...(await lake.open().load())!.files.keys()];
      assert.ok(paths.every((path) => path.startsWith("land=")), paths.join());
      await lake.storage.delete(lake.log(0));
      assert.deepEqual(await lands(lake), all, "as the checkpoint tells it");
      const columns = await lake.fixture.connection.rows(
        `SELECT DISTINCT name FROM parquet_schema('${lake.fixture.folder}/${lake.folder}/land=*/*.parquet') WHERE num_children IS NULL`,
      );
      assert.deepEqual(columns.map(({ name }) => name).sort(), ["id", "name"]);
    }, { deletes, ...checkpointEvery(3) }),
  );
}

Deno.test(
  "values of every type come back from the log as they were, also as keys",
  onDeltaLake(async (lake) => {
    const typed = [
      column("yes", types.boolean),
      column("small", types.int32),
      column("large", types.int64),
      column("amount", types.decimal(10, 2)),
      column("born", types.date),
      column("local", types.timestamp),
      column("seen", types.timestamptz),
    ];
    const names = typed.map(({ name }) => name);
    const definition = {
      ...cards,
      key: ["id", "large"],
      columns: [...cards.columns, ...typed],
      partitionBy: names,
    };
    const values = {
      yes: "false",
      small: "-2147483648",
      large: "9223372036854775807",
      amount: "-0.05",
      born: "DATE '0001-01-01'",
      local: "TIMESTAMP '1969-12-31 23:59:59.999999'",
      seen: "TIMESTAMPTZ '9999-12-31 23:59:59.000001+00'",
    };
    const nulls = Object.fromEntries(names.map((name) => [name, "NULL"]));
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, {
      definition,
      upserts: [{ ...card(1, "a"), ...values }, { ...card(2, "b"), ...nulls, large: "2" }],
    });
    const full = (await valuesOf(table)).find((each) => each.includes("9223"));
    assert.deepEqual(JSON.parse(full!), {
      yes: "false",
      small: "-2147483648",
      large: "9223372036854775807",
      amount: "-0.05",
      born: "0001-01-01",
      local: "1969-12-31 23:59:59.999999",
      seen: "9999-12-31T23:59:59.000001Z",
    });
    await lake.commit(table, { definition, upserts: [{ ...card(1, "A"), ...values }] });
    using scan = await table.scan((await table.load())!);
    const found = await lake.fixture.connection.rows(
      `SELECT id::INTEGER AS id, name, ${
        names.map((name) => `${name} IS NOT DISTINCT FROM ${values[name as "yes"]} AS ${name}`).join(", ")
      }
       FROM (${scan.sql}) ORDER BY id`,
    );
    const all = (is: boolean) => Object.fromEntries(names.map((name) => [name, is]));
    assert.deepEqual(found, [{ id: 1, name: "A", ...all(true) }, { id: 2, name: "b", ...all(false) }]);
  }),
);

Deno.test(
  "a column that rows are partitioned by may be renamed and widened without a file written anew, and not be dropped",
  onDeltaLake(async (lake) => {
    const small = column("small", types.int32);
    const definition: TableDefinition = { ...cards, columns: [...cards.columns, small], partitionBy: ["small"] };
    const table = lake.open();
    await table.create(definition);
    await lake.commit(table, {
      definition,
      upserts: [{ ...card(1, "a"), small: "5" }, { ...card(2, "b"), small: "6" }],
    });
    const wide = { ...cards, columns: [...cards.columns, column("large", types.int64)], partitionBy: ["small"] };
    await lake.commit(table, {
      definition: wide,
      schemaChanges: [
        { kind: "renameColumn", from: "small", to: "large" },
        { kind: "widenColumn", name: "large", type: types.int64 },
      ],
      upserts: [{ ...card(3, "c"), large: "9223372036854775807" }],
    });
    const actions = await lake.actions(2);
    assert.deepEqual(actions.flatMap(({ metaData }) => metaData?.partitionColumns ?? []), ["large"]);
    assert.deepEqual(actions.flatMap(({ add, remove }) => [add?.partitionValues ?? [], remove?.path ?? []].flat()), [
      { small: "9223372036854775807" },
    ]);
    await lake.commit(table, { definition: wide, upserts: [{ ...card(2, "B"), large: "6" }] });
    using scan = await table.scan((await lake.open().load())!);
    const rows = await lake.fixture.connection.rows(`SELECT id || ' ' || large AS row FROM (${scan.sql}) ORDER BY id`);
    assert.deepEqual(rows.map(({ row }) => row), ["1 5", "2 6", "3 9223372036854775807"]);
    const drop = (name: string) =>
      lake.commit(table, { definition: cards, schemaChanges: [{ kind: "dropColumn", name }] });
    await assert.rejects(drop("large"), {
      kind: "unsupportedSchemaChange",
      message: "Column large, by which the table is partitioned, was dropped",
    });
  }),
);

Deno.test(
  "an empty text, which readers would take for null, is refused before a file is written",
  onDeltaLake(async (lake) => {
    const table = lake.open();
    await table.create(byLand);
    const before = await lake.paths();
    const upserts = [holder(1, "DE"), holder(2, "")];
    await assert.rejects(lake.commit(table, { definition: byLand, upserts }), {
      kind: "unsupportedSchemaChange",
      message: "Column land, by which a Delta table is partitioned, holds an empty text, which readers take for null",
    });
    assert.deepEqual(await lake.paths(), before);
  }),
);

Deno.test(
  "a table that another writer partitioned is read and gone on with, whatever form its values have",
  onDeltaLake(async (lake) => {
    const definition: TableDefinition = {
      ...cards,
      key: [],
      columns: [...cards.columns, column("seen", types.timestamptz), column("amount", types.decimal(10, 2))],
    };
    const made = newTable({ ...definition, partitionBy: ["seen", "amount"] }, { deletes: "vectors", properties: {} });
    await lake.foreign(0, [{ protocol: made.protocol }, { metaData: made.metadata }]);
    const { connection, folder } = lake.fixture;
    const texts = [["2026-01-02 03:04:05", "1.5"], ["2026-01-02T03:04:05.1Z", null], ["2026-01-03", "-0.05"]] as const;
    for (const [index, [seen, amount]] of texts.entries()) {
      const path = `${index}.parquet`;
      await connection.run(
        `COPY (SELECT ${index}::BIGINT AS id, 'theirs' AS name) TO '${folder}/${lake.folder}/${path}'`,
      );
      const { bytes } = (await lake.storage.stat(`${lake.folder}/${path}`))!;
      const file = { path, size: bytes, modificationTime: 0, dataChange: true };
      await lake.foreign(index + 1, [{ add: { ...file, partitionValues: { seen, amount } } }]);
    }
    const table = lake.open();
    const upserts = [{ ...card(7, "ours"), seen: "TIMESTAMPTZ '2026-01-02 03:04:05+00'", amount: "1.50" }];
    await lake.commit(table, { definition, upserts });
    using scan = await table.scan((await table.load())!);
    const rows = await connection.rows(
      `SELECT concat_ws(' ', id, name, epoch_us(seen) - epoch_us(TIMESTAMP '2026-01-02 03:04:05'), amount) AS row
       FROM (${scan.sql}) ORDER BY id`,
    );
    assert.deepEqual(rows.map(({ row }) => row), [
      "0 theirs 0 1.50",
      "1 theirs 100000",
      "2 theirs 75355000000 -0.05",
      "7 ours 0 1.50",
    ]);
    const bad = { path: "0.parquet", size: 1, modificationTime: 0, dataChange: true };
    await lake.foreign(5, [{ add: { ...bad, partitionValues: { seen: "soon", amount: null } } }]);
    await assert.rejects(lake.open().load(), { kind: "tableUnreadable" });
  }),
);

Deno.test(
  "columns that no table can be partitioned by are refused where it is declared",
  onDeltaLake(async (lake) => {
    const columns = [...cards.columns, column("ratio", types.float64), column("tags", types.list(types.string))];
    const wrong = [["gone"], ["ratio"], ["tags"], ["name", "name"], ["id", "name", "ratio", "tags"]];
    for (const partitionBy of wrong) {
      const made = lake.open().create({ ...cards, columns, partitionBy });
      await assert.rejects(made, { kind: "configuration", message: /^Cannot partition bank.cards by / });
    }
    await assert.rejects(lake.open().create({ ...cards, partitionBy: ["id", "name"] }), {
      message: "Cannot partition bank.cards by id, name: no column is left beside them",
    });
  }),
);

Deno.test(
  "the past of a partitioned table is read, its changes are told, and a vacuum finds files whatever their folder is called",
  onDeltaLake(async (lake) => {
    const definition = { ...cards, columns: [...cards.columns, column("_land", types.string)], partitionBy: ["_land"] };
    const table = lake.open();
    await table.create(definition);
    const row = (id: number, land: string) => ({ ...card(id, "x"), _land: `'${land}'` });
    await lake.commit(table, { definition, upserts: [row(1, "DE"), row(2, "FR"), row(3, "IT")] });
    await lake.commit(table, { definition, upserts: [row(1, "FR")], removals: [{ id: "2" }] });
    const newest = (await table.load())!;
    const older = (await table.stateAt(newest, 1n))!;
    const texts = async (sql: string) =>
      (await lake.fixture.connection.rows(`SELECT id || ' ' || _land AS row FROM (${sql}) ORDER BY id`)).map((
        { row },
      ) => row);
    using past = await table.scan(older);
    assert.deepEqual(await texts(past.sql), ["1 DE", "2 FR", "3 IT"]);
    using changes = await table.changedRows(older, newest);
    assert.deepEqual([await texts(changes.before), await texts(changes.after)], [["1 DE", "2 FR"], ["1 FR"]]);
    const { paths } = await table.vacuum({ dryRun: false });
    assert.deepEqual(paths.map((path) => path.split("/").at(-2)), ["_land=DE", "_land=FR"]);
    assert.deepEqual(await texts((await table.scan((await lake.open().load())!)).sql), ["1 FR", "3 IT"]);
  }, { deletes: "rewrite", properties: { "delta.deletedFileRetentionDuration": "interval 0 seconds" } }),
);
