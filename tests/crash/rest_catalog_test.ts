/** The sink contract over an Iceberg REST catalog: as it should be, at every fail point, and while it fails in every way. */
import assert from "node:assert/strict";
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { icebergFailPoints } from "../../lib/table/iceberg/fail_points.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { RestCatalog } from "../../lib/table/iceberg/rest/rest_catalog.ts";
import { RestTable } from "../../lib/table/iceberg/rest/rest_table.ts";
import { type CatalogFault, RestCatalogServer } from "../../lib/testing/rest_catalog_server.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { lakeFormat, type TableOptions } from "../contract/lake_sink.ts";
import { holders, position, SinkUnderTest } from "../contract/sink_fixture.ts";
import { sinkContract } from "../contract/sink_contract.ts";
import { sinkFaults } from "./sink_faults.ts";

let server: RestCatalogServer;
Deno.test.beforeAll(() => {
  server = new RestCatalogServer();
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

/** Each folder is a warehouse of its own. */
function tableIn({ storage, connection, namespace, name }: TableOptions, at: RestCatalogServer): IcebergTable {
  const catalog = new RestCatalog({
    uri: at.uri,
    warehouse: storage.uri(""),
    credentials: { kind: "none" },
    timeoutMs: 400,
    firstWaitMs: 5,
  });
  return new IcebergTable({
    storage,
    connection,
    namespace,
    name,
    folder: `iceberg/${namespace}/${name}`,
    catalog: new RestTable({ catalog, storage, namespace, name }),
  });
}

const format = lakeFormat({
  name: "iceberg in a REST catalog",
  // There is no hint: the catalog knows the newest version.
  failPoints: icebergFailPoints.filter((point) => point !== "iceberg.afterHint"),
  countsRows: true,
  table: (options) => tableIn(options, server),
});
sinkContract(format);
sinkFaults(format);

const ways: readonly CatalogFault[] = ["before", "after", "cut", "hang", "late", "twice", { status: 429 }, {
  status: 409,
}];

for (const fault of ways) {
  Deno.test(`sink iceberg in a REST catalog: ${JSON.stringify(fault)} at every second commit: exactly once`, () =>
    withDatabase(async (fixture) => {
      await using failing = new RestCatalogServer();
      // The late one arrives while the sink looks for it, or after it has committed anew.
      failing.behaviour.lateMs = 430;
      const lake = {
        open: ({ namespace, name }: typeof holders) => {
          const storage: Storage = new LocalStorage(`${fixture.folder}/lake`);
          return new LakeSink(tableIn({ storage, connection: fixture.connection, namespace, name }, failing));
        },
      };
      const format = lakeFormat({
        name: "",
        failPoints: [],
        countsRows: true,
        table: (each) => tableIn(each, failing),
      });
      const context = new SinkUnderTest(fixture, { format, lake, definition: holders });
      await context.commit(1, { inserts: [{ id: "1", name: "'step 1'" }] });
      let commits = 0;
      let failed = 0;
      failing.plan = (call) => {
        if (!RestCatalogServer.isCommit(call) || ++commits % 2 === 0) return undefined;
        failed++;
        return fault;
      };
      const steps = 6;
      // Rows that nobody looks for: one that is committed twice is there twice.
      for (let n = 2; n < steps; n++) await context.commit(n, { inserts: [{ id: String(n), name: `'step ${n}'` }] });
      await context.sink.recordPosition(position(steps));
      failing.plan = () => undefined;
      await context.holds(Object.fromEntries([1, 2, 3, 4, 5].map((n) => [n, `step ${n}`])), position(steps));
      assert.ok(failed >= 3, "it failed again and again");
    }));
}
