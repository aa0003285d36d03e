import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { literal } from "../engine/quote.ts";
import { type DatabaseFixture, withDatabase } from "../testing/temporary.ts";
import { VectorLake } from "../testing/vector_lake.ts";
import { type Lake, openLake } from "./lake.ts";
import { projectFolder } from "./project.ts";
import { identifier, sql, SqlPart } from "./sql_part.ts";
import { display } from "./table_display.ts";

const formats = ["iceberg", "paimon", "delta"] as const;

type Formats = readonly (typeof formats)[number][];

/** Notes 1 and 2 in some formats; then another text of 2, and 3. */
async function writeNotes(
  fixture: DatabaseFixture,
  which: readonly (typeof formats)[number][] = formats,
): Promise<void> {
  for (const format of which) {
    const notes = new VectorLake(fixture, { format });
    await notes.write([{ id: 1, text: "Rent of the flat", stars: 3 }, { id: 2, text: "Petrol for the car" }]);
    await notes.write([{ id: 2, text: "Petrol for the boat" }, { id: 3 }]);
  }
}

async function withLake(
  body: (lake: Lake, fixture: DatabaseFixture) => Promise<void>,
  which: Formats = ["iceberg"],
): Promise<void> {
  await withDatabase(async (fixture) => {
    await writeNotes(fixture, which);
    await using lake = await openLake({ lake: `${fixture.folder}/lake` });
    await body(lake, fixture);
  });
}

async function firstSnapshot(lake: Lake): Promise<{ snapshotId: bigint; committed: Date }> {
  const [first] = await (await lake.history("notes")).rows();
  return { snapshotId: first!.snapshot_id as bigint, committed: first!.committed as Date };
}

Deno.test("a table is read by its name, and in each of its formats by choice", () =>
  withLake(async (lake) => {
    const [table, ...others] = lake.tables;
    assert.equal(others.length, 0);
    assert.deepEqual([table?.format, table?.formats], ["iceberg", formats]);
    const ids = async (from: unknown) =>
      (await (await lake.sql`SELECT id FROM ${from} ORDER BY id`).rows()).map(({ id }) => id);
    assert.deepEqual(await ids(sql`desk.notes`), [1n, 2n, 3n]);
    for (const format of formats) {
      assert.deepEqual(await ids(lake.table("notes", { format })), [1n, 2n, 3n], format);
      assert.deepEqual(await ids(identifier(`${format}_desk`, "notes")), [1n, 2n, 3n], format);
    }
  }, formats));

Deno.test("the first of the formats asked for is the one that a name alone stands for", () =>
  withDatabase(async (fixture) => {
    await writeNotes(fixture, ["iceberg", "delta"]);
    await using lake = await openLake({ lake: `${fixture.folder}/lake`, formats: ["paimon", "delta", "iceberg"] });
    assert.equal(lake.table("desk.notes").format, "delta");
    assert.throws(() => lake.table("notes", { format: "paimon" }), /is no paimon table/);
    await using only = await openLake({ lake: `${fixture.folder}/lake`, formats: ["iceberg"] });
    assert.deepEqual(only.tables.map(({ formats }) => formats), [["iceberg"]]);
  }));

Deno.test("a mistyped table is refused with the name that was meant", () =>
  withLake((lake) => {
    assert.throws(() => lake.table("desk.note"), { advice: "Did you mean desk.notes?" });
    return Promise.resolve();
  }));

Deno.test("a lake that is not there is an error that names its whole path", () =>
  withDatabase(async ({ folder }) => {
    await assert.rejects(openLake({ lake: `${folder}/nowhere` }), {
      kind: "configuration",
      message: /There is no lake in \//,
    });
    for (const lake of ["", " "]) await assert.rejects(openLake({ lake }), { kind: "configuration", message: /empty/ });
  }));

Deno.test("without options it is the lake that the jobs write to, whatever the working directory", async () => {
  const project = projectFolder();
  await Deno.mkdir(join(project, "data/state"), { recursive: true });
  const folder = await Deno.makeTempDir({ dir: join(project, "data/state"), prefix: "lake-" });
  try {
    const lake = relative(project, folder);
    const environments = [
      { WEIR_LAKE: lake },
      { WEIR_LAKE: `${lake}/nowhere` },
      { WEIR_LAKE: lake, WEIR_ICEBERG_CATALOG: "rest" },
      { WEIR_LAKE: lake, WEIR_ICEBERG_CATALOG: "rest", WEIR_ICEBERG_REST_URI: "http://127.0.0.1:9" },
    ];
    const [opened, missing = "", ...catalogs] = await saidElsewhere(environments);
    assert.equal(opened, "");
    assert.ok(missing.startsWith(`There is no lake in ${folder}/nowhere Run deno task pipeline, or `), missing);
    assert.match(catalogs[0] ?? "", /iceberg-catalog rest does not say which/);
    assert.match(catalogs[1] ?? "", /catalog/i);
  } finally {
    await Deno.remove(folder);
  }
});

