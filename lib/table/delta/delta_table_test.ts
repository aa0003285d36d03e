import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import { armFailPoints } from "../../fail_point.ts";
import { failOnceAt } from "../../testing/crash_at.ts";
import { card, cards, checkpointEvery, onDeltaLake } from "../../testing/delta_lake.ts";
import { relationOf } from "../../testing/relations.ts";
import type { DeltaTable } from "./delta_table.ts";
import { deltaFailPoints } from "./fail_points.ts";

/** Everything in a value as text, whatever classes it is made of. */
function plain(value: unknown): string {
  return JSON.stringify(value, (key, each) => {
    if (key === "checkpoint") return undefined;
    if (each instanceof Map) return [...each].sort(([left], [right]) => left < right ? -1 : 1);
    if (typeof each === "bigint") return `${each}n`;
    if (ArrayBuffer.isView(each)) return [...each as Uint8Array];
    return each !== null && typeof each === "object" && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([left], [right]) => left < right ? -1 : 1))
      : each;
  });
}

for (const deletes of ["vectors", "rewrite"] as const) {
  Deno.test(
    `by ${deletes}: what a commit keeps is what a new process reads`,
    onDeltaLake(async (lake) => {
      const table = lake.open();
      await table.create(cards);
      await lake.commit(table, { upserts: [card(1, "a"), card(2, "b"), card(3, "c")] });
      await lake.commit(table, { upserts: [card(2, "B"), card(4, "d")], removals: [{ id: "3" }, { id: "9" }] });
      assert.deepEqual(await lake.rows(table), ["1 a", "2 B", "4 d"]);
      await lake.commit(table, { upserts: [card(2, "bb")] });
      assert.deepEqual(await lake.rows(), ["1 a", "2 bb", "4 d"]);
      const state = (await lake.open().load())!;
      assert.deepEqual([state.rows, state.position?.offset], [3n, "0/3"]);
      assert.equal(plain(state), plain((await table.load())!));
      const vectors = [...state.files.values()].filter(({ add }) => add.deletionVector !== undefined);
      assert.equal(vectors.length, deletes === "vectors" ? 2 : 0);
    }, { deletes }),
  );
}

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
    const files = [...(await lake.open().load())!.files.keys()];
    const [anew] = files.filter((path) => !before.has(path));
    assert.match(anew!, /^day=2024-01-01\//);
    assert.deepEqual([files.length, await lake.rows()], [2, ["1 x", "3 x"]]);
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

Deno.test(
  "of two writers one commits, the other is told, and no row is lost",
  onDeltaLake(async (lake) => {
    const connections = [await lake.fixture.database.connect(), await lake.fixture.database.connect()];
    const tables = connections.map((connection) => lake.open({ connection }));
    await tables[0]!.create(cards);
    const write = async (table: DeltaTable, writer: number) => {
      let conflicts = 0;
      for (let step = 0; step < 12; step++) {
        const change = await lake.change({ upserts: [card(100 * writer + step, "own"), card(9, `${writer}.${step}`)] });
        for (let prepared;;) {
          const state = (await table.load())!;
          if (prepared !== undefined && !table.stillFits(state, prepared)) {
            await table.discard(prepared);
            prepared = undefined;
          }
          prepared ??= await table.prepare(state, change);
          const { outcome } = await table.commit(table.stage(state, prepared));
          assert.ok(outcome === "committed" || outcome === "conflict", outcome);
          if (outcome === "committed") break;
          conflicts++;
        }
      }
      return conflicts;
    };
    const conflicts = await Promise.all(tables.map((table, index) => write(table, index + 1)));
    assert.ok(conflicts.reduce((sum, each) => sum + each, 0) > 0, "the writers met");
    const rows = await lake.rows();
    assert.equal(rows.length, 25);
    assert.equal((await lake.open().load())!.version, 24);
  }, checkpointEvery(5)),
);

Deno.test(
  "a failure at any step loses nothing, and the next try commits once",
  onDeltaLake(async (lake) => {
    const table = lake.open();
    await table.create(cards);
    for (const [index, point] of deltaFailPoints.entries()) {
      const change = await lake.change({ upserts: [card(index, point), card(99, point)] });
      failOnceAt(point);
      const state = (await table.load())!;
      try {
        const staged = table.stage(state, await table.prepare(state, change));
        const { outcome } = await table.commit(staged);
        assert.equal(outcome, point === "delta.afterCommit" ? "unknown" : "retryable", point);
        assert.equal(await table.isCommitted(staged), point === "delta.afterCommit", point);
      } catch (thrown) {
        assert.match(String(thrown), /Planned failure/);
      } finally {
        armFailPoints(undefined);
      }
      if ((await lake.open().load())!.position?.offset !== change.position.offset) {
        const { outcome } = await table.commit(table.stage(state, await table.prepare(state, change)));
        assert.equal(outcome, "committed", point);
      }
      assert.equal((await lake.rows()).length, index + 2, point);
    }
  }),
);

Deno.test(
  "a lost answer is told apart from a lost commit",
  onDeltaLake(async (lake) => {
    const table = lake.open();
    await table.create(cards);
    for (const fault of ["before", "after"] as const) {
      const state = (await table.load())!;
      const staged = table.stage(state, await table.prepare(state, await lake.change({ upserts: [card(1, fault)] })));
      lake.storage.plan = (path) => path.includes("_delta_log") ? fault : undefined;
      assert.equal((await table.commit(staged)).outcome, "unknown");
      lake.storage.plan = () => undefined;
      assert.equal(await table.isCommitted(staged), fault === "after");
      assert.equal((await table.commit(staged)).outcome, "committed", "the same commit may be tried again");
    }
    assert.deepEqual(await lake.rows(), ["1 after"]);
  }),
);

Deno.test(
  "a change that is given up leaves no file",
  onDeltaLake(async (lake) => {
    const table = lake.open();
    await table.create(cards);
    await lake.commit(table, { upserts: [card(1, "a"), card(2, "b")] });
    const before = await lake.paths();
    const state = (await table.load())!;
    const prepared = await table.prepare(state, await lake.change({ upserts: [card(1, "x")] }));
    assert.equal((await lake.paths()).length, before.length + 2, "rows and a vector");
    await table.discard(prepared);
    assert.deepEqual(await lake.paths(), before);
  }),
);

Deno.test(
  "the key of a table that is there cannot be changed",
  onDeltaLake(async (lake) => {
    await lake.open().create(cards);
    assert.equal((await lake.open().create(cards)).version, 0);
    await assert.rejects(() => lake.open().create({ ...cards, key: [] }), { kind: "unsupportedSchemaChange" });
  }),
);
