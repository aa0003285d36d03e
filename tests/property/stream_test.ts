/** What the stream promises of row events and schema changes. */
import assert from "node:assert/strict";
import type { DatasetChanges } from "../../lib/change/micro_batch.ts";
import { readCsv } from "../../lib/fold/spool_reader.ts";
import {
  changesOf,
  changesUntilNow,
  copyAll,
  type SourceFixture,
  spoolLines,
  streaming,
  withSource,
} from "./source_fixture.ts";

/** The changes that statements cause, each run as one transaction. */
async function changesBy(
  fixture: SourceFixture,
  table: string,
  statements: readonly string[],
): Promise<readonly DatasetChanges[]> {
  const { source, after } = await streaming(fixture, [table]);
  for (const statement of statements) await fixture.client.query(statement);
  return changesOf(await changesUntilNow(source, after, fixture.client), `public.${table}`);
}

Deno.test("inserts, updates, key changes and deletes stand in source order, old keys beside new ones", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE pairs (b text, a int, n int, PRIMARY KEY (a, b))");
    const changes = await changesBy(fixture, "pairs", [
      `BEGIN; INSERT INTO pairs VALUES ('x', 1, 10), ('', 2, NULL); UPDATE pairs SET n = 11 WHERE a = 1;
       UPDATE pairs SET b = 'y"' WHERE a = 1; DELETE FROM pairs WHERE a = 2; COMMIT`,
      "UPDATE pairs SET n = 12",
    ]);
    assert.deepEqual(await spoolLines(changes), [
      '"I","0",,,,"x","1","10"',
      '"I","1",,,,"","2",',
      '"U","2",,,,"x","1","11"',
      '"U","3",,"1","x","y"","1","11"',
      '"D","4",,,,"","2",',
      '"U","5",,,,"y"","1","12"',
    ]);
    const [segment] = changes[0]?.segments ?? [];
    assert.deepEqual([segment?.inserts, segment?.updates, segment?.deletes, segment?.keyChanges], [2, 3, 1, 1]);
  });
});

Deno.test("replica identity full tells key changes apart and fills values that were not sent", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query(
      `CREATE TABLE wide (id int PRIMARY KEY, n int, body text);
       ALTER TABLE wide ALTER body SET STORAGE EXTERNAL; ALTER TABLE wide REPLICA IDENTITY FULL`,
    );
    const changes = await changesBy(fixture, "wide", [
      "INSERT INTO wide VALUES (1, 1, repeat('x', 3000))",
      "UPDATE wide SET n = 2",
      "UPDATE wide SET id = 5",
      "DELETE FROM wide",
    ]);
    const body = `"${"x".repeat(3000)}"`;
    assert.deepEqual(await spoolLines(changes), [
      `"I","0",,,"1","1",${body}`,
      `"U","1",,,"1","2",${body}`,
      `"U","2",,"1","5","2",${body}`,
      '"D","3",,,"5",,',
    ]);
  });
});

Deno.test("an out-of-line value sent once and then reported unchanged in one transaction is marked, not lost", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query(
      `CREATE TABLE notes (id int PRIMARY KEY, n int, body text, other text);
       ALTER TABLE notes ALTER body SET STORAGE EXTERNAL; ALTER TABLE notes ALTER other SET STORAGE EXTERNAL;
       INSERT INTO notes VALUES (1, 0, repeat('a', 3000), repeat('o', 3000))`,
    );
    const changes = await changesBy(fixture, "notes", [
      "BEGIN; UPDATE notes SET body = repeat('b', 3000); UPDATE notes SET n = 2; COMMIT",
    ]);
    assert.deepEqual(await spoolLines(changes), [
      `"U","0","3",,"1","0","${"b".repeat(3000)}",`,
      '"U","1","2,3",,"1","2",,',
    ]);
    assert.equal(changes[0]?.segments[0]?.unchangedRows, 2);
  });
});

