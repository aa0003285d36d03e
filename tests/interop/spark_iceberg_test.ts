/** Apache Spark writes and maintains our Iceberg tables through a REST catalog, and both go on: no row lost, none twice. */
import assert from "node:assert/strict";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { CatalogModel } from "./catalog_model.ts";
import { holders, partitionedHolders, partitionedRows, rows as holderRows } from "./holders.ts";
import { pythonTest } from "./python_env.ts";
import { missingServer, RestServer } from "./rest_server.ts";
import { append, appendPartitioned, remove, update } from "./spark_changes.ts";
import { SparkTests } from "./spark.ts";

const spark = new SparkTests(["iceberg"]);
const absent = await missingServer();

const tables = [
  { formatVersion: 2, definition: holders, rows: holderRows, appended: append },
  { formatVersion: 3, definition: partitionedHolders, rows: partitionedRows, appended: appendPartitioned },
] as const;

for (const { formatVersion, definition, rows, appended } of tables) {
  const name = `Iceberg v${formatVersion}${
    definition.partitionBy ? ", partitioned by two columns," : ""
  } in a REST catalog: Spark appends, updates, deletes, merges files and expires snapshots`;
  const missing = absent ?? spark.missing;
  if (missing !== undefined) Deno.test({ name: `${name} (skipped: ${missing})`, ignore: true, fn: () => {} });
  else {await pythonTest(name, (python) =>
      withTemporaryFolder((catalogFolder) =>
        withDatabase(async (fixture) => {
          const running = spark.running!;
          await using server = await RestServer.start(catalogFolder);
          const { uri } = server;
          const model = new CatalogModel({ fixture, python, uri, namespace: "bank" }, definition, formatVersion);
          const catalog = await running.catalog("org.apache.iceberg.spark.SparkCatalog", {
            ...{ type: "rest", uri, "cache-enabled": "false" },
          });
          const table = `${catalog}.bank.holders`;
          const changed = async (statement: (table: string) => string) => {
            await running.run([statement(table)]);
            await model.applyToOracle(statement(model.oracle));
          };
          const maintained = async (procedure: string, options = "") => {
            const { values } = await running.run([
              `CALL ${catalog}.system.${procedure}(table => 'bank.holders'${options})`,
            ]);
            return JSON.parse(values[0]!) as Readonly<Record<string, number>>;
          };
          await model.create();
          await model.apply({ upserts: rows("0, 100", "ours") });
          await changed(appended);
          // Finds their rows by key, in a file that it has not seen.
          await model.apply({ upserts: rows("50, 120", "again"), removals: "SELECT 900 AS id" });
          await model.check();
          await changed(update);
          await changed(remove);
          await model.apply({ upserts: rows("5, 25", "third") });
          await model.check();
          if (formatVersion === 3) {
            // From here on Spark leaves deletion vectors too, beside and in place of ours.
            const modes = ["delete", "update"].map((kind) => `'write.${kind}.mode' = 'merge-on-read'`);
            await running.run([`ALTER TABLE ${table} SET TBLPROPERTIES (${modes.join()})`]);
            await changed(update);
            await model.apply({ upserts: rows("0, 120, 9", "fourth"), removals: "SELECT 14 AS id" });
            await changed((table) => `DELETE FROM ${table} WHERE id % 10 = 3`);
            await model.apply({});
            await model.check();
          }
          const options = ", options => map('rewrite-all', 'true')";
          assert.ok((await maintained("rewrite_data_files", options))["rewritten_data_files_count"]! > 1);
          await maintained("rewrite_manifests");
          if (definition.partitionBy) model.declare({ partitionBy: ["born"], partitionByDay: "seen" });
          await model.apply({ upserts: rows("90, 130", "after the merge"), removals: "SELECT 901 AS id" });
          await model.check();
          const now = `TIMESTAMP '${new Date(Date.now() + 1000).toISOString()}'`;
          await maintained("expire_snapshots", `, older_than => ${now}, retain_last => 1`);
          await model.apply({ upserts: rows("110, 140", "after the expiry") });
          const { summaries } = await model.check();
          assert.equal(summaries.length, 2, "what Spark expired is gone");
          const { path, scan } = model.output("spark");
          await running.run([`SELECT * FROM ${table}`], path);
          await model.same(scan, "Spark");
        })
      ));}
}