/** What opening the lake of the jobs says in each environment, in another working directory; nothing where it goes well. */
async function saidElsewhere(environments: readonly Readonly<Record<string, string>>[]): Promise<readonly string[]> {
  const script = `import { openLake } from ${JSON.stringify(new URL("./lake.ts", import.meta.url))};
    for (const environment of ${JSON.stringify(environments)}) {
      for (const [name, value] of Object.entries(environment)) Deno.env.set(name, value);
      const said = await openLake().then((lake) => lake.close()).catch(({ message, advice }) => message + " " + advice);
      console.log(JSON.stringify(said ?? ""));
    }`;
  const url = `data:text/typescript,${encodeURIComponent(script)}`;
  const config = join(projectFolder(), "deno.json");
  const args = ["run", "-A", "--no-check", "--config", config, url];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: tmpdir(), stderr: "inherit" }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("a damaged table is left out, and who asks for it is told the reason", () =>
  withDatabase(async (fixture) => {
    await writeNotes(fixture, ["iceberg", "paimon"]);
    const lakeFolder = `${fixture.folder}/lake`;
    const metadata = `${lakeFolder}/iceberg/desk/notes/metadata`;
    for await (const { name } of Deno.readDir(metadata)) {
      if (name.endsWith(".json")) await Deno.writeTextFile(`${metadata}/${name}`, "{");
    }
    const reason = { kind: "tableUnreadable", message: /^iceberg table desk\.notes is damaged: .*metadata/ } as const;
    for (const at of ["newest", "consistent"] as const) {
      await using lake = await openLake({ lake: lakeFolder, at });
      assert.deepEqual(lake.tables.map(({ formats }) => formats), [["paimon"]]);
      assert.deepEqual(await (await lake.sql`SELECT count(*) AS n FROM desk.notes`).rows(), [{ n: 3n }]);
      assert.match(String((await lake[display]())["text/plain"]), /Left out: the iceberg table desk\.notes is damaged/);
      assert.throws(() => lake.table("notes", { format: "iceberg" }), reason);
      await assert.rejects(lake.sql`SELECT id FROM iceberg_desk.notes`, reason);
      await assert.rejects(lake.sql`SELECT nothing FROM desk.notes`, /nothing/);
    }
    await using only = await openLake({ lake: lakeFolder, formats: ["iceberg"] });
    assert.throws(() => only.table("desk.notes"), reason);
    await assert.rejects(only.sql`SELECT id FROM desk.notes`, reason);
  }));

Deno.test("a table whose files are there without those that say what it holds is told of as damaged", () =>
  withDatabase(async (fixture) => {
    const lakeFolder = `${fixture.folder}/lake`;
    await writeNotes(fixture, ["iceberg", "delta", "paimon"]);
    const markers = ["iceberg/desk/notes/metadata", "delta/desk/notes/_delta_log", "paimon/desk.db/notes/schema"];
    for (const path of markers) await Deno.remove(`${lakeFolder}/${path}`, { recursive: true });
    await Deno.mkdir(`${lakeFolder}/iceberg/desk/removed`);
    await using lake = await openLake({ lake: lakeFolder });
    const text = String((await lake[display]())["text/plain"]);
    for (const path of markers) assert.ok(text.includes(`table desk.notes is damaged: ${path} is missing`), text);
    assert.doesNotMatch(text, /removed/);
    assert.throws(() => lake.table("notes"), { kind: "tableUnreadable", advice: /copied anew/ });
  }));

Deno.test("a lake that was closed cannot be read any more", () =>
  withDatabase(async (fixture) => {
    await writeNotes(fixture, ["iceberg"]);
    const lake = await openLake({ lake: `${fixture.folder}/lake` });
    await lake.close();
    await lake.close();
    await assert.rejects(lake.sql`SELECT 1`);
  }));

Deno.test("values are bound and never become SQL", () =>
  withLake(async (lake) => {
    const bad = "1' OR '1'='1";
    const result = await lake.sql`SELECT id, ${bad} AS said FROM desk.notes WHERE note = ${bad} OR id = ${3}`;
    assert.deepEqual(await result.rows(), [{ id: 3n, said: bad }]);
    const listed = await lake.sql`SELECT id FROM desk.notes WHERE id IN (SELECT unnest(${[1, 2n]})) ORDER BY id`;
    assert.deepEqual(await listed.rows(), [{ id: 1n }, { id: 2n }]);
    await assert.rejects(lake.sql`SELECT '${bad}'`, /inside of quotes/);
    await assert.rejects((lake.sql as unknown as (text: string) => Promise<unknown>)("SELECT 1"), TypeError);
  }));

Deno.test("nothing but reading is run", () =>
  withLake(async (lake, { folder }) => {
    const file = `${folder}/lake/copy.csv`;
    const refused = [
      () => lake.sql`DROP VIEW desk.notes`,
      () => lake.sql`COPY (SELECT 1) TO ${new SqlPart([literal(file)])}`,
      () => lake.sql`EXPLAIN ANALYZE COPY (SELECT 1) TO ${new SqlPart([literal(file)])}`,
      () => lake.sql`/* */ EXPLAIN ANALYZE CREATE TABLE a AS SELECT 1`,
      () => lake.sql`SET threads = 1`,
      () => lake.sql`SELECT 1; SELECT 2`,
    ];
    for (const run of refused) await assert.rejects(run(), TypeError, String(run));
    await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
    assert.deepEqual((await (await lake.sql`EXPLAIN SELECT 1`).rows()).map((row) => row.explain_key), [
      "physical_plan",
    ]);
  }));