Deno.test("a truncate wipes the ordinals before it, in every table it reaches", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query(
      `CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE children (id int PRIMARY KEY REFERENCES parents)`,
    );
    const { source, after } = await streaming(fixture, ["parents", "children"]);
    await fixture.client.query(
      `BEGIN; INSERT INTO parents VALUES (1), (2); INSERT INTO children VALUES (1); TRUNCATE parents CASCADE;
       INSERT INTO parents VALUES (3); COMMIT`,
    );
    const batches = await changesUntilNow(source, after, fixture.client);
    const [parents] = changesOf(batches, "public.parents");
    const [children] = changesOf(batches, "public.children");
    assert.equal(parents?.truncatedBefore, 3n);
    assert.equal(children?.truncatedBefore, 3n);
    assert.deepEqual((await spoolLines([parents as DatasetChanges])).at(-1), '"I","3",,,"3"');
  });
});

Deno.test("each schema change in the middle of a transaction starts a segment with exactly its step", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE evolving (id int PRIMARY KEY, a text, b int, gone int)");
    const changes = await changesBy(fixture, "evolving", [
      `BEGIN; INSERT INTO evolving VALUES (1, 'a', 1, 1);
       ALTER TABLE evolving ADD COLUMN c text; INSERT INTO evolving VALUES (2, 'a', 1, 1, 'c');
       ALTER TABLE evolving RENAME a TO title; INSERT INTO evolving VALUES (3, 'a', 1, 1, 'c');
       ALTER TABLE evolving DROP COLUMN gone; INSERT INTO evolving VALUES (4, 'a', 1, 'c');
       ALTER TABLE evolving ALTER b TYPE bigint; INSERT INTO evolving VALUES (5, 'a', 5000000000, 'c');
       COMMIT`,
    ]);
    const [change] = changes;
    assert.ok(change);
    const columns = change.segments.map((segment) => segment.columns.map((column) => column.name).join());
    assert.deepEqual(columns, ["id,a,b,gone", "id,a,b,gone,c", "id,title,b,gone,c", "id,title,b,c", "id,title,b,c"]);
    assert.deepEqual(change.segments.map((segment) => segment.schemaChanges.map((step) => step.kind)), [
      [],
      ["addColumn"],
      ["renameColumn"],
      ["dropColumn"],
      ["widenColumn"],
    ]);
    assert.deepEqual(change.segments.map((segment) => segment.rows), [1, 1, 1, 1, 1]);
  });
});

for (
  const [name, statement, reason] of [
    ["a default filled into old rows", "ALTER TABLE t ADD COLUMN c int DEFAULT 7", /added with a default/],
    ["a volatile default", "ALTER TABLE t ADD COLUMN c float8 DEFAULT random()", /added with a default/],
    ["values rewritten to the same type", "ALTER TABLE t ALTER n TYPE int USING n * 2", /rewritten/],
    ["a widening that computes", "ALTER TABLE t ALTER n TYPE bigint USING n * 10", /rewritten with a wider type/],
    ["another type", "ALTER TABLE t ALTER n TYPE text USING 'x' || n", /type of column/],
    ["a column dropped and added again", "ALTER TABLE t DROP n; ALTER TABLE t ADD n int", /dropped and added again/],
    ["a renamed enum value", "ALTER TYPE mood RENAME VALUE 'glad' TO 'happy'", /value of an enum type was renamed/],
    ["a composite type with another field", "ALTER TYPE pair ADD ATTRIBUTE b text", /composite type got other fields/],
    ["another key", "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (m)", /key changed/],
  ] as const
) {
  for (const quiet of [false, true]) {
    Deno.test(`${name}${quiet ? ", in a table with no row events," : ""} asks for a new copy`, async () => {
      await withSource(async (fixture) => {
        await fixture.client.query(
          `CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TYPE pair AS (a int, m mood);
           CREATE TABLE t (id int PRIMARY KEY, n int, m int NOT NULL, e mood[], p pair); INSERT INTO t VALUES (1, 1, 1)`,
        );
        const { source, after } = await streaming(fixture, ["t"]);
        await fixture.client.query("UPDATE t SET m = 2");
        await fixture.client.query(statement);
        if (!quiet) await fixture.client.query("INSERT INTO t (id, m) VALUES (2, 3)");
        const signal = AbortSignal.timeout(5000);
        const reasons: string[] = [];
        for await (const batch of source.changes(after, [], signal)) {
          const told = batch.changes.get("public.t")?.recopyReason;
          if (told === undefined) continue;
          reasons.push(told);
          break;
        }
        // The quiet case leaves the stream its word on keys: row events will tell.
        if (quiet && name === "another key") assert.deepEqual(reasons, []);
        else assert.match(reasons.join(), reason);
      });
    });
  }
}

