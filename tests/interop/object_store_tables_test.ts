/** The sink contract of the table formats in a bucket, over a network where one request in four goes wrong. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { checkpointFailPoints, deltaFailPoints } from "../../lib/table/delta/fail_points.ts";
import { icebergFailPoints } from "../../lib/table/iceberg/fail_points.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { paimonFailPoints } from "../../lib/table/paimon/fail_points.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import { checkpointEvery } from "../../lib/testing/delta_lake.ts";
import { FaultyObjectProxy } from "../../lib/testing/faulty_object_proxy.ts";
import { lakeFormat } from "../contract/lake_sink.ts";
import { sinkContract } from "../contract/sink_contract.ts";
import { objectStoreTests, sharedObjectServer } from "./object_server.ts";
import { everyFourth, storageOf } from "./object_storage.ts";

const server = await sharedObjectServer();

await objectStoreTests("tables in a bucket", () => {
  if (server === undefined) throw new Error("The store is built, and was not started");
  let proxy: FaultyObjectProxy;
  Deno.test.beforeAll(async () => {
    proxy = await FaultyObjectProxy.start(server.endpoint, everyFourth());
  });
  Deno.test.afterAll(async () => {
    assert.ok((proxy.happened.get("lost") ?? 0) > 20, "answers were lost");
    await proxy[Symbol.asyncDispose]();
  });
  // A few bytes of cache: whatever nobody reads at the moment is fetched again.
  const storage = (folder: string) =>
    storageOf(server, {
      folder,
      endpoint: proxy.endpoint,
      location: { scheme: "s3", bucket: server.bucket, prefix: `${server.prefix}/${basename(folder)}` },
      cacheBytes: 1000,
    });

  sinkContract(lakeFormat({
    name: "iceberg in a bucket",
    failPoints: icebergFailPoints,
    countsRows: true,
    storage,
    table: (options) => new IcebergTable({ ...options, folder: `iceberg/${options.namespace}/${options.name}` }),
  }));

  sinkContract(lakeFormat({
    name: "delta in a bucket",
    failPoints: [...deltaFailPoints, ...checkpointFailPoints],
    countsRows: true,
    storage,
    // Checkpoints too.
    table: ({ namespace, name, ...at }) =>
      new DeltaTable({ ...at, ...checkpointEvery(2), namespace, name, folder: `delta/${namespace}/${name}` }),
  }));

  sinkContract(lakeFormat({
    name: "paimon in a bucket",
    failPoints: paimonFailPoints,
    countsRows: false,
    storage,
    table: (options) => new PaimonTable({ ...options, folder: "paimon" }),
  }));
});
