import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import { onDeltaLake } from "../../testing/delta_lake.ts";
import { relationOf } from "../../testing/relations.ts";
import { card, cards } from "../../testing/table_lake.ts";

Deno.test(
  "a file none of whose rows stay leaves whole",
  onDeltaLake(async (lake) => {
    const table = lake.open();
    await table.create(cards);
    await lake.commit(table, { upserts: [card(1, "a"), card(2, "b")] });
    await lake.commit(table, { removals: [{ id: "1" }] });
    await lake.commit(table, { removals: [{ id: "2" }] });
    assert.equal((await table.load())!.files.size, 0);
    const removals = (await lake.actions(3)).filter(({ remove, add }) => remove !== undefined || add !== undefined);
    assert.equal(removals.length, 1);
    assert.equal(removals[0]!.remove!.deletionVector!.cardinality, 1, "removed under the vector it had");
  }),
);

Deno.test(
  "a change is one version: old file out, same file in under its new vector, new rows, and the position",
  onDeltaLake(async (lake) => {
    const table = lake.open();
    await table.create(cards);
    await lake.commit(table, { upserts: [card(1, "a"), card(2, "b")] });
    await lake.commit(table, { upserts: [card(2, "B")] });
    const actions = await lake.actions(2);
    const info = actions[0]!.commitInfo!;
    assert.equal(info["weir.position"], "test:1/1@0/2");
    assert.deepEqual(actions.flatMap(({ txn }) => txn ?? []).map(({ appId, version }) => [appId, version]), [[
      "weir",
      2n,
    ]]);
    const [remove] = actions.flatMap(({ remove }) => remove ?? []);
    const added = actions.flatMap(({ add }) => add ?? []);
    assert.equal(remove!.deletionVector, undefined);
    const marked = added.find(({ path }) => path === remove!.path)!;
    assert.equal(marked.deletionVector!.cardinality, 1);
    assert.match(marked.stats!, /"numRecords":2.*"tightBounds":false/);
    assert.equal(added.length, 2);
    for (const { path, size } of added) {
      assert.equal((await lake.storage.stat(`${lake.folder}/${path}`))!.bytes, size);
    }
  }),
);

Deno.test(
  "a widened column has its files written anew, so that no reader meets two widths; the rows count as unchanged",
  onDeltaLake(async (lake) => {
    const narrow = { ...cards, columns: [...cards.columns, { name: "n", type: types.int32, nullable: true }] };
    const table = lake.open();
    await table.create(narrow);
    await lake.commit(table, {
      definition: narrow,
      upserts: [{ ...card(1, "a"), n: "7" }, { ...card(2, "b"), n: "8" }],
    });
    await lake.commit(table, { definition: narrow, removals: [{ id: "2" }] });
    const wide = { ...cards, columns: [...cards.columns, { name: "n", type: types.int64, nullable: true }] };
    await lake.commit(table, {
      definition: wide,
      schemaChanges: [{ kind: "widenColumn", name: "n", type: types.int64 }],
      upserts: [{ ...card(3, "c"), n: "9007199254740993" }],
    });
    const paths = [...(await table.load())!.files.keys()].map((path) =>
      `'${lake.fixture.folder}/${lake.folder}/${path}'`
    );
    const physical = await lake.fixture.connection.rows(
      `SELECT DISTINCT type FROM parquet_schema([${paths}]) WHERE name = 'n'`,
    );
    assert.deepEqual(physical.map(({ type }) => type), ["INT64"]);
    const actions = await lake.actions(3);
    const changes = actions.flatMap(({ add, remove }) => add?.dataChange ?? remove?.dataChange ?? []);
    assert.deepEqual(changes.sort(), [false, false, true]);
    assert.deepEqual(await lake.rows(), ["1 a", "3 c"]);
  }),
);

Deno.test(
  "a file that is written anew stays with its day",
  onDeltaLake(async (lake) => {
    const seen = { name: "seen", type: types.timestamptz, nullable: true };
    const definition = { ...cards, columns: [...cards.columns, seen], partitionByDay: "seen" };
    const table = lake.open();
    await table.create(definition);
    const at = (id: number, day: number) => ({ ...card(id, "x"), seen: `'2024-01-0${day} 12:00:00+00'` });
    await lake.commit(table, { definition, upserts: [at(1, 1), at(2, 1), at(3, 2)] });
    const before = new Set((await table.load())!.files.keys());
    await lake.commit(table, { definition, removals: [{ id: "2" }] });
    const { files } = (await lake.open().load())!;
    assert.ok([...files.values()].every(({ add }) => add.deletionVector === undefined));
    const [anew] = [...files.keys()].filter((path) => !before.has(path));
    assert.match(anew!, /^day=2024-01-01\//);
    assert.deepEqual([files.size, await lake.rows()], [2, ["1 x", "3 x"]]);
  }, { deletes: "rewrite" }),
);

Deno.test(
  "parts of a load become visible together, also with a column that is new",
  onDeltaLake(async (lake) => {
    const table = lake.open();
    await table.create(cards);
    await lake.commit(table, {
      schemaChanges: [{ kind: "renameColumn", from: "name", to: "label" }],
      definition: { ...cards, columns: [cards.columns[0]!, { name: "label", type: types.string, nullable: true }] },
    });
    const definition = {
      ...cards,
      columns: [cards.columns[0]!, { name: "label", type: types.string, nullable: true }, {
        name: "name",
        type: types.string,
        nullable: true,
      }],
    };
    const state = (await table.load())!;
    const change = await lake.change({ truncate: true, definition });
    const part = async (id: number, name: string) => {
      const rows = [card(id, name)];
      const upserts = await relationOf(lake.fixture.connection, { definition, rows, replaces: false });
      return await table.prepare(state, { ...change, upserts });
    };
    const prepared = table.combine([await part(1, "a"), await part(2, "b")]);
    assert.equal((await lake.open().load())!.rows, 0n);
    assert.equal((await table.commit(table.stage(state, prepared))).outcome, "committed");
    assert.deepEqual(await lake.rows(), ["1 a", "2 b"]);
  }),
);
