/** The storage contract against a store of another maker, over a network that works and over one that does not. */
import assert from "node:assert/strict";
import { FaultyObjectProxy, type RequestFault } from "../../lib/testing/faulty_object_proxy.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { storageContract } from "../contract/storage_contract.ts";
import { sharedMotoServer } from "./moto_server.ts";
import { objectStoreTests } from "./object_server.ts";
import { everyFourth, storageOf } from "./object_storage.ts";
import { pythonEnvironment } from "./python_env.ts";

await objectStoreTests("the storage contract in a bucket", (withServer) => {
  storageContract({
    name: "s3",
    withStorage: (body) =>
      withServer((server) =>
        withTemporaryFolder((folder) => body(storageOf(server, { folder }), storageOf(server, { folder })))
      ),
  });

  const happened = new Map<RequestFault, number>();

  storageContract({
    name: "s3 over a network that fails",
    withStorage: (body) =>
      withServer((server) =>
        withTemporaryFolder(async (folder) => {
          await using proxy = await FaultyObjectProxy.start(server.endpoint, everyFourth());
          const through = { folder, endpoint: proxy.endpoint };
          await body(storageOf(server, through), storageOf(server, through));
          for (const [fault, count] of proxy.happened) happened.set(fault, (happened.get(fault) ?? 0) + count);
        })
      ),
  });

  Deno.test("storage s3 over a network that fails: every fault has happened", () => {
    for (const fault of ["denied", "busy", "lost", "cut", "half", "late"] as const) {
      assert.ok((happened.get(fault) ?? 0) > 5, `${fault}: ${happened.get(fault)}`);
    }
  });
});

const environment = await pythonEnvironment();
if ("missing" in environment) {
  Deno.test({ name: `storage moto (skipped: ${environment.missing})`, ignore: true, fn: () => {} });
} else {
  const moto = await sharedMotoServer(environment.python);
  storageContract({
    name: "moto",
    withStorage: (body) =>
      withTemporaryFolder(async (folder) => {
        const location = { scheme: "s3", bucket: moto.bucket, prefix: crypto.randomUUID() } as const;
        await storageOf(moto, { folder, location }).probe();
        await body(storageOf(moto, { folder, location }), storageOf(moto, { folder, location }));
      }),
  });
}
