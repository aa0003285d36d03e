import assert from "node:assert/strict";
import { WeirError } from "../../errors.ts";
import { withDatabase } from "../../testing/temporary.ts";
import { manyNotes, type Note, VectorLake } from "../../testing/vector_lake.ts";
import { indexTable } from "./index_table.ts";
import type { RowFilter } from "./row_filter.ts";
import { similar, type SimilarOptions, type SimilarRows } from "./similar.ts";
import { VectorIndex } from "./vector_index.ts";

const formats = ["iceberg", "paimon", "delta"] as const;

const notes: readonly Note[] = [
  { id: 1, text: "Grocery shop at the corner", stars: 3 },
  { id: 2, text: "Grocery shop in the mall", stars: 5 },
  { id: 3, text: "Petrol for the car", stars: 3 },
  { id: 4, text: "Grocery shop at the corner", stars: 1 },
  { id: 5 },
];

function ids({ rows }: SimilarRows): readonly unknown[] {
  return rows.map(({ row }) => Number(row.id));
}

/** An index may miss a few, and knows three digits: of ten rows eight at least are as near as those that comparing all finds. */
function assertAsNear(found: SimilarRows, exact: SimilarRows): void {
  assert.equal(found.rows.length, exact.rows.length);
  const least = exact.rows.at(-1)!.similarity - 0.001;
  const near = found.rows.filter(({ similarity }) => similarity >= least).length;
  assert.ok(near >= 0.8 * exact.rows.length, `${near} of ${exact.rows.length}`);
}

function fails(kind: string, matching: RegExp): (thrown: unknown) => boolean {
  return (thrown) =>
    thrown instanceof WeirError && thrown.kind === kind && matching.test(`${thrown.message} | ${thrown.advice}`);
}

for (const format of formats) {
  Deno.test(`${format}: rows are found by a row, which is not among them, and by a text, nearest first`, () =>
    withDatabase(async (fixture) => {
      const table = new VectorLake(fixture, { format });
      await table.write(notes);
      const find = (options: Omit<SimilarOptions, "table">) => similar(table.lake, { table: table.place, ...options });
      const byRow = await find({ near: { key: { id: 1 } }, columns: ["id", "note"] });
      assert.deepEqual(ids(byRow), [4, 2, 3]);
      assert.ok(Math.abs(byRow.rows[0]!.similarity - 1) < 1e-6);
      assert.deepEqual(byRow.rows[1]!.row, { id: 2n, note: "Grocery shop in the mall" });
      assert.deepEqual([byRow.comparable, byRow.census.withoutVector], [4n, 1n]);
      const byText = await find({ near: { text: "petrol" }, top: 1 });
      assert.deepEqual(ids(byText), [3]);
      assert.deepEqual(Object.keys(byText.rows[0]!.row), ["id", "note", "stars"]);
      const filtered = await find({
        near: { text: "grocery" },
        filters: [{ column: "stars", is: ">=", value: 3 }, { column: "id", is: "!=", value: "1" }],
      });
      assert.deepEqual(ids(filtered), [2, 3]);
    }));

  Deno.test(`${format}: an index behind its table shows what came since, and nothing that is gone`, () =>
    withDatabase(async (fixture) => {
      const table = new VectorLake(fixture, { format });
      await table.write(manyNotes(0, 300));
      using index = new VectorIndex(`${fixture.folder}/index`);
      const refresh = () => indexTable(table.lake, { table: table.place, index, threads: 2 });
      const find = (near: SimilarOptions["near"], options: Partial<SimilarOptions> = {}) =>
        similar(table.lake, { table: table.place, near, index, indexFromRows: 0, top: 5, ...options });
      assert.deepEqual((await find({ text: "x" })).scanReason, "there is no index");
      assert.deepEqual(pick(await refresh()), ["built", 300]);
      assert.deepEqual(pick(await refresh()), ["current", 0]);

      const before = await find({ key: { id: 60 } });
      assert.equal(before.index?.textsSince, 0);
      assertAsNear(before, await find({ key: { id: 60 } }, { index: undefined }));

      const [nearest = 0, second = 0] = ids(before) as number[];
      await table.remove(nearest);
      await table.write([
        { id: second, text: "something else" },
        ...manyNotes(60, 1).map((note) => ({ ...note, id: 9001 })),
      ]);
      const after = await find({ key: { id: 60 } });
      assert.deepEqual([after.index?.textsSince, after.scanReason], [1, undefined]);
      assert.equal(ids(after)[0], 9001);
      assert.ok(!ids(after).includes(nearest) && !ids(after).includes(second));
      assertAsNear(after, await find({ key: { id: 60 } }, { index: undefined }));

      // A text that the graph has already is not added again.
      assert.deepEqual(pick(await refresh()), ["added to", 1]);
      const caughtUp = await find({ key: { id: 60 } });
      assert.equal(caughtUp.index?.textsSince, 0);
      assertAsNear(caughtUp, after);
    }));
}

function pick({ how, added }: { readonly how: string; readonly added: number }): readonly unknown[] {
  return [how, added];
}