for (
  const [name, statement] of [
    ["VACUUM FULL", "VACUUM FULL t"],
    ["CLUSTER", "CLUSTER t USING t_pkey"],
    ["a widening that needs no rewrite", "ALTER TABLE t ALTER d TYPE numeric(12,2)"],
    ["a new enum value", "ALTER TYPE mood ADD VALUE 'new'"],
    ["another column of an enum", "ALTER TABLE t ADD e2 mood"],
    ["a column's storage and statistics", "ALTER TABLE t ALTER s SET STORAGE EXTERNAL, ALTER s SET STATISTICS 10"],
    ["a column without default", "ALTER TABLE t ADD c int"],
    ["a longer varchar", "ALTER TABLE t ALTER s TYPE varchar(90)"],
  ] as const
) {
  Deno.test(`${name} asks for no new copy`, async () => {
    await withSource(async (fixture) => {
      await fixture.client.query(
        `CREATE TYPE mood AS ENUM ('glad', 'sad');
         CREATE TABLE t (id int PRIMARY KEY, n int, s varchar(9), d numeric(10,2), e mood);
         INSERT INTO t VALUES (1, 1, 'x', 1.5, 'glad')`,
      );
      const { source, after } = await streaming(fixture, ["t"]);
      await fixture.client.query("UPDATE t SET n = 2");
      await fixture.client.query(statement);
      const reasons: unknown[] = [];
      let rows = 0;
      // Quiet changes are looked for every second.
      setTimeout(() => void fixture.client.query("UPDATE t SET n = 3"), 1300);
      for await (const batch of source.changes(after, [], AbortSignal.timeout(5000))) {
        rows += batch.rows;
        reasons.push(...changesOf([batch], "public.t").flatMap((change) => change.recopyReason ?? []));
        if (rows === 2) break;
      }
      assert.deepEqual([rows, reasons], [2, []]);
    });
  });
}

Deno.test("a partitioned table is copied and streamed as its root", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query(
      `CREATE TABLE events (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
       CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
       CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
       INSERT INTO events VALUES (1, '2026-01-05'), (2, '2026-02-05')`,
    );
    const source = await fixture.open({ tables: ["events*"] });
    assert.deepEqual(source.datasets.map((dataset) => dataset.name), ["events"]);
    const parts = await copyAll(source);
    const rows = parts.reduce((sum, part) => sum + (part.changes.segments[0]?.rows ?? 0), 0);
    assert.equal(rows, 2);
    await fixture.client.query(
      "INSERT INTO events VALUES (3, '2026-01-06'); UPDATE events SET day = '2026-02-07' WHERE id = 3",
    );
    const after = parts.at(-1)?.position;
    assert.ok(after);
    const changes = changesOf(await changesUntilNow(source, after, fixture.client), "public.events");
    assert.deepEqual((await spoolLines(changes)).map((line) => line.slice(0, 3)), ['"I"', '"D"', '"I"']);
  });
});

