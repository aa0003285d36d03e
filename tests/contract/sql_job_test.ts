/** Statements of the command line and of a pipe: what is printed, written and refused. */
import assert from "node:assert/strict";
import * as arrow from "apache-arrow";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { jobArguments, openNotes, root, sqlJob, withNotes } from "./sql_job.ts";

Deno.test("rows of a lake table are printed as a table, JSON, Arrow and Parquet", () =>
  withNotes(async (lake) => {
    const statement = "SELECT id, note, stars FROM desk.notes ORDER BY id";
    const run = (output: string) => sqlJob([statement, "--lake", lake, "--output", output]);
    const table = await run("table");
    assert.equal(table.code, 0, table.stderr);
    assert.match(
      table.stdout,
      /^id +note +stars\n─+.*\n 1 +Rent of the flat +3\n 2 +Petrol for the car +NULL\n2 rows\n$/,
    );
    assert.deepEqual(JSON.parse((await run("json")).stdout)[1], { id: 2, note: "Petrol for the car", stars: null });
    assert.equal(arrow.tableFromIPC((await run("arrow")).bytes).numRows, 2);
    assert.match((await run("parquet")).stdout, /^PAR1[\s\S]*PAR1$/);
  }));

Deno.test("the file of --out is written whole, read again by a statement, and left alone by one that fails", () =>
  withNotes(async (lake) => {
    const name = `data/state/${crypto.randomUUID()}.parquet`;
    try {
      const written = await sqlJob(["SELECT * FROM desk.notes", "--lake", lake, "--out", name, "--json"]);
      assert.equal(written.code, 0, written.stderr);
      assert.deepEqual(JSON.parse(written.stdout), { ok: true, statements: 1, rows: 2, out: `${root}${name}` });
      const before = await Deno.readFile(`${root}${name}`);
      for (const wrong of ["SELECT note::INT FROM desk.notes", "SELECT 1; SELECT 2"]) {
        const failed = await sqlJob([wrong, "--lake", lake, "--out", name]);
        assert.equal(failed.code, 1, wrong);
      }
      const read = await sqlJob([
        `SELECT count(*) AS n FROM '${name}'`,
        "--lake",
        lake,
        "--output",
        "csv",
        "--folders",
        "data/state",
      ]);
      assert.equal(read.stdout, "n\n2\n", read.stderr);
      assert.deepEqual(await Deno.readFile(`${root}${name}`), before);
    } finally {
      await Deno.remove(`${root}${name}`);
    }
  }));

Deno.test("statements of a pipe are run in turn, printed as CSV, and the first that fails ends them", () =>
  withNotes(async (lake) => {
    const args = ["--lake", lake, "--output", "csv"];
    const both = await sqlJob(args, {
      input: "SELECT ';' AS a -- one;\n;\nSELECT id, note, stars FROM desk.notes ORDER BY 1",
    });
    const notes = "id,note,stars\n1,Rent of the flat,3\n2,Petrol for the car,\n";
    assert.deepEqual([both.code, both.stdout], [0, `a\n;\n${notes}`], both.stderr);
    const failed = await sqlJob(args, { input: "SELECT 1 AS a; SELCT 2; SELECT 3" });
    assert.deepEqual([failed.code, failed.stdout], [1, "a\n1\n"]);
    assert.match(failed.stderr, /syntax error at or near "SELCT" \(line 1, column 2\)/);
    assert.match((await sqlJob(args, { input: " ; " })).stderr, /nothing is asked/);
  }));

Deno.test("commands of the prompt are understood from a pipe too, and a mistyped one ends it", () =>
  withNotes(async (lake) => {
    const args = ["--lake", lake, "--output", "csv"];
    const input = ".tables\nSELECT 1 AS a;\n-- a note\n.format json\n.describe desk.notes\nSELECT 2 +\n.5 AS b; .help";
    const { code, stdout, stderr } = await sqlJob(args, { input });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^table +format .*\n─.*\ndesk\.notes +iceberg .*\na\n1\ncolumn +type\n[^]*\nstars +INTEGER/);
    assert.match(stdout, /\[\n\{"b":2\.5\}\n\]\n[^]*\n\.tables +tables of the lake\n/);
    const mistyped = await sqlJob(args, { input: ".tabels\nSELECT 1;" });
    assert.deepEqual([mistyped.code, mistyped.stdout], [1, ""]);
    assert.match(mistyped.stderr, /\.tabels is no command\n.*Did you mean \.tables\?/);
    const file = await sqlJob([...args, ".tables", "--out", "data/state/tables.csv"]);
    assert.match(file.stderr, /a command has none/);
  }));

