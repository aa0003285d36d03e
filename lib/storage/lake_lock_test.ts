import assert from "node:assert/strict";
import { lockLake } from "./lake_lock.ts";

Deno.test("a second writer of a lake is fenced until the first is gone", async () => {
  const folder = await Deno.makeTempDir();
  {
    using _first = await lockLake(`${folder}/lake`);
    await assert.rejects(lockLake(`${folder}/lake`), { kind: "fenced" });
  }
  using _second = await lockLake(`${folder}/lake`);
  await Deno.remove(folder, { recursive: true });
});