Deno.test("a condition that few of the nearest rows meet is met by all rows that are found, index or not", () =>
  withDatabase(async (fixture) => {
    const table = new VectorLake(fixture, { format: "iceberg" });
    await table.write(manyNotes(0, 2000).map((note) => ({ ...note, stars: note.id % 400 })));
    using index = new VectorIndex(`${fixture.folder}/index`);
    await indexTable(table.lake, { table: table.place, index });
    const find = (filter: RowFilter, by: VectorIndex | undefined) =>
      similar(table.lake, {
        table: table.place,
        near: { key: { id: 8 } },
        filters: [filter],
        indexFromRows: 0,
        index: by,
      });
    for (
      const { filter, rows, scanReason } of [
        { filter: { column: "stars", is: "<", value: 40 }, rows: 10, scanReason: undefined },
        {
          filter: { column: "stars", is: "=", value: 7 },
          rows: 5,
          scanReason: "too few of the nearest rows meet the condition",
        },
      ] as const
    ) {
      const found = await find(filter, index);
      assert.deepEqual([found.rows.length, found.scanReason], [rows, scanReason]);
      assertAsNear(found, await find(filter, undefined));
    }
  }));

Deno.test("vectors of another model are left out, counted, and refused where they are asked for", () =>
  withDatabase(async (fixture) => {
    const table = new VectorLake(fixture, { format: "iceberg" });
    await table.write(notes);
    await table.write([{ id: 6, text: "Grocery shop at the corner" }, { id: 7, text: "Rent" }], 256);
    const find = (near: SimilarOptions["near"]) => similar(table.lake, { table: table.place, near });
    const byDefault = await find({ text: "grocery" });
    assert.deepEqual([byDefault.space.dimensions, byDefault.comparable, byDefault.rows.length], [128, 4n, 4]);
    assert.deepEqual(byDefault.census.spaces.map(({ dimensions, rows }) => [dimensions, rows]), [[128, 4n], [256, 2n]]);
    assert.deepEqual(ids(await find({ key: { id: 6 } })), [7]);
    assert.deepEqual(ids(await find({ text: "rent", model: "hash:256" })), [7, 6]);
    const other = find({ text: "rent", model: "hash:384" });
    await assert.rejects(other, fails("precondition", /is of .* \(384 dimensions\): they are of .*128.*256.*--model/));
  }));

Deno.test("what cannot be looked for is refused with what can", () =>
  withDatabase(async (fixture) => {
    const table = new VectorLake(fixture, { format: "paimon", key: ["id"] });
    await table.write([{ id: 5 }]);
    const find = (options: Partial<SimilarOptions>) =>
      similar(table.lake, { table: table.place, near: { key: { id: 1 } }, ...options });
    await assert.rejects(find({}), fails("precondition", /No row .* has a vector/));
    await table.write(notes);
    await assert.rejects(find({ near: { key: { id: 77 } } }), fails("precondition", /no row with this key/));
    await assert.rejects(find({ near: { key: { id: 5 } } }), fails("precondition", /has no vector.*dead letters/));
    await assert.rejects(find({ near: { key: {} } }), fails("configuration", /The key .* has id too/));
    await assert.rejects(
      find({ near: { key: { idd: 1 } } }),
      fails("configuration", /no column "idd".*Did you mean id\?/),
    );
    await assert.rejects(
      find({ near: { key: { id: "one" } } }),
      fails("configuration", /^--id "one" is no value of desk\.notes\.id \(BIGINT\) \| Give a whole number from -92/),
    );
    await assert.rejects(find({ near: { key: { id: "1.5" } } }), fails("configuration", /--id "1\.5" is no value/));
    await assert.rejects(
      find({ near: { key: { id: "9".repeat(20) } } }),
      fails("configuration", /to 9223372036854775807$/),
    );
    await assert.rejects(find({ columns: ["nota"] }), fails("configuration", /Did you mean note\?/));
    const filter = (column: string, value: string) => find({ filters: [{ column, is: "=", value }] });
    await assert.rejects(filter("star", "1"), fails("configuration", /Did you mean stars\?/));
    await assert.rejects(
      filter("stars", "'; DROP"),
      fails(
        "configuration",
        /^--filter "stars='; DROP": "'; DROP" is no value of desk\.notes\.stars \(INTEGER\) \| Give/,
      ),
    );
    await assert.rejects(
      filter("embedding_timestamp", "soon"),
      fails("configuration", /for example 2026-01-31 12:30:00/),
    );
    await assert.rejects(filter("embedding_vector", "1"), fails("configuration", /it holds FLOAT\[\]/));
    await assert.rejects(find({ near: { text: "" } }), fails("configuration", /cannot be embedded: the text is empty/));
    const elsewhere = { ...table.place, name: "letters" };
    await assert.rejects(
      find({ table: elsewhere }),
      fails("precondition", /The lake has no paimon table desk.letters/),
    );
    assert.deepEqual(ids(await find({ filters: [{ column: "note", is: "=", value: "' OR 1=1 --" }] })), []);
  }));

Deno.test("a table without a key is searched by a text, and says so when it is asked by a row", () =>
  withDatabase(async (fixture) => {
    const table = new VectorLake(fixture, { format: "iceberg", key: [] });
    await table.write(notes);
    const find = (near: SimilarOptions["near"]) => similar(table.lake, { table: table.place, near, top: 1 });
    assert.deepEqual(ids(await find({ text: "petrol" })), [3]);
    await assert.rejects(find({ key: { id: 1 } }), fails("configuration", /has no key.*--text/));
  }));