Deno.test("nothing but the lake and the folders given is read, and nothing is written", () =>
  withNotes(async (lake) => {
    const run = async (...args: string[]) => await sqlJob([...args, "--lake", lake]);
    const refused = await run("FROM read_text('/etc/passwd')");
    assert.deepEqual([refused.code, /--folders/.test(refused.stderr)], [1, true], refused.stderr);
    {
      await using notes = await openNotes(lake);
      for (const path of ["data/state/postgres/password", "deno.json"]) {
        await assert.rejects(notes.run(`FROM read_text('${path}')`), { advice: /--folders/ }, path);
      }
      await assert.rejects(notes.run("DROP TABLE desk.notes"), { message: /type DROP/ });
    }
    assert.match(
      (await run("SELECT 1", "--folders", "/etc")).stderr,
      /do not reach \/etc[\s\S]*--allow-read=\S*,\/etc /,
    );
    assert.match((await run("SELECT 1", "--out", "README.csv")).stderr, /do not reach \S*README\.csv/);
    assert.match((await run("SELECT 1", "--json")).stderr, /--output json/);
    assert.match((await run("SELECT", "1")).stderr, /one word too many[\s\S]*quotes/);
  }));

Deno.test("the lake is asked at a point of its past, and a point that is none is refused", () =>
  withNotes(async (lake) => {
    for (const at of ["newest", "consistent", "2100-01-01", "notes@1"]) {
      await using notes = await openNotes(lake, { at });
      assert.equal(await notes.run("SELECT count(*) AS n FROM desk.notes"), "n\n2\n", at);
    }
    const refused = await sqlJob(["SELECT count(*) FROM desk.notes", "--lake", lake, "--at", "yesterday"]);
    assert.match(refused.stderr, /is no point in time/);
  }));

Deno.test("Ctrl-C ends a query that runs, with the exit code that shells know", () =>
  withNotes(async (lake) => {
    const endless = "SELECT 1; SELECT sum(sqrt(a.range * b.range)) FROM range(1000000) a, range(1000000) b";
    const { code, stderr } = await sqlJob([endless, "--lake", lake, "--threads", "1"], { isInterrupted: true });
    assert.deepEqual([code, /the query was interrupted/.test(stderr)], [130, true], stderr);
  }));

Deno.test("a reader that goes away (| head) ends the statements, and is no error", async () => {
  const command = `"$0" ${
    jobArguments.join(" ")
  } "SELECT range FROM range(100000000); SELECT 1" --output csv | head -2`;
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", `${command}; exit \${PIPESTATUS[0]}`, Deno.execPath()],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output().then((ended) => {
    assert.equal(ended.code, 141);
    return ended;
  });
  const decoder = new TextDecoder();
  assert.equal(decoder.decode(stdout), "range\n0\n");
  assert.doesNotMatch(decoder.decode(stderr), /error/);
});

Deno.test("tables of the source database are joined with those of the lake, in their types and up to a bound", () =>
  withPostgres(async ({ client, url }) =>
    await withNotes(async (lake) => {
      await client.query(
        `CREATE TABLE "Readers" (note_id int8, since timestamptz, paid numeric(8, 2), tags text[], body json)`,
      );
      await client.query(`INSERT INTO "Readers" VALUES (1, '2026-01-31 12:00+02', 1.10, '{a,"b,c"}', '{"x": 1}'),
        (2, 'infinity', NULL, NULL, NULL), (3, NULL, 0, '{}', NULL)`);
      const statement = `SELECT n.note, r.* EXCLUDE (body), r.body->>'x' AS x, typeof(paid) AS type
        FROM desk.notes n JOIN source.public."Readers" r ON r.note_id = n.id ORDER BY n.id`;
      const environment = { POSTGRES_URL: url };
      const joined = await sqlJob([statement, "--lake", lake, "--output", "json"], { environment });
      assert.equal(joined.code, 0, joined.stderr);
      assert.deepEqual(JSON.parse(joined.stdout), [
        {
          note: "Rent of the flat",
          note_id: 1,
          since: "2026-01-31T10:00:00Z",
          paid: 1.1,
          tags: ["a", "b,c"],
          x: "1",
          type: "DECIMAL(8,2)",
        },
        { note: "Petrol for the car", note_id: 2, since: null, paid: null, tags: null, x: null, type: "DECIMAL(8,2)" },
      ]);
      assert.match(joined.stderr, /in 1 row of public\.Readers values/);
      const count = `SELECT count(*) AS n FROM source.public."Readers"`;
      await using bounded = await openNotes(lake, { "source-rows": "2" }, environment);
      await assert.rejects(bounded.run(count), { message: /more than 2 rows/, advice: /--source-rows/ });
      await using wide = await openNotes(lake, { "source-rows": "3" }, environment);
      assert.equal(await wide.run(count), "n\n3\n");
      await assert.rejects(wide.run(`FROM source.public."Reeders"`), {
        advice: /Did you mean source\.public\.Readers/,
      });
    })
  ));
