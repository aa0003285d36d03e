/** What the stream promises of a server that is out of reach for a while, or for good. */
import assert from "node:assert/strict";
import { FaultyProxy } from "../../lib/testing/faulty_proxy.ts";
import { copyAll, type SourceFixture, withSource } from "./source_fixture.ts";

/** A source behind a proxy, which outlives it: the source's slot is dropped through it. */
async function withProxy(body: (fixture: SourceFixture, proxy: FaultyProxy) => Promise<void>): Promise<void> {
  using stack = new DisposableStack();
  await withSource(async (fixture) => {
    const proxy = stack.use(new FaultyProxy(fixture.url));
    try {
      await body({ ...fixture, open: (options) => fixture.open({ url: proxy.url, ...options }) }, proxy);
    } finally {
      proxy.isRefusing = false;
    }
  });
}

Deno.test("a server out of reach when the stream first connects is tried again, up to a limit", async () => {
  await withProxy(async ({ client, open }, proxy) => {
    await client.query("CREATE TABLE t (id int PRIMARY KEY)");
    const source = await open({ tables: ["t"], reconnectMs: 1000 });
    const after = (await copyAll(source)).at(-1)?.position;
    assert.ok(after);
    await client.query("INSERT INTO t VALUES (1), (2)");

    proxy.isRefusing = true;
    const inVain = Array.fromAsync(source.changes(after, [], new AbortController().signal));
    await assert.rejects(inVain, { kind: "connection" });

    setTimeout(() => proxy.isRefusing = false, 500);
    const startedMs = performance.now();
    for await (const batch of source.changes(after, [], new AbortController().signal)) {
      if (batch.rows === 0) continue;
      assert.equal(batch.rows, 2);
      break;
    }
    assert.ok(performance.now() - startedMs >= 450, "it was refused first");
    proxy.isRefusing = true;
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    const stopped = await Array.fromAsync(source.changes(after, [], stop.signal));
    assert.deepEqual(stopped, [], "a stop ends the trying");
  });
});

Deno.test("connections over which no word comes any more, but no error either, are given up and replaced", async () => {
  await withProxy(async ({ client, open }, proxy) => {
    await client.query("CREATE TABLE t (id int PRIMARY KEY)");
    const source = await open({ tables: ["t"], silenceMs: 300, reconnectMs: 2000 });
    const after = (await copyAll(source)).at(-1)?.position;
    assert.ok(after);
    await client.query("INSERT INTO t VALUES (0)");
    const rows: number[] = [];
    for await (const batch of source.changes(after, [], new AbortController().signal)) {
      if (batch.rows === 0) continue;
      rows.push(batch.rows);
      if (rows.length === 2) break;
      proxy.goDumb();
      // And the next connection ends in the middle of the server's first message.
      proxy.plan({ kind: "cut", afterBytes: 1 });
      await client.query("INSERT INTO t SELECT generate_series(1, 100)");
    }
    assert.deepEqual(rows, [1, 100]);
    assert.equal(proxy.happened.length, 1);
  });
});
