import assert from "node:assert/strict";
import { LocalStorage } from "../storage/local.ts";
import { IcebergTable } from "../table/iceberg/iceberg_table.ts";
import { withDatabase } from "../testing/temporary.ts";
import { TableUpkeep } from "./table_upkeep.ts";
import { UpkeepWorker } from "./upkeep_worker.ts";

Deno.test("files of a table whose versions a catalog keeps that nobody named are no orphans", () =>
  withDatabase(async ({ folder, connection }) => {
    const storage = new LocalStorage(folder);
    for (const path of ["data/a.parquet", "metadata/00003-b.metadata.json", "metadata/snap-1.avro"]) {
      await storage.put(`iceberg/bank/holders/${path}`, new Uint8Array(1));
    }
    const at = { storage, connection, folder: "iceberg/bank/holders", namespace: "bank", name: "holders" };
    const upkeep = new TableUpkeep({
      table: new IcebergTable(at),
      storage,
      worker: new UpkeepWorker(connection),
      policy: {
        targetFileBytes: 1,
        mergeFiles: 2,
        deletedShare: 1,
        keepSnapshotsMs: 0,
        keepSnapshots: 1,
        orphanAgeMs: -1000,
      },
    });
    assert.deepEqual(await upkeep.orphans(), []);
  }));
