import assert from "node:assert/strict";
import type { LakeView } from "../query/lake.ts";
import { withDatabase } from "../testing/temporary.ts";
import { formatOrder, LakeTables } from "./lake_table.ts";

function view(format: LakeView["format"], namespace: string, name: string): LakeView {
  return { format, namespace, name, location: "", view: `"${format}_${namespace}"."${name}"`, columns: [] };
}

Deno.test("a namespace that is called as something of the engine's keeps nobody from opening the lake", () =>
  withDatabase(async ({ connection }) => {
    const namespaces = ["shop", "temp", "information_schema", "main"];
    const views = namespaces.map((namespace) => view("iceberg", namespace, "orders"));
    // Its short name would be the long one of another.
    views.push(view("delta", "iceberg_shop", "orders"));
    for (const { format, namespace } of views) {
      await connection.run(`CREATE SCHEMA "${format}_${namespace}"`);
      await connection.run(`CREATE VIEW "${format}_${namespace}".orders AS SELECT '${namespace}' AS n`);
    }
    const tables = new LakeTables(views, { formats: formatOrder });
    await tables.nameIn(connection);
    for (
      const [sql, n] of [["shop.orders", "shop"], ["memory.temp.orders", "temp"], ["main.orders", "main"]] as const
    ) {
      assert.equal(await connection.value(`SELECT n FROM ${sql}`), n);
    }
    assert.equal(await connection.value("SELECT n FROM iceberg_shop.orders"), "shop");
    assert.throws(() => tables.find("orders"), /orders may be .* or /);
    for (const schema of ["shop", "temp"]) await connection.run(`DROP SCHEMA memory.${schema} CASCADE`);
  }));
