import assert from "node:assert/strict";
import { join } from "node:path";
import pg from "pg";
import type { Position } from "../../lib/change/position.ts";
import type { RecordedPosition } from "../../lib/change/source.ts";
import { types } from "../../lib/dataset/column_type.ts";
import type { Dataset } from "../../lib/dataset/dataset.ts";
import { WeirError } from "../../lib/errors.ts";
import { shownSpool } from "../../lib/testing/scripted_spool.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { type PostgresFixture, withPostgres } from "../../lib/testing/with_postgres.ts";
import { PostgresSource } from "../../lib/source/postgres/source.ts";
import type { PostgresSourceOptions } from "../../lib/source/postgres/source_options.ts";

interface StartFixture extends PostgresFixture {
  /** Opens a source, runs the body, closes it. */
  use<T>(options: Partial<PostgresSourceOptions>, body: (source: PostgresSource) => Promise<T>): Promise<T>;
}

async function withStart(
  body: (fixture: StartFixture) => Promise<void>,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  await withPostgres(async (fixture) => {
    await withTemporaryFolder(async (folder) => {
      let count = 0;
      const use: StartFixture["use"] = async (options, run) => {
        const source = new PostgresSource({
          url: fixture.url,
          folder: join(folder, `${count++}`),
          tables: ["orders"],
          slotWaitMs: 200,
          heartbeatMs: 50,
          ...options,
        });
        try {
          return await run(source);
        } finally {
          await source.close();
        }
      };
      await body({ ...fixture, use });
    });
  }, { settings });
}

async function refusal(promise: Promise<unknown>): Promise<WeirError> {
  try {
    await promise;
  } catch (thrown) {
    assert.ok(thrown instanceof WeirError, String(thrown));
    return thrown;
  }
  assert.fail("it was not refused");
}

/** What the only table has recorded. Nothing of it may be forgotten. */
function of(position: Position): RecordedPosition {
  return { source: "public.orders", position, forget: (reason) => assert.fail(reason) };
}

async function copied(source: PostgresSource): Promise<Position> {
  await source.start([]);
  for await (const part of source.copy(source.datasets, new AbortController().signal)) {
    await part.release();
    return part.position;
  }
  assert.fail("nothing was copied");
}

Deno.test("every missing precondition is named at once, each with what puts it right", async () => {
  await withStart(async ({ client, url, use }) => {
    await client.query(
      `CREATE TABLE orders (id int); CREATE TABLE silent (id int PRIMARY KEY); CREATE TABLE hidden (id int PRIMARY KEY);
       ALTER TABLE silent REPLICA IDENTITY NOTHING; CREATE UNLOGGED TABLE fast (id int PRIMARY KEY);
       ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; GRANT SELECT ON silent, hidden, fast TO PUBLIC;
       CREATE ROLE reader LOGIN PASSWORD 'secret'`,
    );
    const reader = new URL(url);
    reader.username = "reader";
    reader.password = "secret";
    const options = { url: reader.href, tables: ["orders", "silent", "hidden", "fast", "absent*"] };
    const error = await refusal(use(options, (source) => source.start([])));
    assert.equal(error.kind, "precondition");
    for (
      const expected of [
        "wal_level is replica, not logical: ALTER SYSTEM SET wal_level = logical",
        'user "reader" may not replicate: ALTER ROLE "reader" REPLICATION',
        '"public"."orders" may not be read: GRANT',
        '"public"."orders" has no key by which rows can be told apart: ALTER TABLE "public"."orders" ADD PRIMARY KEY',
        '"public"."silent" has replica identity nothing',
        '"public"."hidden" has row security',
        '"public"."fast" is unlogged',
        'no table matches "absent*"',
        "this user may not publish the tables: CREATE PUBLICATION",
      ]
    ) assert.ok(error.message.includes(expected), `${expected}\n${error.message}`);
    assert.ok(!error.message.includes("secret"));
    const looked = await refusal(use(options, (source) => source.inspect()));
    assert.equal(looked.message, error.message, "who only looks is told the same");
  }, { wal_level: "replica", max_replication_slots: "1" });
});

