import assert from "node:assert/strict";
import { types } from "../../dataset/column_type.ts";
import type { SchemaChange } from "../../dataset/schema_change.ts";
import { type FileNames, fileNames, nextFileNames, schemaInFiles } from "./file_names.ts";
import { currentSchema, type TableMetadata } from "./metadata.ts";
import { newTable } from "./new_table.ts";
import { ownProperties } from "./properties.ts";
import { evolveSchema, registerSchema } from "./schema_evolution.ts";

const start = newTable({
  namespace: "bank",
  name: "cards",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "name", type: types.string, nullable: true },
  ],
}, { formatVersion: 3, location: "file:///lake/cards" });

/** A table after schema changes, one version for each. */
function after(changes: readonly SchemaChange[], metadata: TableMetadata = start): TableMetadata {
  return changes.reduce((base, change) => {
    const { schema, lastColumnId } = evolveSchema(
      { schema: currentSchema(base), lastColumnId: base["last-column-id"] },
      { schemaChanges: [change], columns: [], pinned: { key: [1], partition: [] } },
    );
    const names: FileNames = nextFileNames(base, schema);
    const { schemas, schemaId } = registerSchema(base.schemas, schema);
    return {
      ...base,
      schemas,
      "current-schema-id": schemaId,
      "last-column-id": lastColumnId,
      properties: { ...base.properties, [ownProperties.fileNames]: JSON.stringify(names) },
    };
  }, metadata);
}

/** Names in files by name in the table. */
function inFiles(metadata: TableMetadata): Record<string, string> {
  const schema = currentSchema(metadata);
  const written = schemaInFiles(schema, fileNames(metadata));
  return Object.fromEntries(schema.fields.map(({ name }, index) => [name, written.fields[index]!.name]));
}

const add = (name: string): SchemaChange => ({
  kind: "addColumn",
  column: { name, type: types.string, nullable: true },
});
const rename = (from: string, to: string): SchemaChange => ({ kind: "renameColumn", from, to });
const drop = (name: string): SchemaChange => ({ kind: "dropColumn", name });

Deno.test("a renamed column keeps its name in files, there and back", () => {
  assert.deepEqual(inFiles(after([rename("name", "label")])), { id: "id", label: "name" });
  const back = after([rename("name", "label"), rename("label", "name")]);
  assert.deepEqual([inFiles(back), fileNames(back)], [{ id: "id", name: "name" }, {}]);
});

Deno.test("a name that a column once had in files is given to no other column, whatever its case", () => {
  assert.deepEqual(inFiles(after([rename("name", "label"), add("name")])), { id: "id", label: "name", name: "name_2" });
  assert.deepEqual(inFiles(after([drop("name"), add("name")])), { id: "id", name: "name_2" });
  assert.deepEqual(inFiles(after([drop("name"), add("Name"), drop("Name"), add("name")])), {
    id: "id",
    name: "name_3",
  });
  assert.deepEqual(inFiles(after([rename("name", "label"), add("other"), rename("other", "name")])), {
    id: "id",
    label: "name",
    name: "other",
  });
});

Deno.test("a table whose columns are called as in its files records nothing", () => {
  assert.deepEqual(fileNames(after([add("note"), add("more")])), {});
});
