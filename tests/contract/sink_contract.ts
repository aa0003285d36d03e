/** What every sink must keep, as one suite; a format is one call. Faults have a suite of their own (`tests/crash/sink_faults.ts`). */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import { evolveColumns, type SchemaChange } from "../../lib/dataset/schema_change.ts";
import { WeirError } from "../../lib/errors.ts";
import {
  cards,
  type ChangeContent,
  holders,
  position,
  type SinkFormat,
  type SinkUnderTest,
  withSink,
} from "./sink_fixture.ts";

type Body = (context: SinkUnderTest) => Promise<void>;

const ann = { id: "1", name: "'Ann'", balance: "1.50", seen: "'2024-01-01 00:00:00+00'", tags: "['a', NULL, '']" };
const ben = { id: "2", name: "'Ben'", balance: "-0.01", tags: "[]" };

/** Registers the suite for one format. */
export function sinkContract(format: SinkFormat): void {
  const promise = (title: string, body: Body, definition = holders) =>
    Deno.test(`sink ${format.name}: ${title}`, () => withSink(format, body, definition));
  registerRows(promise);
  registerHistory(promise);
  registerSample(promise, format);
  registerChildren(promise);
  registerPositions(promise);
  registerLoads(promise);
  registerSchemaChanges(promise);
  registerWidening(promise);
}

type Register = (title: string, body: Body, definition?: typeof holders) => void;

function registerRows(promise: Register): void {
  promise("a table that was never written has no rows, no position and no scan", async ({ sink }) => {
    assert.deepEqual(await sink.status(), { rows: 0n });
    assert.equal(await sink.scan(), undefined);
  });

  promise("rows that are new are there, whole, for a new process", async (context) => {
    const status = await context.commit(1, { inserts: [ann, ben] });
    assert.equal(status.rows, 2n);
    assert.deepEqual(await context.rows(), [
      ["1", "Ann", "1.50", "2024-01-01 00:00:00+00", "[a, NULL, '']"],
      ["2", "Ben", "-0.01", null, "[]"],
    ]);
    assert.deepEqual(
      (await context.sink.status()).columns?.map(({ name }) => name),
      holders.columns.map(({ name }) => name),
    );
  });

  promise("an upsert replaces the row of its key and adds where there is none", async (context) => {
    await context.commit(1, { inserts: [ann, ben] });
    await context.commit(2, { upserts: [{ ...ann, name: "'Anna'" }, { id: "3", name: "NULL" }] });
    await context.commit(3, { upserts: [{ ...ann, name: "'Anne'" }] });
    await context.holds({ 1: "Anne", 2: "Ben", 3: null }, position(3));
  });

  promise("a removal takes the row of its key; an unknown key harms nothing", async (context) => {
    await context.commit(1, { inserts: [ann, ben] });
    await context.commit(2, { removals: [{ id: "1" }, { id: "9" }] });
    await context.holds({ 2: "Ben" }, position(2));
    await context.commit(3, { removals: [{ id: "2" }] });
    await context.holds({}, position(3));
    await context.commit(4, { inserts: [ann] });
    await context.holds({ 1: "Ann" }, position(4));
  });

  promise("a key both removed and upserted in one change keeps the upsert", async (context) => {
    await context.commit(1, { inserts: [ann, ben] });
    await context.commit(2, { removals: [{ id: "1" }, { id: "2" }], upserts: [{ id: "1", name: "'New'" }] });
    await context.holds({ 1: "New" }, position(2));
  });

  promise("a truncate empties the table before the rows of its own change", async (context) => {
    await context.commit(1, { inserts: [ann, ben] });
    await context.commit(2, { truncate: true, inserts: [{ id: "2", name: "'After'" }] });
    await context.holds({ 2: "After" }, position(2));
    await context.commit(3, { truncate: true });
    await context.holds({}, position(3));
    await context.commit(4, { upserts: [ann] });
    await context.holds({ 1: "Ann" }, position(4));
  });
}

