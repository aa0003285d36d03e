import assert from "node:assert/strict";
import { types } from "./column_type.ts";
import { postgresDdl, postgresType } from "./postgres_ddl.ts";

Deno.test("namespace, table, key, defaults and indexes are declared, every name quoted", () => {
  assert.deepEqual(
    postgresDdl({
      namespace: "lake",
      name: "things",
      source: { namespace: "My Shop", table: 'odd"name' },
      columns: [
        { name: "a", type: types.int64, nullable: false },
        { name: "select", type: types.string, nullable: true, sourceType: "varchar(4)", indexed: true },
        { name: "at", type: types.timestamptz, nullable: false, sourceDefault: "now()" },
      ],
      key: ["a", "select"],
    }),
    [
      'CREATE SCHEMA IF NOT EXISTS "My Shop"',
      'CREATE TABLE IF NOT EXISTS "My Shop"."odd""name" (\n  "a" bigint NOT NULL,\n  "select" varchar(4),\n' +
      '  "at" timestamptz NOT NULL DEFAULT now(),\n  PRIMARY KEY ("a", "select")\n)',
      'CREATE INDEX IF NOT EXISTS "odd""name_select_idx" ON "My Shop"."odd""name" ("select")',
    ],
  );
});

Deno.test("every column type has a PostgreSQL type", () => {
  assert.equal(postgresType(types.decimal(18, 2)), "numeric(18,2)");
  assert.equal(postgresType(types.list(types.float32)), "real[]");
  assert.equal(postgresType(types.binary), "bytea");
});
