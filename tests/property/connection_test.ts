/** What the stream promises of a server that is out of reach for a while or for good, that restarts, or that is kept waiting. */
import assert from "node:assert/strict";
import pg from "pg";
import { SideConnection } from "../../lib/source/postgres/side_connection.ts";
import { FaultyProxy } from "../../lib/testing/faulty_proxy.ts";
import { copyAll, type SourceFixture, spoolLines, streaming, withSource } from "./source_fixture.ts";

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

Deno.test("a question on a connection that is given up meanwhile is asked again on another", async () => {
  await withSource(async ({ url }) => {
    const side = new SideConnection(url);
    let asked = 0;
    const answer = side.ask(async (connection) => {
      asked++;
      return await connection.row<{ one: number }>("SELECT 1 AS one, pg_sleep(0.2)");
    });
    while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    side.drop();
    assert.equal((await answer)?.one, 1);
    assert.equal(asked, 2);
    await assert.rejects(side.ask((connection) => connection.row("SELECT nothing_like_this")));
    await side.close();
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

Deno.test("nobody reading for longer than the server's timeout loses neither connection nor changes", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("ALTER SYSTEM SET wal_sender_timeout = '1s'; ");
    await fixture.client.query("SELECT pg_reload_conf()");
    await fixture.client.query("CREATE TABLE slow (id int PRIMARY KEY)");
    const source = await fixture.open({ tables: ["slow"], batchRows: 1000, reconnectMs: 0 });
    const [part] = await copyAll(source);
    assert.ok(part);
    for (let first = 0; first < 30_000; first += 1000) {
      await fixture.client.query("INSERT INTO slow SELECT generate_series($1::int, $1 + 999)", [first]);
    }
    let rows = 0;
    let batches = 0;
    for await (const batch of source.changes(part.position, [], new AbortController().signal)) {
      if (batches++ === 0) await new Promise((resolve) => setTimeout(resolve, 3000));
      rows += batch.rows;
      await batch.release();
      if (rows >= 30_000) break;
    }
    assert.equal(rows, 30_000);
  });
});

Deno.test("a restarted server and a cut connection in mid-transaction lose and repeat nothing", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE kept (id int PRIMARY KEY, body text)");
    const { source, after } = await streaming(fixture, ["kept"]);
    const writer = new pg.Client({ connectionString: fixture.url });
    writer.on("error", () => {});
    await writer.connect();
    await writer.query("INSERT INTO kept SELECT g, md5(g::text) FROM generate_series(1, 60000) g");
    await writer.query("INSERT INTO kept SELECT g, md5(g::text) FROM generate_series(60001, 120000) g");
    let next = 1;
    let batches = 0;
    let isRestarted = false;
    for await (const batch of source.changes(after, [], new AbortController().signal)) {
      const changes = batch.changes.get("public.kept");
      for (const line of changes === undefined ? [] : await spoolLines([changes])) {
        assert.equal(line.split(",")[4], `"${next++}"`);
      }
      await batch.release();
      if (next > 120_001) break;
      batches++;
      if (batches === 1) {
        await writer.query(
          "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'weir'",
        );
      }
      // An empty batch may follow: the server that stops asks for one.
      if (next === 120_001 && !isRestarted) {
        isRestarted = true;
        await writer.end();
        await fixture.server.restart();
        const again = new pg.Client({ connectionString: fixture.url });
        await again.connect();
        await again.query("INSERT INTO kept VALUES (120001, 'x')");
        await again.end();
      }
    }
    assert.equal(next, 120_002);
  });
});

Deno.test("a server that is told to stop does not wait for what cannot be recorded, and sends it again after its start", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE held (id int PRIMARY KEY)");
    const { source, after } = await streaming(fixture, ["held"]);
    await fixture.client.query("INSERT INTO held VALUES (1)");
    let stoppedMs = 0;
    let [rows, empty] = [0, 0];
    // Nothing more is acknowledged, as with a dataset that was set aside.
    source.acknowledge(after);
    for await (const batch of source.changes(after, [], AbortSignal.timeout(40_000))) {
      rows += batch.rows;
      if (batch.rows === 0) empty++;
      else if (rows === 1) {
        const startedMs = performance.now();
        void fixture.server.restart().then(async () => {
          stoppedMs = performance.now() - startedMs;
          const client = new pg.Client({ connectionString: fixture.url });
          await client.connect();
          await client.query("INSERT INTO held VALUES (2)").finally(() => client.end());
        });
      } else break;
    }
    assert.equal(rows, 2);
    // The embedded server's own patience would end after 15 s, and not in order.
    assert.ok(stoppedMs < 8000, `it took ${stoppedMs} ms`);
    assert.ok(empty < 500, `${empty} empty batches`);
    let again = 0;
    for await (const batch of source.changes(after, [], AbortSignal.timeout(10_000))) {
      again += batch.rows;
      if (again === 2) break;
    }
    assert.equal(again, 2, "what was not acknowledged comes again");
  });
});
