import assert from "node:assert/strict";
import type { Column } from "../../dataset/column.ts";
import { types } from "../../dataset/column_type.ts";
import type { SchemaChange } from "../../dataset/schema_change.ts";
import { columnsOf, newSchema, type NumberedSchema } from "./schema.ts";
import { evolveSchema, registerSchema } from "./schema_evolution.ts";

const columns: readonly Column[] = [
  { name: "id", type: types.int64, nullable: false },
  { name: "vector", type: types.list(types.float32), nullable: true },
  { name: "amount", type: types.decimal(10, 2), nullable: true, doc: "in cents" },
];
const first = newSchema({ namespace: "n", name: "t", key: ["id"], columns });

function evolved(from: NumberedSchema, ...schemaChanges: SchemaChange[]): NumberedSchema {
  return evolveSchema(from, { schemaChanges, columns: [], pinned: { key: [1], partition: [] } });
}

Deno.test("columns and list elements are numbered in order", () => {
  assert.deepEqual(first.schema.fields.map(({ id }) => id), [1, 2, 4]);
  assert.equal(first.lastColumnId, 4);
  assert.deepEqual(columnsOf(first.schema), columns);
});

Deno.test("a dropped name that comes back has a new id", () => {
  const column: Column = { name: "amount", type: types.string, nullable: true };
  const back = evolved(first, { kind: "dropColumn", name: "amount" }, { kind: "addColumn", column });
  assert.deepEqual(back.schema.fields.map(({ id, name }) => [id, name]), [[1, "id"], [2, "vector"], [5, "amount"]]);
});

Deno.test("renaming and widening keep the id, and twice is once", () => {
  const steps: SchemaChange[] = [
    { kind: "renameColumn", from: "amount", to: "total" },
    { kind: "widenColumn", name: "total", type: types.decimal(12, 2) },
    { kind: "addColumn", column: { name: "note", type: types.string, nullable: true } },
  ];
  const once = evolved(first, ...steps);
  assert.deepEqual(evolved(once, ...steps), once);
  assert.deepEqual(once.schema.fields.at(2), {
    id: 4,
    name: "total",
    required: false,
    type: "decimal(12, 2)",
    doc: "in cents",
  });
});

Deno.test("a column that the definition has and the table lacks is added", () => {
  const wider = [...columns, { name: "extra", type: types.boolean, nullable: true }];
  const grown = evolveSchema(first, { schemaChanges: [], columns: wider, pinned: { key: [1], partition: [] } });
  assert.equal(grown.schema.fields.at(-1)!.id, 5);
});

Deno.test("what no reader can follow is refused", () => {
  const refused = { kind: "unsupportedSchemaChange" };
  assert.throws(() => evolved(first, { kind: "dropColumn", name: "id" }), refused);
  assert.throws(() => evolved(first, { kind: "widenColumn", name: "amount", type: types.string }), refused);
  const partition = [{ "source-id": 4, "field-id": 1000, name: "amount_day", transform: "day" }];
  const pinned = { key: [1], partition };
  assert.throws(
    () => evolveSchema(first, { schemaChanges: [{ kind: "dropColumn", name: "amount" }], columns, pinned }),
    refused,
  );
});

Deno.test("an equal schema keeps its schema id", () => {
  const next = registerSchema([first.schema], evolved(first, { kind: "dropColumn", name: "amount" }).schema);
  assert.equal(next.schemaId, 1);
  assert.equal(registerSchema(next.schemas, first.schema).schemaId, 0);
});
