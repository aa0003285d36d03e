import assert from "node:assert/strict";
import { dirname, resolve } from "node:path";
import { makeTemporaryFolder } from "./temporary_folder.ts";

Deno.test({
  name: "a job, which may not write among the system's temporary files, has its own in the folder of state",
  permissions: { read: true, write: ["data/state"] },
  fn: async () => {
    const folder = await makeTemporaryFolder();
    await Deno.remove(folder);
    assert.equal(dirname(folder), resolve("data/state"));
  },
});