Deno.test("a server without room for another slot or walsender is refused", async () => {
  await withStart(async ({ client, use }) => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY)");
    const error = await refusal(use({}, (source) => source.start([])));
    assert.match(
      error.message,
      /0 of 1 replication slots are taken, 2 more are needed: ALTER SYSTEM SET max_replication_slots = 4/,
    );
    assert.match(error.message, /0 of 1 walsenders are busy, 2 more are needed: ALTER SYSTEM SET max_wal_senders = 4/);
  }, { max_replication_slots: "1", max_wal_senders: "1" });
});

Deno.test("slot and publication are declared: made once, completed when a table joins, dropped by teardown", async () => {
  await withStart(async ({ client, use }) => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE customers (id int PRIMARY KEY)");
    await use({}, (source) => source.start([]));
    await use({ tables: ["public.orders", "public.c*"] }, (source) => source.start([]));
    const published = await client.query(
      "SELECT tablename FROM pg_publication_tables WHERE pubname = 'weir' ORDER BY 1",
    );
    assert.deepEqual(published.rows.map((row) => row.tablename), ["customers", "orders"]);
    await use({}, (source) => source.teardown());
    await use({}, (source) => source.teardown());
    const left = await client.query(
      "SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_publication) AS count",
    );
    assert.equal(left.rows[0].count, "0");
  });
});

Deno.test("a lost, recreated, overtaken or foreign slot is refused, and so is another or a restored server", async (t) => {
  await withStart(async ({ client, use }) => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY)");
    const position = await use({}, copied);
    const start = (recorded: Position) => use({}, (source) => source.start([of(recorded)]));
    await t.step("as it was, it is taken", () => start(position));
    await t.step("advanced behind our back", async () => {
      await client.query("INSERT INTO orders VALUES (1)");
      await client.query("SELECT pg_replication_slot_advance('weir', pg_current_wal_lsn())");
      const error = await refusal(start(position));
      assert.equal(error.kind, "sourceLost");
      assert.match(error.message, /ahead of the recorded/);
      assert.match(error.advice, /--resync/);
    });
    await t.step("gone", async () => {
      await client.query("SELECT pg_drop_replication_slot('weir')");
      assert.equal((await refusal(start(position))).kind, "sourceLost");
    });
    await t.step("made again", async () => {
      await client.query("SELECT pg_create_logical_replication_slot('weir', 'pgoutput')");
      assert.equal((await refusal(start(position))).kind, "sourceLost");
    });
    await t.step("publication dropped under it", async () => {
      await client.query("DROP PUBLICATION weir");
      assert.equal((await refusal(use({}, (source) => source.start([])))).kind, "sourceLost");
      await client.query("SELECT pg_drop_replication_slot('weir')");
    });
    await t.step("another plugin's", async () => {
      await client.query("SELECT pg_create_physical_replication_slot('weir')");
      assert.equal((await refusal(use({}, (source) => source.start([])))).kind, "sourceMismatch");
    });
    await t.step("another server", async () => {
      const error = await refusal(start({ instance: "postgres:1/1", offset: position.offset }));
      assert.equal(error.kind, "sourceMismatch");
    });
    await t.step("a server restored from a backup", async () => {
      const error = await refusal(start({ ...position, offset: "FF/0" }));
      assert.equal(error.kind, "sourceMismatch");
      assert.match(error.message, /restored from a backup/);
    });
  });
});

Deno.test("a slot that the server invalidated is refused", async () => {
  await withStart(async ({ client, use }) => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE noise (body text)");
    const position = await use({}, copied);
    for (let round = 0; round < 4; round++) {
      await client.query("INSERT INTO noise SELECT repeat(md5(g::text), 60) FROM generate_series(1, 15000) g");
      await client.query("SELECT pg_switch_wal()");
      await client.query("CHECKPOINT");
    }
    const error = await refusal(use({}, (source) => source.start([of(position)])));
    assert.equal(error.kind, "sourceLost");
    assert.match(error.message, /invalidated by the server/);
  }, { max_slot_wal_keep_size: "16MB", wal_keep_size: "0", max_wal_size: "32MB" });
});

