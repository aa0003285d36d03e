import assert from "node:assert/strict";
import type { MicroBatch } from "../../change/micro_batch.ts";
import type { Position } from "../../change/position.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { type PostgresFixture, withPostgres } from "../../testing/with_postgres.ts";
import { ReplayPoint } from "./replay.ts";

interface Fixture extends PostgresFixture {
  /** A point of the only table's capture. */
  open(): Promise<ReplayPoint>;
  /** Runs statements and gives the position after them. */
  write(...statements: string[]): Promise<Position>;
}

async function withCapture(body: (fixture: Fixture) => Promise<void>): Promise<void> {
  await withTemporaryFolder((folder) =>
    withPostgres(async (fixture) => {
      const { client, url } = fixture;
      await client.query("CREATE TABLE orders (id int PRIMARY KEY, name text)");
      await client.query("CREATE TABLE others (id int PRIMARY KEY)");
      await client.query("CREATE PUBLICATION side FOR TABLE orders");
      await client.query("SELECT pg_create_logical_replication_slot('side', 'pgoutput')");
      let points = 0;
      let instance = "";
      const open = async () => {
        const point = await ReplayPoint.open({
          url,
          folder: `${folder}/${points++}`,
          slot: "side",
          publication: "side",
          sources: [{ namespace: "public", table: "orders" }],
        });
        instance = point.position.instance;
        return point;
      };
      const write = async (...statements: string[]) => {
        for (const statement of statements) await client.query(statement);
        const { rows } = await client.query("SELECT pg_current_wal_insert_lsn()::text AS lsn");
        return { instance, offset: String(rows[0].lsn) };
      };
      await body({ ...fixture, open, write });
    })
  );
}

/** Each batch as `<inserts>/<updates>/<deletes>` of the table. */
async function told(batches: AsyncIterable<MicroBatch>): Promise<readonly string[]> {
  const told: string[] = [];
  for await (const { changes, release } of batches) {
    const segments = changes.get("public.orders")?.segments ?? [];
    const sum = (kind: "inserts" | "updates" | "deletes") => segments.reduce((all, segment) => all + segment[kind], 0);
    told.push(`${sum("inserts")}/${sum("updates")}/${sum("deletes")}`);
    await release();
  }
  return told.filter((text) => text !== "0/0/0");
}

Deno.test("what happened after a point comes from its own slot, what happened before it from the capture's, which stays where it was", () =>
  withCapture(async ({ open, write, client }) => {
    {
      await using _ = await open();
    }
    const standing = async () =>
      (await client.query("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE NOT temporary")).rows;
    const slot = await standing();
    await write("INSERT INTO orders SELECT n, 'a' FROM generate_series(1, 5) AS s (n)");
    const early = await write("INSERT INTO others VALUES (1)");
    const middle = await write(
      "UPDATE orders SET name = repeat('é', 3000) WHERE id < 3",
      "DELETE FROM orders WHERE id = 5",
    );
    await write("INSERT INTO orders VALUES (6, '')");
    await using point = await open();
    const after = await write("UPDATE orders SET id = 7 WHERE id = 1");
    await write("INSERT INTO orders VALUES (8, NULL)");
    assert.deepEqual(await told(point.changesSince([early, middle])), ["0/2/1", "1/0/0"]);
    assert.deepEqual(await told(point.changesSince([middle])), ["1/0/0"]);
    assert.deepEqual(await told(point.changesSince([])), []);
    assert.deepEqual(await told(point.changesUpTo([after])), ["0/1/0"]);
    assert.deepEqual(await standing(), slot);
    assert.equal((await point.standing()).isRead, false);
  }));

Deno.test("a point shows the source as it was, holds its tables' columns, and leaves nothing behind", () =>
  withCapture(async ({ open, write, client }) => {
    await write("INSERT INTO orders VALUES (1, 'a')");
    {
      await using point = await open();
      await write("INSERT INTO orders VALUES (2, 'b')");
      await withTemporaryFolder(async (folder) => {
        assert.equal(await point.copyTo("SELECT id FROM public.orders", `${folder}/rows.csv`), 1);
      });
      assert.deepEqual(point.sources.map(({ dataset }) => dataset.columns.map(({ name }) => name)), [["id", "name"]]);
      await client.query("SET lock_timeout = 100");
      await assert.rejects(() => client.query("ALTER TABLE orders ADD COLUMN note text"), /lock timeout/);
    }
    await client.query("ALTER TABLE orders ADD COLUMN note text");
    for (let waits = 0;; waits++) {
      const { rows } = await client.query("SELECT slot_name FROM pg_replication_slots");
      if (rows.length === 1) break;
      assert.ok(waits < 1500, JSON.stringify(rows));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }));

Deno.test("a slot that has let go of what is asked for, or is gone, or is being read, is told of", () =>
  withCapture(async ({ open, write, client }) => {
    {
      await using _ = await open();
    }
    const early = await write("INSERT INTO orders VALUES (1, 'a')");
    await write("INSERT INTO orders VALUES (2, 'b')");
    await client.query("SELECT pg_replication_slot_advance('side', pg_current_wal_lsn())");
    await using point = await open();
    await assert.rejects(() => told(point.changesSince([early])), { kind: "sourceLost" });
    await client.query("SELECT pg_drop_replication_slot('side')");
    await assert.rejects(() => told(point.changesSince([early])), { kind: "sourceLost" });
    assert.deepEqual(await point.standing(), { isRead: false });
    await assert.rejects(
      () =>
        ReplayPoint.open({
          url: "postgres://nobody@127.0.0.1:1/none",
          folder: "/tmp",
          slot: "side",
          publication: "side",
          sources: [],
        }),
      { kind: "connection" },
    );
  }));