function registerHistory(promise: Register): void {
  promise("twenty-five commits of updates and removals read as the last of each key", async (context) => {
    await context.commit(1, { inserts: Array.from({ length: 20 }, (_, id) => ({ id: `${id}`, name: "'v1'" })) });
    const expected = new Map(Array.from({ length: 20 }, (_, id) => [`${id}`, "v1"]));
    for (let n = 2; n <= 26; n++) {
      const [updated, removed] = [`${(n * 7) % 20}`, `${(n * 11 + 3) % 20}`];
      const upserts = updated === removed ? [] : [{ id: updated, name: `'v${n}'` }];
      await context.commit(n, { upserts, removals: [{ id: removed }] });
      expected.delete(removed);
      if (updated !== removed) expected.set(updated, `v${n}`);
    }
    await context.holds(Object.fromEntries(expected), position(26));
  });

  promise("a scan goes on reading its snapshot while the table is changed, on any connection", async (context) => {
    await context.commit(1, { inserts: [ann, ben, { id: "3", name: "'Cid'" }] });
    await context.commit(2, { removals: [{ id: "3" }], upserts: [{ ...ben, name: "'Bob'" }] });
    using scan = await context.sink.scan();
    await context.commit(3, { upserts: [{ ...ann, name: "'Later'" }, { id: "4" }], removals: [{ id: "2" }] });
    const other = await context.database.connect();
    for (const connection of [context.connection, other]) {
      const names = await connection.value(`SELECT string_agg(name, ',' ORDER BY id) FROM (${scan!.sql})`);
      assert.equal(names, "Ann,Bob");
    }
    other.close();
  });
}

function registerSample(promise: Register, { hasStorage, countsRows }: SinkFormat): void {
  promise(
    "a sample is of one file, the one with the most rows, and has none that was deleted in it",
    async (context) => {
      const names = async () => {
        using sample = await context.sink.sample();
        const rows = await context.connection.rows(`SELECT DISTINCT name FROM (${sample!.sql}) ORDER BY name`);
        return rows.map(({ name }) => name);
      };
      assert.equal(await context.sink.sample(), undefined);
      await context.commit(1, { inserts: [{ id: "100", name: "'early'" }] });
      await context.commit(2, {
        inserts: Array.from({ length: 20 }, (_, id) => ({ id: `${id}`, name: id === 7 ? "'gone'" : "'most'" })),
      });
      await context.commit(3, { removals: [{ id: "7" }], inserts: [{ id: "101", name: "'late'" }] });
      const found = await names();
      // Where a table is one piece the sample is all of it; where a removal waits to be merged the row may still be seen.
      if (!hasStorage) assert.deepEqual(found, ["early", "late", "most"]);
      else assert.deepEqual(found.filter((name) => countsRows || name !== "gone"), ["most"]);
      await context.commit(4, { truncate: true });
      assert.deepEqual(await names(), []);
    },
  );
}

function registerChildren(promise: Register): void {
  const card = (id: number, ordinal: number) => ({ id: `${id}`, ordinal: `${ordinal}`, number: `'${id}-${ordinal}'` });
  const numbers = async (context: SinkUnderTest) => (await context.rows("number")).flat();

  promise("a removal by the parent's key takes all its children", async (context) => {
    await context.commit(1, { inserts: [card(1, 0), card(1, 1), card(2, 0), card(3, 0)] });
    await context.commit(2, { scope: ["id"], removals: [{ id: "1" }, { id: "3" }, { id: "7" }] });
    assert.deepEqual(await numbers(context), ["2-0"]);
  }, cards);

  promise("children are replaced as a whole: fewer, more, and others of the same ordinal", async (context) => {
    await context.commit(1, { inserts: [card(1, 0), card(1, 1), card(2, 0)] });
    await context.commit(2, {
      scope: ["id"],
      removals: [{ id: "1" }, { id: "2" }],
      upserts: [{ ...card(1, 0), number: "'new'" }, card(2, 0), card(2, 1)],
    });
    assert.deepEqual(await numbers(context), ["2-0", "2-1", "new"]);
  }, cards);
}