Deno.test("a slot that another process reads is fenced", async () => {
  await withStart(async ({ client, use }) => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY)");
    await use({}, async (first) => {
      const position = await copied(first);
      await client.query("INSERT INTO orders VALUES (1)");
      for await (const batch of first.changes(position, [], new AbortController().signal)) {
        assert.equal((await refusal(use({}, (second) => second.start([of(position)])))).kind, "fenced");
        assert.equal((await refusal(use({}, (second) => second.teardown()))).kind, "fenced");
        await batch.release();
        break;
      }
    });
  });
});

Deno.test("a wrong password and a server that is not there are told apart, without the password", async () => {
  await withStart(async ({ url, use }) => {
    const wrong = new URL(url);
    wrong.password = "swordfish";
    const refused = await refusal(use({ url: wrong.href }, (source) => source.start([])));
    assert.equal(refused.kind, "authentication");
    assert.ok(!refused.message.includes("swordfish"));
    const absent = new URL(url);
    absent.port = "1";
    assert.equal((await refusal(use({ url: absent.href }, (source) => source.start([])))).kind, "connection");
  });
});

Deno.test("a declared dataset must agree with its table", async () => {
  await withStart(async ({ client, use }) => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY, n bigint, extra text)");
    const column = (name: string, type: Dataset["columns"][number]["type"]) => ({ name, type, nullable: true });
    const dataset: Dataset = {
      namespace: "shop",
      name: "lake_orders",
      source: { namespace: "public", table: "orders" },
      columns: [column("id", types.int32), column("n", types.int64)],
      key: ["id"],
    };
    await use({ datasets: [dataset], tables: [] }, async (source) => {
      await source.start([]);
      assert.deepEqual(source.datasets[0]?.columns.map(({ name }) => name), ["id", "n", "extra"]);
      assert.equal(source.datasets[0]?.name, "lake_orders");
    });
    const wrong = {
      ...dataset,
      key: ["n"],
      columns: [column("id", types.string), column("n", types.int64), column("absent", types.string)],
    };
    const error = await refusal(use({ datasets: [wrong], tables: [] }, (source) => source.start([])));
    assert.match(error.message, /names its rows by \(id\), its dataset by \(n\)/);
    assert.match(error.message, /another type than its dataset in column "id"/);
    assert.match(error.message, /has no column "absent"/);
  });
});

Deno.test("a declared column is found under its aliases in any case, and its own name goes first", async () => {
  await withStart(async ({ client, use }) => {
    await client.query('CREATE TABLE orders (id int PRIMARY KEY, "SSN" text, mail text, "eMail" text)');
    const column = (name: string, aliases: readonly string[]) => ({
      name,
      type: types.string,
      nullable: true,
      aliases,
    });
    const dataset: Dataset = {
      namespace: "shop",
      name: "people",
      source: { namespace: "public", table: "orders" },
      columns: [
        { name: "id", type: types.int32, nullable: false },
        { ...column("nationalid", ["ssn", "PPS"]), personal: true },
        { ...column("mail", ["email"]), doc: "e-mail address" },
      ],
      key: ["id"],
    };
    await use({ datasets: [dataset], tables: [] }, async (source) => {
      await source.start([]);
      const found = source.datasets[0]?.columns.map(({ name, personal, doc }) => [name, personal, doc]);
      assert.deepEqual(found, [
        ["id", undefined, undefined],
        ["SSN", true, undefined],
        ["mail", undefined, "e-mail address"],
        ["eMail", undefined, undefined],
      ]);
    });
  });
});