for (
  const [name, statement, reason] of [
    ["truncated", "TRUNCATE events_1", /truncated/],
    ["detached", "ALTER TABLE events DETACH PARTITION events_1", /detached or dropped/],
    ["attached with rows", "ALTER TABLE events ATTACH PARTITION later FOR VALUES FROM (10) TO (20)", /attached/],
  ] as const
) {
  Deno.test(`a partition ${name} asks for a new copy, one made in place does not`, async () => {
    await withSource(async (fixture) => {
      await fixture.client.query(
        `CREATE TABLE events (id int PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (5); INSERT INTO events VALUES (1);
         CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (11)`,
      );
      const { source, after } = await streaming(fixture, ["events"]);
      await fixture.client.query("CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (5) TO (10)");
      await fixture.client.query("INSERT INTO events VALUES (6)");
      const reasons: string[] = [];
      for await (const batch of source.changes(after, [], AbortSignal.timeout(5000))) {
        const told = batch.changes.get("public.events")?.recopyReason;
        if (batch.rows > 0) {
          assert.equal(told, undefined);
          await new Promise((resolve) => setTimeout(resolve, 1500));
          await fixture.client.query(statement);
        } else if (told !== undefined) {
          reasons.push(told);
          break;
        }
      }
      assert.match(reasons.join(), reason);
    });
  });
}

Deno.test("a table taken out of the publication stops the stream", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)");
    const { source, after } = await streaming(fixture, ["a", "b"]);
    await fixture.client.query("ALTER PUBLICATION weir DROP TABLE b");
    const reading = Array.fromAsync(source.changes(after, [], AbortSignal.timeout(5000)));
    await assert.rejects(reading, { kind: "precondition", message: /taken out of publication "weir"/ });
  });
});

Deno.test("stored generated columns are copied and streamed alike", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query(
      `CREATE TABLE g (id int PRIMARY KEY, s int GENERATED ALWAYS AS (id * 2) STORED, v int GENERATED ALWAYS AS (id * 3) VIRTUAL);
       INSERT INTO g VALUES (1)`,
    );
    const source = await fixture.open({ tables: ["g"] });
    const [part] = await copyAll(source);
    assert.ok(part);
    await fixture.client.query("INSERT INTO g VALUES (2)");
    const changes = changesOf(await changesUntilNow(source, part.position, fixture.client), "public.g");
    assert.deepEqual(part.changes.segments[0]?.columns.map((column) => column.name), ["id", "s"]);
    assert.deepEqual(await spoolLines([part.changes, ...changes]), ['"1","2"', '"I","0",,,"2","4"']);
  });
});

/** Its memory is measured where it is a process's own: in `tests/crash/volume_test.ts`. */
Deno.test("a large commit goes to disk, while reading pauses and goes on", async () => {
  await withSource(async (fixture) => {
    const rows = 150_000;
    await fixture.client.query("CREATE TABLE big (id int PRIMARY KEY, a text, b text)");
    const { source, after } = await streaming(fixture, ["big"]);
    const insert = () =>
      fixture.client.query(
        "INSERT INTO big SELECT g, repeat(md5(g::text), 4), md5(g::text) FROM generate_series((SELECT count(*) + 1 FROM big), (SELECT count(*) FROM big) + $1::int) g",
        [rows],
      );
    await insert();
    await insert();
    let read = 0;
    for await (const batch of source.changes(after, [], new AbortController().signal)) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (const change of batch.changes.values()) {
        // Straight from the files, so that no table of the engine stands in memory beside them.
        for (const segment of change.segments) {
          const rows = readCsv(segment, change.key);
          const sound = await fixture.connection.value(
            `SELECT count(*) FROM ${rows} WHERE b = md5(id) AND a = repeat(b, 4)`,
          );
          read += Number(sound);
        }
      }
      await batch.release();
      if (read >= 2 * rows) break;
    }
    assert.equal(read, 2 * rows);
  });
});
