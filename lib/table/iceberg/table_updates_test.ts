import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import type { TableMetadata } from "./metadata.ts";
import { newTable } from "./new_table.ts";
import { nextMetadata } from "./next_metadata.ts";
import { createUpdates, tableUpdates } from "./table_updates.ts";

const first: TableMetadata = newTable({
  namespace: "bank",
  name: "holders",
  key: ["id"],
  columns: [{ name: "id", type: types.int64, nullable: false }, {
    name: "seen",
    type: types.timestamptz,
    nullable: true,
  }],
  partitionByDay: "seen",
}, { formatVersion: 3, location: "file:///lake/bank/holders" });

const large = 3051729675574597004n;
const position = { instance: "test:1/1", offset: "0/7" };

function following(base: TableMetadata, id: bigint, schema = base.schemas.at(-1)!): TableMetadata {
  return nextMetadata(base, {
    schema,
    lastColumnId: Math.max(...schema.fields.map((field) => field.id)),
    position,
    commitId: `commit ${id}`,
    snapshot: {
      "snapshot-id": id,
      ...(base["current-snapshot-id"] === undefined ? {} : { "parent-snapshot-id": base["current-snapshot-id"] }),
      "sequence-number": base["last-sequence-number"] + 1n,
      "manifest-list": `file:///lake/bank/holders/metadata/snap-${id}.avro`,
      summary: { operation: "append" },
      "first-row-id": base["next-row-id"]!,
      "added-rows": 1n,
    },
    previousUri: "",
    nowMs: base["last-updated-ms"],
  });
}

Deno.test("a table is made with the ids it was numbered with, and only where there is none", () => {
  const { requirements, updates } = createUpdates(first);
  assert.deepEqual(requirements, [{ type: "assert-create" }]);
  assert.deepEqual(updates.map(({ action }) => action), [
    "assign-uuid",
    "upgrade-format-version",
    "add-schema",
    "set-current-schema",
    "add-spec",
    "set-default-spec",
    "add-sort-order",
    "set-default-sort-order",
    "set-location",
    "set-properties",
  ]);
});

Deno.test("rows need the table to be the same and its main branch to stand where they were staged", () => {
  const second = following(first, large);
  const { requirements, updates } = tableUpdates(first, second);
  assert.deepEqual(requirements, [
    { type: "assert-table-uuid", uuid: first["table-uuid"] },
    { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": null },
  ]);
  const { "weir.commit-id": commitId, "weir.position": recorded } = second.properties;
  assert.deepEqual(updates, [
    { action: "add-snapshot", snapshot: second.snapshots[0] },
    { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": large },
    { action: "set-properties", updates: { "weir.position": recorded, "weir.commit-id": commitId } },
  ]);
  const third = tableUpdates(second, following(second, 7n));
  assert.deepEqual(third.requirements[1], { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": large });
});

Deno.test("a new column needs that nobody else has numbered one or chosen another schema", () => {
  const base = following(first, large);
  const schema = base.schemas[0]!;
  const fields = [...schema.fields, { id: 3, name: "note", required: false, type: "string" }];
  const { requirements, updates } = tableUpdates(base, following(base, 7n, { ...schema, fields }));
  assert.deepEqual(requirements.slice(2), [
    { type: "assert-last-assigned-field-id", "last-assigned-field-id": 2 },
    { type: "assert-current-schema-id", "current-schema-id": 0 },
  ]);
  assert.deepEqual(updates.slice(0, 2), [
    { action: "add-schema", schema: { ...schema, "schema-id": 1, fields }, "last-column-id": 3 },
    { action: "set-current-schema", "schema-id": -1 },
  ]);
  // Back to a schema that is there already.
  const evolved = following(base, 7n, { ...schema, fields });
  const back = tableUpdates(evolved, following(evolved, 8n, schema));
  assert.deepEqual(back.updates[0], { action: "set-current-schema", "schema-id": 0 });
});

Deno.test("what leaves is told: snapshots, a tag, a property; each tag is required to stand where it was seen", () => {
  const base = { ...following(following(first, large), 7n) };
  const tagged: TableMetadata = { ...base, refs: { ...base.refs, kept: { type: "tag", "snapshot-id": large } } };
  const { "weir.position": _, ...properties } = tagged.properties;
  const { kept: __, ...refs } = tagged.refs!;
  const next: TableMetadata = { ...tagged, properties, refs, snapshots: tagged.snapshots.slice(1) };
  assert.deepEqual(tableUpdates(tagged, next), {
    requirements: [
      { type: "assert-table-uuid", uuid: first["table-uuid"] },
      { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": 7n },
      { type: "assert-ref-snapshot-id", ref: "kept", "snapshot-id": large },
    ],
    updates: [
      { action: "remove-snapshot-ref", "ref-name": "kept" },
      { action: "remove-snapshots", "snapshot-ids": [large] },
      { action: "remove-properties", removals: ["weir.position"] },
    ],
  });
});

Deno.test("statistics of snapshots that leave are told one by one", () => {
  const base = following(first, 7n);
  const statistics = [{ "snapshot-id": 7n, "statistics-path": "file:///lake/bank/holders/metadata/7.stats" }];
  const withStatistics: TableMetadata = { ...base, statistics, "partition-statistics": statistics };
  assert.deepEqual(tableUpdates(withStatistics, { ...withStatistics, statistics: [] }).updates, [
    { action: "remove-statistics", "snapshot-id": 7n },
  ]);
  assert.deepEqual(tableUpdates(withStatistics, { ...withStatistics, "partition-statistics": [] }).updates, [
    { action: "remove-partition-statistics", "snapshot-id": 7n },
  ]);
});

Deno.test("partition and order change together with what is the default from then on", () => {
  const specs = [...first["partition-specs"], { "spec-id": 1, fields: [] }];
  const orders = [...first["sort-orders"], { "order-id": 1, fields: [] }];
  const next: TableMetadata = {
    ...first,
    "partition-specs": specs,
    "default-spec-id": 1,
    "sort-orders": orders,
    "default-sort-order-id": 1,
  };
  const { requirements, updates } = tableUpdates(first, next);
  assert.deepEqual(requirements.slice(2).map(({ type }) => type), [
    "assert-last-assigned-partition-id",
    "assert-default-spec-id",
    "assert-default-sort-order-id",
  ]);
  assert.deepEqual(updates.map(({ action }) => action), [
    "add-spec",
    "set-default-spec",
    "add-sort-order",
    "set-default-sort-order",
  ]);
});
