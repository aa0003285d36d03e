/** The soak in short: see `tests/soak/soak.ts`; `deno task soak` is the full one. */
import assert from "node:assert/strict";
import type { ShortSoak } from "../soak/short.ts";

Deno.test("after many commits of updates tables have few files, read about as fast, and hold what was written", async () => {
  const args = ["run", "-q", "--no-prompt", "-P=test", "--v8-flags=--expose-gc", "tests/soak/short.ts"];
  const { stdout, success } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
  assert.ok(success);
  const { broken, upkeep, text }: ShortSoak = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual(broken, [], text);
  assert.ok(upkeep.merges! > 20 && upkeep.expiredSnapshots! > 20 && upkeep.removedFiles! > 100, JSON.stringify(upkeep));
});
