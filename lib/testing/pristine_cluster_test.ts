import assert from "node:assert/strict";
import { openCluster } from "../embedded/cluster.ts";
import { copyPristineCluster } from "./pristine_cluster.ts";
import { withTemporaryFolder } from "./temporary_folder.ts";

/** The file with a cluster's system identifier, which initdb draws anew. Undefined where the server's user needs another folder. */
async function controlFile(): Promise<Uint8Array | undefined> {
  return await withTemporaryFolder(async (folder) => {
    await copyPristineCluster(folder);
    const { dataFolder, home } = await openCluster(folder, false);
    return home === folder ? await Deno.readFile(`${dataFolder}/global/pg_control`) : undefined;
  });
}

Deno.test("the clusters of tests are copies, and none is made where one is to be had", async () => {
  // The first may be new, and another process may be faster in keeping its own.
  await controlFile();
  assert.deepEqual(await controlFile(), await controlFile());
});
