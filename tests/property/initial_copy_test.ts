import assert from "node:assert/strict";
import { join } from "node:path";
import pg from "pg";
import type { InitialCopyPart } from "../../lib/change/source.ts";
import { spoolQuote } from "../../lib/change/spool_format.ts";
import { armFailPoints, type FailPointHook } from "../../lib/fail_point.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { copyFailPoints } from "../../lib/source/postgres/initial_copy.ts";
import { PostgresSource } from "../../lib/source/postgres/source.ts";

async function withCopy(
  body: (
    fixture: { source: PostgresSource; spool: string; url: string; run: (sql: string) => Promise<unknown> },
  ) => Promise<void>,
): Promise<void> {
  await withPostgres(async ({ url, client }) => {
    await withTemporaryFolder(async (folder) => {
      await client.query(
        `CREATE TABLE items (id int PRIMARY KEY, body text); CREATE TABLE empty (id int PRIMARY KEY);
         INSERT INTO items SELECT g, md5(g::text) || repeat('x', 3000) FROM generate_series(1, 40000) g`,
      );
      const source = new PostgresSource({ url, folder, tables: ["items", "empty"], copyPartBytes: 2 ** 20 });
      try {
        await source.start([]);
        await body({ source, spool: join(folder, "spool"), url, run: (sql) => client.query(sql) });
      } finally {
        armFailPoints(undefined);
        await source.close();
      }
    });
  });
}

async function filesIn(folder: string): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(folder))).length;
}

Deno.test("a copy comes in bounded parts under one position, while rows are written, and an empty table has one part", async () => {
  await withCopy(async ({ source, spool, run }) => {
    const ids: number[] = [];
    const parts: Pick<InitialCopyPart, "last" | "position">[] = [];
    let most = 0;
    for await (const part of source.copy(source.datasets, new AbortController().signal)) {
      if (parts.length === 1) await run("INSERT INTO items VALUES (0, 'late'); DELETE FROM items WHERE id > 39000");
      parts.push(part);
      const [segment] = part.changes.segments;
      assert.ok(segment);
      most = Math.max(most, await filesIn(spool));
      const text = await Deno.readTextFile(segment.paths[0] ?? "");
      assert.ok(text.length < 2 ** 21);
      if (part.dataset.name === "items") {
        ids.push(...text.trimEnd().split("\n").map((line) => Number(line.split(spoolQuote)[1])));
      } else assert.deepEqual([segment.rows, text, part.last], [0, "", true]);
      await part.release();
    }
    assert.deepEqual(ids.sort((left, right) => left - right), Array.from({ length: 40_000 }, (_, index) => index + 1));
    assert.equal(new Set(parts.map((part) => part.position.offset)).size, 1);
    assert.equal(parts.filter((part) => part.last).length, 2);
    assert.ok(most < 12, `${most} files at once`);
    assert.equal(await filesIn(spool), 0);
  });
});

/** Rows copied of each table, in which `empty` is emptied at a moment: the copy is to go on once that waits for a lock. */
async function copiedBeside(
  moment: "locked" | "reading",
  { source, url, run }: { source: PostgresSource; url: string; run: (sql: string) => Promise<unknown> },
): Promise<Readonly<Record<string, number>>> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  let emptied: Promise<unknown> | undefined;
  const emptyOther = async (table: string) => {
    if (emptied !== undefined) return;
    emptied = run(`TRUNCATE ${table}`);
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    while ((await client.query(waiting)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  if (moment === "locked") armFailPoints((name) => name === "copy.afterLocks" ? emptyOther("items") : undefined);
  const counts: Record<string, number> = {};
  for await (const part of source.copy(source.datasets, AbortSignal.timeout(20_000))) {
    const { name } = part.dataset;
    counts[name] = (counts[name] ?? 0) + part.changes.segments.reduce((sum, { rows }) => sum + rows, 0);
    await part.release();
    await emptyOther(name === "items" ? "empty" : "items");
  }
  await emptied;
  await client.end();
  return counts;
}

for (const [moment, items] of [["locked", 0], ["reading", 40_000]] as const) {
  Deno.test(`a table emptied before the copy reads it, while it is ${moment}, holds up neither side for ever`, async () => {
    await withCopy(async (fixture) => {
      assert.deepEqual(await copiedBeside(moment, fixture), { items, empty: 0 });
    });
  });
}

Deno.test("a copy that is given up, aborted or fails at any step leaves no file, and the next one is whole", async (t) => {
  await withCopy(async ({ source, spool }) => {
    const rows = async (signal: AbortSignal, stopAfter = Infinity) => {
      let [count, taken] = [0, 0];
      for await (const part of source.copy(source.datasets, signal)) {
        count += part.changes.segments[0]?.rows ?? 0;
        await part.release();
        if (++taken >= stopAfter) break;
      }
      return count;
    };
    await t.step("given up", async () => {
      await rows(new AbortController().signal, 2);
      assert.equal(await filesIn(spool), 0);
    });
    await t.step("aborted", async () => {
      await assert.rejects(rows(AbortSignal.abort()), { kind: "interrupted" });
      assert.equal(await filesIn(spool), 0);
    });
    for (const point of copyFailPoints) {
      await t.step(`failed at ${point}`, async () => {
        let hits = 0;
        const hook: FailPointHook = (name) => {
          if (name === point && hits++ === 0) throw new Error("planted");
        };
        armFailPoints(hook);
        await assert.rejects(rows(new AbortController().signal), /planted/);
        armFailPoints(undefined);
        assert.equal(hits, 1);
        assert.equal(await filesIn(spool), 0);
      });
    }
    assert.equal(await rows(new AbortController().signal), 40_000);
  });
});

Deno.test("a table cannot change its columns while it is copied", async () => {
  await withCopy(async ({ source, run }) => {
    let altered: Promise<unknown> | undefined;
    let isDone = false;
    for await (const part of source.copy(source.datasets, new AbortController().signal)) {
      altered ??= run("ALTER TABLE items ADD COLUMN n int").then(() => isDone = true);
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(isDone, false);
      assert.equal(part.changes.segments[0]?.columns.length, part.dataset.name === "items" ? 2 : 1);
      await part.release();
    }
    await altered;
    assert.equal(isDone, true);
  });
});

Deno.test("a copy that waits for a long transaction holds up nobody who alters a table, and is of the table as altered", async () => {
  await withCopy(async ({ source, url, run }) => {
    await run("CREATE TABLE elsewhere (id int); SET statement_timeout = '20s'");
    const long = new pg.Client({ connectionString: url });
    await long.connect();
    await long.query("BEGIN; INSERT INTO elsewhere VALUES (1)");
    let [rows, snapshots] = [0, 0];
    armFailPoints(async (name) => {
      if (name === "copy.afterSnapshot" && ++snapshots === 2) await run("ALTER TABLE items ALTER id TYPE bigint");
    });
    const copied = (async () => {
      for await (const part of source.copy(source.datasets, new AbortController().signal)) {
        const [segment] = part.changes.segments;
        rows += segment?.rows ?? 0;
        const types = part.dataset.name === "items" ? ["int64", "string", "int32"] : ["int32"];
        assert.deepEqual(segment?.columns.map(({ type }) => type.kind), types);
        await part.release();
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await run("ALTER TABLE items ADD COLUMN n int");
    await long.query("COMMIT");
    await long.end();
    await copied;
    assert.equal(rows, 40_000);
    assert.equal(snapshots, 3);
  });
});
