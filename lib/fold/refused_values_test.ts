import assert from "node:assert/strict";
import type { LetterDraft } from "../change/dead_letter.ts";
import type { DatasetChanges, SpoolColumn, SpoolSegment } from "../change/micro_batch.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { SchemaChange } from "../dataset/schema_change.ts";
import { spoolLine, writeLines } from "../testing/scripted_spool.ts";
import { withDatabase } from "../testing/temporary.ts";
import { transformFixture } from "../testing/transform_context.ts";
import { fold } from "./fold.ts";

/** A number that the lake holds only where it is one. */
const number = (name: string): SpoolColumn => ({
  name,
  type: types.int32,
  sql: `TRY_CAST("${name}" AS INTEGER)`,
  fallible: true,
  reasonSql: `'not a number of ' || length("${name}") || ' characters'`,
});

const columns = [number("id"), number("part"), number("price")];

function definitionOf(names: readonly string[], key: readonly string[]): TableDefinition {
  return {
    namespace: "test",
    name: "rows",
    columns: names.map((name) => ({ name, type: types.int32, nullable: true })),
    key,
  };
}

/** Lines of a spool: texts by place, null for no value. */
type Line = readonly (string | number | null)[];

interface Part {
  readonly columns: readonly SpoolColumn[];
  readonly lines: readonly Line[];
  readonly layout?: "rows";
  readonly schemaChanges?: readonly SchemaChange[];
}

interface Folded {
  readonly rows: readonly (readonly unknown[])[];
  readonly letters: readonly LetterDraft[];
}

/** Folds segments; rows are `_ordinal`, `_delete` and the columns. */
function folded(
  parts: readonly Part[],
  given: { readonly key: readonly string[]; readonly definition: TableDefinition },
): Promise<Folded> {
  return withDatabase(async ({ connection, folder }) => {
    const segments: SpoolSegment[] = [];
    for (const [index, { columns, lines, layout = "changes", schemaChanges = [] }] of parts.entries()) {
      const path = `${folder}/${index}.csv`;
      const file = await writeLines(path, lines.map(spoolLine));
      const count = (op: string) => layout === "rows" ? 0 : lines.filter(([found]) => found === op).length;
      segments.push({
        layout,
        ...file,
        columns,
        rows: lines.length,
        inserts: layout === "rows" ? lines.length : count("I"),
        updates: count("U"),
        deletes: count("D"),
        keyChanges: 0,
        unchangedRows: 0,
        schemaChanges,
      });
    }
    const changes: DatasetChanges = { source: "public.rows", key: given.key, segments, deadLetters: [] };
    const { context, letters } = transformFixture(connection);
    const { name, definition } = await fold({ ...context, changes, definition: given.definition });
    const names = definition.columns.map((column) => `"${column.name}"`).join(", ");
    const rows = await connection.rows(
      `SELECT _ordinal, _delete, ${names} FROM "${name}" ORDER BY _ordinal, _delete DESC`,
    );
    return { rows: rows.map((row) => Object.values(row)), letters };
  });
}

const oneKey = { key: ["id"], definition: definitionOf(["id", "part", "price"], ["id"]) };
const twoKeys = { key: ["id", "part"], definition: definitionOf(["id", "part", "price"], ["id", "part"]) };

Deno.test("a value the lake cannot hold is null, with a letter that names key, column and reason; its row stays", async () => {
  const { rows, letters } = await folded([{
    columns,
    lines: [["I", 0, null, null, 1, 2, 3], ["I", 1, null, null, 2, "none", "a"], ["U", 2, null, null, 3, null, "free"]],
  }], oneKey);
  assert.deepEqual(rows, [[0n, false, 1, 2, 3], [1n, false, 2, null, null], [2n, false, 3, null, null]]);
  assert.deepEqual(letters, [
    { ordinal: 1n, key: '{"id":"2"}', column: "part", reason: "not a number of 4 characters" },
    { ordinal: 1n, key: '{"id":"2"}', column: "price", reason: "not a number of 1 characters" },
    { ordinal: 2n, key: '{"id":"3"}', column: "price", reason: "not a number of 4 characters" },
  ]);
});

Deno.test("a letter of an initial copy has the ordinal that the row has everywhere else", async () => {
  const lines = [[1, 1, 1], [2, 2, "a"], [3, 3, 3]];
  const { rows, letters } = await folded([{ columns, lines, layout: "rows" }], oneKey);
  assert.deepEqual(rows[1], [1n, false, 2, 2, null]);
  assert.deepEqual(letters.map(({ ordinal, key }) => [ordinal, key]), [[1n, '{"id":"2"}']]);
});

Deno.test("a row whose key the lake cannot hold is left out whole, with a letter for the row", async () => {
  const { rows, letters } = await folded([{
    columns,
    lines: [["I", 0, null, null, null, 1, "infinity", 3], ["I", 1, null, null, null, 1, 2, 3], [
      "D",
      2,
      null,
      null,
      null,
      "x",
      2,
      null,
    ]],
  }], twoKeys);
  assert.deepEqual(rows, [[1n, false, 1, 2, 3]]);
  assert.deepEqual(letters, [
    { ordinal: 2n, reason: "key column id: not a number of 1 characters" },
    { ordinal: 0n, reason: "key column part: not a number of 8 characters" },
  ]);
});

Deno.test("a row leaves the lake when it takes such a key, and enters it when it gives one up; no key is in part null", async () => {
  const { rows } = await folded([{
    columns,
    lines: [["U", 0, null, 1, 2, 1, "infinity", 3], ["U", 1, null, 5, "infinity", 5, 6, 7]],
  }], twoKeys);
  assert.deepEqual(rows, [[0n, true, 1, 2, null], [1n, false, 5, 6, 7]]);
});

Deno.test("a value is named also where the key column, or its own, has another name by the end of the batch", async () => {
  const renamed = ["id", "price"].map((from): SchemaChange => ({ kind: "renameColumn", from, to: `new_${from}` }));
  const parts: readonly Part[] = [
    { columns, lines: [["I", 0, null, null, 1, 2, "a"], ["I", 1, null, null, "b", 2, 3]] },
    {
      columns: [number("new_id"), number("part"), number("new_price")],
      lines: [["I", 2, null, null, 4, 5, "c"], ["U", 3, null, 1, 9, 5, 6]],
      schemaChanges: renamed,
    },
  ];
  const definition = definitionOf(["new_id", "part", "new_price"], ["new_id"]);
  for (const key of [["id"], ["new_id"]]) {
    const { rows, letters } = await folded(parts, { key, definition });
    assert.deepEqual(rows, [[2n, false, 4, 5, null], [3n, false, 9, 5, 6]]);
    assert.deepEqual(letters, [
      { ordinal: 1n, reason: "key column id: not a number of 1 characters" },
      { ordinal: 0n, key: '{"new_id":"1"}', column: "price", reason: "not a number of 1 characters" },
      { ordinal: 2n, key: '{"new_id":"4"}', column: "new_price", reason: "not a number of 1 characters" },
    ]);
  }
});
