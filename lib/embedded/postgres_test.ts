import assert from "node:assert/strict";
import pg from "pg";
import { WeirError } from "../errors.ts";
import { EmbeddedPostgres } from "./postgres.ts";

const settings = { fsync: "off" };

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query({ text: statement, rowMode: "array" });
    return rows.flat();
  } finally {
    await client.end();
  }
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function isKind(kind: string): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof WeirError && thrown.kind === kind;
}

Deno.test("the embedded server is PostgreSQL 18 in UTF-8 and decodes a logical slot", () =>
  withFolder(async (folder) => {
    await using server = await EmbeddedPostgres.start({ folder, settings });
    assert.deepEqual(
      await query(
        server.url,
        "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')",
      ),
      [18, "UTF8"],
    );
    await query(server.url, "CREATE TABLE a (id int PRIMARY KEY)");
    await query(server.url, "SELECT pg_create_logical_replication_slot('p', 'pgoutput')");
    await query(server.url, "CREATE PUBLICATION w FOR TABLE a");
    await query(server.url, "INSERT INTO a VALUES (1)");
    const [count] = await query(
      server.url,
      "SELECT count(*) FROM pg_logical_slot_peek_binary_changes('p', NULL, NULL, 'proto_version', '1', 'publication_names', 'w')",
    );
    assert.ok(Number(count) >= 3, "begin, insert, commit");
  }));

Deno.test("data and port survive a stop, a restart and a kill", () =>
  withFolder(async (folder) => {
    const first = await EmbeddedPostgres.start({ folder });
    await query(first.url, "CREATE TABLE a AS SELECT 1 AS id");
    await first.restart();
    await query(first.url, "INSERT INTO a VALUES (2)");
    await first.kill();
    await first.restart();
    assert.deepEqual(await query(first.url, "SELECT id FROM a ORDER BY id"), [1, 2]);
    await first.stop();

    await using second = await EmbeddedPostgres.start({ folder });
    assert.equal(second.port, first.port);
    assert.deepEqual(await query(second.url, "SELECT id FROM a ORDER BY id"), [1, 2]);
  }));

Deno.test("a folder has one owner, and a taken port is named", () =>
  withFolder(async (folder) => {
    await using server = await EmbeddedPostgres.start({ folder, settings });
    await assert.rejects(EmbeddedPostgres.start({ folder, settings }), isKind("fenced"));
    await withFolder(async (other) => {
      await assert.rejects(EmbeddedPostgres.start({ folder: other, port: server.port, settings }), isKind("portTaken"));
    });
  }));

Deno.test("a wrong password is refused", () =>
  withFolder(async (folder) => {
    await using server = await EmbeddedPostgres.start({ folder, settings });
    const url = new URL(server.url);
    url.password = "wrong";
    await assert.rejects(query(url.href, "SELECT 1"), { code: "28P01" });
  }));