Deno.test("queries that are asked for at the same time do not disturb each other", () =>
  withLake(async (lake) => {
    const sums = await Promise.all([1000, 2000, 30_000].map(async (rows) => {
      let sum = 0n;
      const result = await lake.sql`SELECT range AS i FROM range(${rows})`;
      for await (const chunk of result) {
        await lake.sql`SELECT count(*) FROM desk.notes`;
        sum += chunk.reduce((all, { i }) => all + (i as bigint), 0n);
      }
      return sum;
    }));
    assert.deepEqual(sums, [1000n, 2000n, 30_000n].map((rows) => rows * (rows - 1n) / 2n));
  }));

Deno.test("a table of the past stands beside that of now, and the lake opens at a time and at a position", () =>
  withLake(async (lake) => {
    const { snapshotId, committed } = await firstSnapshot(lake);
    for (const moment of [{ snapshotId }, committed, { position: "notes@1" }]) {
      const then = await lake.tableAt("notes", moment);
      const joined = await lake.sql`
        SELECT n.note, old.note AS was FROM ${lake.table("notes")} AS n JOIN ${then} AS old USING (id) WHERE id = ${2}`;
      assert.deepEqual(await joined.rows(), [{ note: "Petrol for the boat", was: "Petrol for the car" }]);
    }
    await using then = await lake.at({ position: "notes@1" });
    assert.deepEqual(await (await then.sql`SELECT count(*) AS n FROM desk.notes`).rows(), [{ n: 2n }]);
    await using consistent = await lake.at("consistent");
    assert.deepEqual(consistent.tables.map(({ position }) => position?.offset), ["2"]);
  }));

Deno.test("an open lake stays at its snapshots while others write; opened again it has the new ones", () =>
  withLake(async (lake, fixture) => {
    const notes = new VectorLake(fixture, { format: "iceberg" });
    await notes.write([{ id: 9, text: "Late" }]);
    const count = async (opened: Lake) => (await (await opened.sql`SELECT count(*) AS n FROM desk.notes`).rows())[0]?.n;
    assert.equal(await count(lake), 3n);
    const from = await firstSnapshot(lake);
    assert.equal(await (await lake.changes("notes", { from })).rowCount(), 2n);
    await using again = await openLake({ lake: `${fixture.folder}/lake` });
    assert.equal(await count(again), 4n);
    assert.equal(await (await again.changes("notes", { from })).rowCount(), 3n);
  }));

Deno.test("changes between two points and the life of a row are results as any other", () =>
  withLake(async (lake) => {
    const from = await firstSnapshot(lake);
    for (const format of formats) {
      const [first] = await (await lake.history("notes", { format })).rows();
      const changes = await lake.changes("notes", { from: { snapshotId: first!.snapshot_id as bigint }, format });
      const shown = await lake.sql`SELECT change, key.id AS id, before.note AS was FROM ${changes} ORDER BY id`;
      assert.deepEqual(await shown.rows(), [
        { change: "update", id: 2n, was: "Petrol for the car" },
        { change: "insert", id: 3n, was: null },
      ], format);
    }
    assert.equal(await (await lake.changes("notes", { from, to: from })).rowCount(), 0n);
    const life = await lake.rowHistory("notes", { id: 2 });
    const texts = await (await lake.sql`SELECT change, note FROM ${life}`).rows();
    assert.deepEqual(texts, [
      { change: "kept", note: "Petrol for the car" },
      { change: "update", note: "Petrol for the boat" },
    ]);
  }, formats));

Deno.test("similar rows are a result as any other, and say what they were compared by", () =>
  withLake(async (lake) => {
    const found = await lake.similar("notes", {
      near: { text: "petrol" },
      filters: ["id<3"],
      columns: ["note"],
      top: 1,
    });
    const [row] = await found.rows();
    assert.equal(row?.note, "Petrol for the boat");
    assert.ok(Number(row?.similarity) > 0.3);
    assert.match(
      String((await found[display]())["text/plain"]),
      /vectors of weir-hash-nonsemantic@1 \(128 dimensions\)/,
    );
    const near = await lake.similar("notes", { near: { key: { id: 1 } }, top: 5 });
    assert.deepEqual((await near.rows()).map(({ id }) => id), [2n]);
    await assert.rejects(lake.similar("notes", { near: { text: "x" }, filters: ["nonsense"] }), /no condition/);
  }));

Deno.test("a lake shows its tables, and the formats that each can be read in", () =>
  withLake(async (lake) => {
    assert.match(String((await lake[display]())["text/plain"]), /desk\.notes {2}iceberg {2}paimon, delta/);
  }, formats));