function registerPositions(promise: Register): void {
  promise("the position comes with the data and a new process reads it", async (context) => {
    await context.commit(1, { inserts: [ann] });
    assert.deepEqual((await context.reopen().status()).position, position(1));
    await context.commit(2, {});
    await context.holds({ 1: "Ann" }, position(2));
  });

  promise("progress is recorded without data, and can be taken away", async (context) => {
    await context.commit(1, { inserts: [ann] });
    await context.sink.recordPosition(position(5));
    await context.holds({ 1: "Ann" }, position(5));
    await context.sink.commit(await context.change(6, { upserts: [ben] }));
    await context.sink.recordPosition(undefined);
    await context.holds({ 1: "Ann", 2: "Ben" }, undefined);
    await context.commit(7, { removals: [{ id: "1" }] });
    await context.holds({ 2: "Ben" }, position(7));
  });

  promise("a second writer is fenced, its rows are not there, and the first goes on", async (context) => {
    await context.commit(1, { inserts: [ann] });
    const second = context.lake.open(context.definition);
    await second.status();
    const first = context.sink;
    await first.commit(await context.change(2, { upserts: [ben] }));
    const late = await context.change(2, { upserts: [{ id: "3", name: "'Second'" }] });
    await assert.rejects(second.commit(late), isFenced);
    await first.commit(await context.change(3, { upserts: [{ ...ann, name: "'First'" }] }));
    await context.holds({ 1: "First", 2: "Ben" }, position(3));
  });

  promise("a second writer cannot record progress over the first", async (context) => {
    await context.commit(1, { inserts: [ann] });
    const second = context.lake.open(context.definition);
    await second.status();
    await context.commit(2, { upserts: [ben] });
    await assert.rejects(second.recordPosition(position(9)), isFenced);
    await context.holds({ 1: "Ann", 2: "Ben" }, position(2));
  });
}

function isFenced(thrown: unknown): boolean {
  return thrown instanceof WeirError && thrown.kind === "fenced";
}

function registerLoads(promise: Register): void {
  promise("the parts of a load become visible together, with its position", async (context) => {
    const load = await context.sink.load(await context.change(1));
    await load.add(await context.relation([ann]));
    assert.equal((await context.lake.open(context.definition).status()).rows, 0n);
    await load.add(await context.relation([ben]));
    await load.commit();
    await context.holds({ 1: "Ann", 2: "Ben" }, position(1));
  });

  promise("a load that truncates replaces what was there, all parts of it", async (context) => {
    await context.commit(1, { inserts: [ann, { id: "7", name: "'Old'" }] });
    const load = await context.sink.load(await context.change(2, { truncate: true }));
    for (const row of [{ ...ann, name: "'Copied'" }, ben, { id: "3" }]) await load.add(await context.relation([row]));
    await context.holds({ 1: "Ann", 7: "Old" }, position(1));
    await load.commit();
    await context.holds({ 1: "Copied", 2: "Ben", 3: null }, position(2));
  });

  promise("a load without parts makes an empty table with a position", async (context) => {
    const load = await context.sink.load(await context.change(1));
    await load.commit();
    await context.holds({}, position(1));
  });

  promise("a load that is abandoned after its commit keeps its rows", async (context) => {
    await context.commit(1, { inserts: [ann] });
    const load = await context.sink.load(await context.change(2, { truncate: true }));
    await load.add(await context.relation([ben]));
    await load.commit();
    await load.abandon();
    await context.holds({ 2: "Ben" }, position(2));
  });

  promise("an abandoned load leaves the table as it was", async (context) => {
    await context.commit(1, { inserts: [ann] });
    const load = await context.sink.load(await context.change(2, { truncate: true }));
    await load.add(await context.relation([ben]));
    await load.abandon();
    await context.holds({ 1: "Ann" }, position(1));
    await context.commit(2, { upserts: [ben] });
    await context.holds({ 1: "Ann", 2: "Ben" }, position(2));
  });
}

/** A commit's schema changes with the definition that they lead to. */
function after(changes: readonly SchemaChange[]): Pick<ChangeContent, "schemaChanges" | "definition"> {
  return { schemaChanges: changes, definition: { ...holders, columns: evolveColumns(holders.columns, changes) } };
}

