import assert from "node:assert/strict";
import { LocalStorage } from "../../lib/storage/local.ts";
import { FaultyStorage } from "../../lib/testing/faulty_storage.ts";
import { MemoryStorage } from "../../lib/testing/memory_storage.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { storageContract, writtenByDuckdb } from "./storage_contract.ts";

storageContract({
  name: "local",
  withStorage: (body) => withTemporaryFolder((folder) => body(new LocalStorage(folder), new LocalStorage(folder))),
});

storageContract({
  name: "memory",
  withStorage: (body) => {
    const one = new MemoryStorage();
    return body(one, new MemoryStorage(one));
  },
});

storageContract({
  name: "without a planned fault",
  withStorage: (body) => {
    const one = new MemoryStorage();
    return body(new FaultyStorage(one), new FaultyStorage(one));
  },
});

Deno.test("a planned fault before a write stores nothing, one after it stores all of it", async () => {
  const storage = new FaultyStorage(new MemoryStorage(), (path) => path === "lost" ? "before" : "after");
  await assert.rejects(storage.putIfAbsent("lost", new Uint8Array(1)), { name: "WeirError", kind: "storage" });
  await assert.rejects(storage.putIfAbsent("stored", new Uint8Array(2)), { name: "WeirError", kind: "storage" });
  assert.equal(await storage.stat("lost"), undefined);
  assert.equal((await storage.stat("stored"))?.bytes, 2);
});

Deno.test("a local file is found under the URI that Hadoop's writers give it", () => {
  const storage = new LocalStorage("/lake");
  for (const uri of ["file:///lake/n/t.parquet", "file:/lake/n/t.parquet", "/lake/n/t.parquet"]) {
    assert.equal(storage.path(uri), "n/t.parquet");
  }
  assert.throws(() => storage.path("file:/elsewhere/t.parquet"), { name: "WeirError", kind: "tableUnreadable" });
});

Deno.test("storage local: what DuckDB writes into a prepared folder is published, and read by DuckDB again", async () => {
  await withDatabase(async ({ folder, connection }) => {
    const storage = new LocalStorage(folder);
    await writtenByDuckdb(storage, connection);
  });
});
