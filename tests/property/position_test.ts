/** What the stream promises of positions: where batches end, what a verification point shows, what the server may forget. */
import assert from "node:assert/strict";
import pg from "pg";
import type { Position } from "../../lib/change/position.ts";
import { changesOf, changesUntil, copyAll, streaming, withSource } from "./source_fixture.ts";

Deno.test("a snapshot that has to wait too long is given up, and the stream goes on", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE a (id int PRIMARY KEY)");
    const source = await fixture.open({ tables: ["a"], snapshotWaitMs: 300 });
    const [part] = await copyAll(source);
    assert.ok(part);
    await fixture.client.query("BEGIN; INSERT INTO a VALUES (1)");
    const reading = (async () => {
      for await (const batch of source.changes(part.position, [], AbortSignal.timeout(5000))) {
        if (batch.rows > 0) return batch.rows;
      }
      return 0;
    })();
    await assert.rejects(source.verificationPoint(), { kind: "conflict" });
    await fixture.client.query("COMMIT");
    assert.equal(await reading, 1);
  });
});

Deno.test("who waits for transactions at the source is told so, and goes on when they have ended", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE a (id int PRIMARY KEY)");
    const told = Promise.withResolvers<string>();
    const source = await fixture.open({ tables: ["a"], onWait: told.resolve });
    await copyAll(source);
    await fixture.client.query("BEGIN; INSERT INTO a VALUES (1)");
    const opening = source.verificationPoint();
    assert.match(await told.promise, /transactions that are open at the source/);
    await fixture.client.query("COMMIT");
    await (await opening).close();
  });
});

Deno.test("a table rewritten before anybody reads is named in a batch up to a verification point that was opened then", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE a (id int PRIMARY KEY, n int); INSERT INTO a VALUES (1, 2)");
    const { source, after } = await streaming(fixture, ["a"]);
    await fixture.client.query("ALTER TABLE a ALTER n TYPE bigint USING n * 10");
    const point = await source.verificationPoint();
    const changes = changesOf(await changesUntil(source, after, point.position), "public.a");
    await point.close();
    assert.ok(changes.some(({ recopyReason }) => recopyReason !== undefined));
  });
});

Deno.test("a verification point beside writers shows exactly what the batches up to it carry", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE moving (id int PRIMARY KEY, n int)");
    const { source, after } = await streaming(fixture, ["moving"]);
    const writers = await Promise.all([1, 2].map(async (part) => {
      const client = new pg.Client({ connectionString: fixture.url });
      await client.connect();
      let go = true;
      const done = (async () => {
        for (let round = 0; go; round++) {
          await client.query("INSERT INTO moving VALUES ($1, $2)", [round * 2 + part, round]);
        }
        await client.end();
      })();
      return async () => {
        go = false;
        await done;
      };
    }));
    const expected = new Map<string, number>();
    let rows = 0;
    let verified = 0;
    for await (const batch of source.changes(after, [], new AbortController().signal)) {
      rows += batch.rows;
      await batch.release();
      const wanted = expected.get(batch.to.offset);
      if (wanted !== undefined) {
        assert.equal(rows, wanted);
        if (++verified === 3) break;
      }
      if (expected.size === verified) {
        const point = await source.verificationPoint();
        expected.set(
          point.position.offset,
          await point.copyTo("SELECT id FROM public.moving", `${fixture.folder}/point.csv`),
        );
        await point.close();
      }
    }
    for (const stop of writers) await stop();
    assert.equal(verified, 3);
    assert.ok(rows > 0);
  });
});

Deno.test("batches end at every position asked for, also where nothing happened there", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE cut (id int PRIMARY KEY)");
    const { source, after } = await streaming(fixture, ["cut"]);
    const positions: Position[] = [];
    for (let id = 0; id < 4; id++) {
      await fixture.client.query("INSERT INTO cut VALUES ($1)", [id]);
      const result = await fixture.client.query("SELECT pg_current_wal_insert_lsn()::text AS lsn");
      positions.push({ instance: after.instance, offset: result.rows[0].lsn });
      await fixture.client.query("SELECT pg_logical_emit_message(true, 'weir', 'end')");
    }
    const ends: string[] = [];
    const last = positions[3] as Position;
    for await (const batch of source.changes(after, positions, new AbortController().signal)) {
      // A slow machine has time for one that only tells how far it has read.
      if (batch.rows > 0) ends.push(`${batch.to.offset} ${batch.rows}`);
      if (source.compare(batch.to, last) >= 0) break;
    }
    assert.deepEqual(ends, positions.map((position) => `${position.offset} 1`));
    const again = await changesUntil(source, positions[1] as Position, last);
    assert.equal(again.reduce((sum, batch) => sum + batch.rows, 0), 2);
  });
});

Deno.test("an idle table's acknowledged position moves on, so that the server can forget its log", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE idle (id int PRIMARY KEY); CREATE TABLE busy (id int)");
    const { source, after } = await streaming(fixture, ["idle"]);
    await fixture.client.query("INSERT INTO busy SELECT generate_series(1, 1000)");
    const result = await fixture.client.query("SELECT pg_current_wal_lsn()::text AS lsn");
    const target = { instance: after.instance, offset: result.rows[0].lsn };
    const confirmed = async () => {
      const found = await fixture.client.query(
        "SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = 'weir'",
      );
      return { instance: after.instance, offset: found.rows[0].lsn };
    };
    const stop = new AbortController();
    const reading = (async () => {
      for await (const batch of source.changes(after, [], stop.signal)) source.acknowledge(batch.to);
    })();
    let moved = false;
    for (let tries = 0; tries < 100 && !moved; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      moved = source.compare(await confirmed(), target) >= 0;
    }
    stop.abort();
    await reading;
    assert.ok(moved);
  });
});