Deno.test("a table without key is refused, one with a unique index and replica identity full is not", async () => {
  await withStart(async ({ client, use }) => {
    await client.query(
      "CREATE TABLE orders (id int NOT NULL UNIQUE, n int); ALTER TABLE orders REPLICA IDENTITY FULL",
    );
    await use({}, async (source) => {
      await source.start([]);
      assert.deepEqual(source.datasets[0]?.key, ["id"]);
      await source.teardown();
    });
    await client.query("ALTER TABLE orders REPLICA IDENTITY DEFAULT");
    const { message } = await refusal(use({}, (source) => source.start([])));
    const [remedy] = /ALTER TABLE .* REPLICA IDENTITY USING INDEX "orders_id_key"$/m.exec(message) ?? [];
    assert.ok(remedy, message);
    await client.query(remedy);
    await use({}, (source) => source.start([]));
  });
});

Deno.test("a table that was dropped and made again while nobody looked loses its position and asks for a new copy", async () => {
  await withStart(async ({ client, url }) => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)");
    await withTemporaryFolder(async (folder) => {
      const open = () => new PostgresSource({ url, folder, tables: ["orders", "other"], batchMs: 10, heartbeatMs: 50 });
      const first = open();
      const position = await copied(first);
      await first.close();
      await client.query("DROP TABLE orders; CREATE TABLE orders (id int PRIMARY KEY)");
      const second = open();
      const reasons: string[] = [];
      const forget = (reason: string) => Promise.resolve(void reasons.push(reason));
      await second.start([{ ...of(position), forget }]);
      assert.equal(reasons.length, 1);
      assert.match(reasons[0] ?? "", /made again/);
      for await (const batch of second.changes(position, [], AbortSignal.timeout(5000))) {
        assert.match(batch.changes.get("public.orders")?.recopyReason ?? "", /dropped and made again/);
        break;
      }
      await second.close();
    });
  });
});

Deno.test("an end that came too soon to be recorded comes again while the source is quiet, until it is recorded", async () => {
  await withStart(async ({ client, use }) => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY)");
    await use({ batchMs: 10 }, async (source) => {
      const after = await copied(source);
      await client.query("SELECT pg_logical_emit_message(true, 'unheard', 'moves the log')");
      const { rows: [{ lsn }] } = await client.query("SELECT pg_current_wal_lsn()::text AS lsn");
      const quiet = new AbortController();
      let batches = 0;
      for await (
        const batch of source.changes(after, [after], AbortSignal.any([quiet.signal, AbortSignal.timeout(10_000)]))
      ) {
        await batch.release();
        if (source.compare(batch.to, { ...after, offset: lsn }) < 0) continue;
        if (++batches < 3) continue;
        source.acknowledge(batch.to);
        setTimeout(() => quiet.abort(), 500);
      }
      assert.ok(batches >= 3 && batches < 6, `${batches} batches`);
    });
  });
});

Deno.test("a database in another encoding is read as UTF-8", async () => {
  await withStart(async ({ client, url, use }) => {
    await client.query("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    const latin = new URL(url);
    latin.pathname = "/latin";
    const inside = new pg.Client({ connectionString: latin.href });
    await inside.connect();
    await inside.query(
      "CREATE TABLE orders (id int PRIMARY KEY, \"naïve\" text); INSERT INTO orders VALUES (1, 'é ÿ')",
    );
    await use({ url: latin.href, batchMs: 10 }, async (source) => {
      await source.start([]);
      let position: Position | undefined;
      for await (const part of source.copy(source.datasets, new AbortController().signal)) {
        assert.equal(shownSpool(await Deno.readTextFile(part.changes.segments[0]?.paths[0] ?? "")), '"1","é ÿ"\n');
        position = part.position;
      }
      await inside.query("INSERT INTO orders VALUES (2, 'ß')");
      await inside.end();
      assert.ok(position);
      for await (const batch of source.changes(position, [], AbortSignal.timeout(5000))) {
        const segment = batch.changes.get("public.orders")?.segments[0];
        if (segment === undefined) continue;
        assert.deepEqual(segment.columns.map(({ name }) => name), ["id", "naïve"]);
        assert.equal(shownSpool(await Deno.readTextFile(segment.paths[0] ?? "")), '"I","0",,,"2","ß"\n');
        break;
      }
    });
  });
});
