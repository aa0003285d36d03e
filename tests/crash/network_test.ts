/** A network that fails in the middle of a source commit: the job goes on by itself, and every row is there once. */
import assert from "node:assert/strict";
import type pg from "pg";
import { FaultyProxy } from "../../lib/testing/faulty_proxy.ts";
import { assertExact, CrashChild } from "./crash_child.ts";
import { runToEnd, withScene } from "./scene.ts";

/** One source commit of about 20 MB on the wire, of every kind of change. */
async function commitMuch(client: pg.Client): Promise<void> {
  await client.query("BEGIN");
  await client.query(
    `INSERT INTO transactions SELECT (jsonb_populate_record(t, jsonb_build_object('_id', _id + copy * 1000000))).*
     FROM transactions t, generate_series(1, 24) AS copy`,
  );
  await client.query("UPDATE accountholders SET lastname = lastname || ' II' WHERE _id % 2 = 0");
  await client.query("DELETE FROM transactions WHERE _id % 7 = 0");
  await client.query("UPDATE transactions SET _id = _id + 500000 WHERE _id % 11 = 0");
  await client.query("COMMIT");
}

const faults = [
  { kind: "cut", afterBytes: 1_000_003 },
  { kind: "cut", afterBytes: 6_500_001 },
  { kind: "dumb", afterBytes: 4_000_007 },
  { kind: "cut", afterBytes: 12_000_011 },
  { kind: "dumb", afterBytes: 300_009 },
] as const;

Deno.test("a connection cut in the middle of a source commit, closed or dumb, again and again, costs nothing", async () => {
  await withScene(async (scene) => {
    using proxy = new FaultyProxy(scene.url);
    const { folder, lake } = scene;
    await runToEnd({ ...scene, url: proxy.url });
    await commitMuch(scene.client);
    proxy.plan(...faults);
    assertExact(await new CrashChild({ url: proxy.url, lake, silenceMs: 2000 }, folder).report());
    assert.deepEqual(proxy.happened, faults);
  });
});
