import assert from "node:assert/strict";
import type { Column } from "../../dataset/column.ts";
import { types } from "../../dataset/column_type.ts";
import type { SchemaChange } from "../../dataset/schema_change.ts";
import { newTable } from "./new_table.ts";
import { protocolFor } from "./protocol.ts";
import { columnId, columnsOf, isMapped, parseSchema, physicalName, type TableShape } from "./schema.ts";
import { changesTypes, evolveShape } from "./schema_evolution.ts";

const columns: readonly Column[] = [
  { name: "id", type: types.int64, nullable: false },
  { name: "vector", type: types.list(types.float32), nullable: true },
  { name: "amount", type: types.decimal(10, 2), nullable: true, doc: "in cents" },
];

function shapeOfNew(of: readonly Column[], key: readonly string[] = ["id"]): TableShape {
  const { metadata } = newTable({ namespace: "n", name: "t", key, columns: of }, {
    deletes: "rewrite",
    properties: {},
  });
  return {
    tableId: metadata.id,
    fields: parseSchema(metadata.schemaString),
    partition: [],
    configuration: metadata.configuration,
  };
}

const first = shapeOfNew(columns);

function evolved(from: TableShape, ...schemaChanges: SchemaChange[]): TableShape {
  return evolveShape(from, { schemaChanges, columns: [], key: ["id"] });
}

const note: Column = { name: "note", type: types.string, nullable: true };

Deno.test("columns come back from the schema string, and need the least protocol", () => {
  assert.deepEqual(columnsOf(first.fields, ["id"]), columns);
  assert.deepEqual(protocolFor(first), { minReaderVersion: 1, minWriterVersion: 2 });
});

Deno.test("adding and widening need no column mapping", () => {
  const wider = evolved(first, { kind: "addColumn", column: note }, {
    kind: "widenColumn",
    name: "amount",
    type: types.decimal(12, 2),
  });
  assert.equal(isMapped(wider), false);
  assert.deepEqual(protocolFor(wider), protocolFor(first));
  assert.equal(changesTypes(first, wider), true);
  assert.equal(changesTypes(first, evolved(first, { kind: "addColumn", column: note })), false);
});

Deno.test("a rename switches mapping on as a table feature: files keep the old name", () => {
  const renamed = evolved(first, { kind: "renameColumn", from: "amount", to: "total" });
  const field = renamed.fields.at(-1)!;
  assert.deepEqual([field.name, physicalName(field), columnId(field)], ["total", "amount", 3]);
  assert.equal(changesTypes(first, renamed), false);
  const { minReaderVersion, minWriterVersion, readerFeatures, writerFeatures } = protocolFor(
    renamed,
    protocolFor(first),
  );
  assert.deepEqual([minReaderVersion, minWriterVersion, readerFeatures], [3, 7, ["columnMapping"]]);
  assert.deepEqual(writerFeatures, ["appendOnly", "columnMapping", "invariants"]);
});

Deno.test("a dropped name that comes back is another column in files, the same one for every part of a load", () => {
  const column: Column = { name: "amount", type: types.string, nullable: true };
  const steps: SchemaChange[] = [{ kind: "dropColumn", name: "amount" }, { kind: "addColumn", column }];
  const back = evolved(first, ...steps);
  assert.deepEqual(back.fields.map(columnId), [1, 2, 4]);
  assert.notEqual(physicalName(back.fields.at(-1)!), "amount");
  assert.deepEqual(evolved(first, ...steps), back);
});

Deno.test("the highest id is not given again after its column was dropped", () => {
  const dropped = evolved(first, { kind: "addColumn", column: note }, { kind: "dropColumn", name: "note" });
  const again = evolved(dropped, { kind: "addColumn", column: note });
  assert.equal(columnId(again.fields.at(-1)!), 5);
});

Deno.test("twice is once", () => {
  const steps: SchemaChange[] = [
    { kind: "renameColumn", from: "amount", to: "total" },
    { kind: "widenColumn", name: "total", type: types.decimal(12, 2) },
    { kind: "addColumn", column: note },
    { kind: "dropColumn", name: "vector" },
  ];
  const once = evolved(first, ...steps);
  assert.deepEqual(evolved(once, ...steps), once);
});

Deno.test("a name that files may only have under mapping is mapped from the start", () => {
  const spaced = shapeOfNew([...columns, { name: "full name", type: types.string, nullable: true }]);
  assert.equal(isMapped(spaced), true);
  assert.ok(spaced.fields.every((field) => !/[ ,;{}()\n\t=]/.test(physicalName(field))));
});

Deno.test("a local time is a table feature of its own, also when it comes later", () => {
  const local: Column = { name: "local", type: types.list(types.timestamp), nullable: true };
  const grown = evolved(first, { kind: "addColumn", column: local });
  assert.deepEqual(protocolFor(grown, protocolFor(first)).readerFeatures, ["timestampNtz"]);
  const gone = evolved(grown, { kind: "dropColumn", name: "local" });
  assert.deepEqual(
    protocolFor(gone, protocolFor(grown)).readerFeatures,
    ["columnMapping", "timestampNtz"],
    "a feature never leaves",
  );
});

Deno.test("what no reader can follow is refused", () => {
  const refused = { kind: "unsupportedSchemaChange" };
  assert.throws(() => evolved(first, { kind: "dropColumn", name: "id" }), refused);
  assert.throws(() => evolved(first, { kind: "widenColumn", name: "amount", type: types.string }), refused);
  assert.throws(() => shapeOfNew(columns, ["vector"]), TypeError);
});