function registerSchemaChanges(promise: Register): void {
  promise("an added column is NULL in the rows before it", async (context) => {
    await context.commit(1, { inserts: [ann] });
    const email = { name: "e mail", type: types.string, nullable: true } as const;
    await context.commit(2, {
      ...after([{ kind: "addColumn", column: email }]),
      upserts: [{ id: "2", "e mail": "'b@x'" }],
    });
    assert.deepEqual(await context.rows(`id::VARCHAR, "e mail"`), [["1", null], ["2", "b@x"]]);
  });

  promise("a renamed column keeps its values, a dropped one leaves, a widened one holds both", async (context) => {
    await context.commit(1, { inserts: [ann] });
    const changes: readonly SchemaChange[] = [
      { kind: "renameColumn", from: "name", to: "full_name" },
      { kind: "widenColumn", name: "balance", type: types.decimal(18, 2) },
      { kind: "dropColumn", name: "seen" },
    ];
    const row = { id: "2", full_name: "'Big'", balance: "1234567890123456.78" };
    await context.commit(2, { ...after(changes), upserts: [row] });
    assert.deepEqual(await context.rows(), [
      ["1", "Ann", "1.50", "[a, NULL, '']"],
      ["2", "Big", "1234567890123456.78", null],
    ]);
  });

  promise("a column dropped and added again does not show its old values", async (context) => {
    await context.commit(1, { inserts: [ann] });
    const again = { name: "name", type: types.int32, nullable: true } as const;
    const changes: readonly SchemaChange[] = [{ kind: "dropColumn", name: "name" }, {
      kind: "addColumn",
      column: again,
    }];
    await context.commit(2, { ...after(changes), upserts: [{ id: "2", name: "5" }] });
    assert.deepEqual(await context.rows("id::VARCHAR, name"), [["1", null], ["2", 5]]);
  });

  promise("a schema change that is there already changes nothing", async (context) => {
    await context.commit(1, { inserts: [ann] });
    const changes: readonly SchemaChange[] = [
      { kind: "addColumn", column: { name: "extra", type: types.int32, nullable: true } },
      { kind: "renameColumn", from: "name", to: "full_name" },
      { kind: "widenColumn", name: "balance", type: types.decimal(18, 2) },
      { kind: "dropColumn", name: "tags" },
    ];
    await context.commit(2, { ...after(changes), upserts: [{ id: "2", extra: "7" }] });
    context.reopen();
    await context.commit(3, { ...after(changes), upserts: [{ id: "3", extra: "8" }] });
    const columns = (await context.sink.status()).columns?.map(({ name }) => name);
    assert.deepEqual(columns, ["id", "full_name", "balance", "seen", "extra"]);
    assert.deepEqual(await context.rows("id::VARCHAR, full_name, extra"), [["1", "Ann", null], ["2", null, 7], [
      "3",
      null,
      8,
    ]]);
  });
}

function registerWidening(promise: Register): void {
  promise("integers and floats widen, rows of both widths read alike", async (context) => {
    await context.commit(1, { inserts: [{ id: "1", small: "2147483647", real: "1.5" }] });
    const changes: readonly SchemaChange[] = [
      { kind: "widenColumn", name: "small", type: types.int64 },
      { kind: "widenColumn", name: "real", type: types.float64 },
    ];
    const definition = { ...numbers, columns: evolveColumns(numbers.columns, changes) };
    await context.commit(2, {
      schemaChanges: changes,
      definition,
      upserts: [{ id: "2", small: "9007199254740993", real: "0.1" }],
    });
    assert.deepEqual(await context.rows("id::VARCHAR, small::VARCHAR, real"), [["1", "2147483647", 1.5], [
      "2",
      "9007199254740993",
      0.1,
    ]]);
    await context.commit(3, { definition, removals: [{ id: "1" }] });
    assert.deepEqual(await context.rows("id::VARCHAR"), [["2"]]);
  }, numbers);

  promise("a load in parts replaces rows of narrower columns", async (context) => {
    await context.commit(1, { inserts: [{ id: "1", small: "7" }] });
    const changes: readonly SchemaChange[] = [{ kind: "widenColumn", name: "small", type: types.int64 }];
    const definition = { ...numbers, columns: evolveColumns(numbers.columns, changes) };
    const load = await context.sink.load(
      await context.change(2, { schemaChanges: changes, definition, truncate: true }),
    );
    for (const id of ["1", "2", "3"]) {
      await load.add(await context.relation([{ id, small: "9007199254740993" }], definition));
    }
    await load.commit();
    assert.deepEqual(await context.rows("id::VARCHAR, small::VARCHAR"), [
      ["1", "9007199254740993"],
      ["2", "9007199254740993"],
      ["3", "9007199254740993"],
    ]);
  }, numbers);

  promise("schema change, truncate, removal and upsert happen in one commit", async (context) => {
    await context.commit(1, { inserts: [ann, ben] });
    const changes: readonly SchemaChange[] = [{ kind: "renameColumn", from: "name", to: "label" }];
    await context.commit(2, {
      ...after(changes),
      truncate: true,
      removals: [{ id: "4" }],
      upserts: [{ id: "2", label: "'x'" }],
    });
    assert.deepEqual(await context.rows("id::VARCHAR, label"), [["2", "x"]]);
  });
}

const numbers: typeof holders = {
  namespace: "bank",
  name: "numbers",
  key: ["id"],
  columns: [
    { name: "id", type: types.string, nullable: false },
    { name: "small", type: types.int32, nullable: true },
    { name: "real", type: types.float32, nullable: true },
  ],
};
