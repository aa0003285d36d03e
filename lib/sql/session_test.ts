import assert from "node:assert/strict";
import type { WeirError } from "../errors.ts";
import { LocalStorage } from "../storage/local.ts";
import { withDatabase } from "../testing/temporary.ts";
import { VectorLake } from "../testing/vector_lake.ts";
import { SqlSession, type SqlSessionOptions } from "./session.ts";

const never = new AbortController().signal;

async function withSession(
  body: (session: SqlSession, folder: string) => Promise<void>,
  options: Partial<SqlSessionOptions> = {},
): Promise<void> {
  await withDatabase(async (fixture) => {
    for (const format of ["iceberg", "paimon", "delta"] as const) {
      const notes = new VectorLake(fixture, { format });
      await notes.write([{ id: 1, text: "Rent of the flat", stars: 3 }, { id: 2, text: "Petrol" }]);
    }
    const temporaryFolder = `${fixture.folder}/engine`;
    await Deno.mkdir(temporaryFolder);
    using session = await SqlSession.open({
      storage: new LocalStorage(`${fixture.folder}/lake`),
      folders: [`${fixture.folder}/lake`],
      temporaryFolder,
      memoryLimitBytes: 2 ** 28,
      threads: 1,
      ...options,
    });
    await body(session, fixture.folder);
  });
}

async function rowsOf(session: SqlSession, statement: string): Promise<readonly unknown[]> {
  return await session.run(statement, never, async ({ chunks }) => {
    const rows: unknown[] = [];
    for await (const chunk of chunks) rows.push(...chunk.getRows());
    return rows;
  });
}

Deno.test("a table is asked by its name, and in each of its formats", () =>
  withSession(async (session) => {
    assert.deepEqual(session.tables.map(({ namespace, name }) => `${namespace}.${name}`), ["desk.notes"]);
    for (const table of ["desk.notes", "iceberg_desk.notes", "paimon_desk.notes", "delta_desk.notes"]) {
      assert.deepEqual(await rowsOf(session, `SELECT id FROM ${table} ORDER BY 1 -- all`), [[1n], [2n]], table);
    }
  }));

Deno.test("what does more than read is refused, in whatever it is wrapped, and leaves no file", () =>
  withSession(async (session, folder) => {
    const log = `storage := 'file', storage_path := '${folder}/lake/log'`;
    const refused = [
      `COPY desk.notes TO '${folder}/lake/x.csv'`,
      `EXPLAIN ANALYZE COPY (SELECT 1) TO '${folder}/lake/x.csv'`,
      "CREATE TABLE mine AS SELECT 1",
      `ATTACH '${folder}/lake/x.db'`,
      "SET threads = 2",
      `CALL enable_logging(${log})`,
      `FROM enable_logging(${log})`,
      `SELECT (SELECT count(*) FROM "enable_logging" (${log}))`,
      `EXPLAIN ANALYZE FROM enable_logging(${log})`,
      `WITH a AS (FROM system.main.enable_logging(${log})) FROM a`,
      `FROM query('FROM enable_logging(${log.replaceAll("'", "''")})')`,
      `FROM enable_profiling(save_location := '${folder}/lake/profile')`,
      "PRAGMA enable_profiling='json'",
      "/* */ PRAGMA json_execute_serialized_sql('{}')",
      "SELECT write_log('a')",
      "FROM checkpoint()",
      `PIVOT (FROM /**/ enable_logging/**/(${log})) ON a IN (1) USING count(*)`,
      "SELECT 1; SELECT 2",
      "",
    ];
    for (const statement of refused) {
      await assert.rejects(rowsOf(session, statement), { name: "WeirError", kind: "configuration" }, statement);
      await assert.rejects(session.writeParquet(statement, `${folder}/engine/x.parquet`, never), statement);
    }
    const files = (await Array.fromAsync(Deno.readDir(`${folder}/lake`))).map(({ name }) => name).toSorted();
    assert.deepEqual(files, ["delta", "iceberg", "paimon"]);
    for (const statement of ["FROM read_text('/etc/passwd')", "FROM glob('/*')", "FROM '/etc/passwd'"]) {
      await assert.rejects(rowsOf(session, statement), { kind: "configuration" }, statement);
    }
  }));

Deno.test("an error says what, where in the statement, and what to do; a value of a row it does not repeat", () =>
  withSession(async (session) => {
    const wrong = async (statement: string): Promise<WeirError> => {
      return await rowsOf(session, statement).then(() => assert.fail(statement), (thrown) => thrown);
    };
    const misspelt = await wrong("SELECT id\nFROM desk.notes\nWHERE star > 1");
    assert.match(misspelt.message, /"star" not found.* \(line 3, column 7\)$/);
    assert.equal(misspelt.detail.statement, "WHERE star > 1\n      ^");
    assert.match(misspelt.advice, /DESCRIBE/);
    const long = await wrong(`SELECT ${"id, ".repeat(50)}starr, ${"id, ".repeat(50)}id FROM desk.notes`);
    assert.match(long.message, /\(line 1, column 208\)$/);
    const [excerpt = "", caret = ""] = long.detail.statement?.split("\n") ?? [];
    assert.equal(excerpt.slice(caret.indexOf("^")).slice(0, 5), "starr");
    assert.match((await wrong("SELCT 1")).message, /syntax error at or near "SELCT" \(line 1, column 1\)/);
    const value = await wrong("SELECT note::INTEGER FROM desk.notes");
    assert.doesNotMatch(value.message, /Rent|Petrol/);
    assert.match(value.message, /Could not convert string '…' to INT32/);
    assert.match((await wrong("FROM source.accounts")).advice, /source\.NAMESPACE\.TABLE/);
    assert.match((await wrong("PIVOT desk.notes ON stars USING count(*)")).advice, /IN/);
  }));

Deno.test("a query gives up when it is told to, however early, and the next one runs", () =>
  withSession(async (session) => {
    const endless = "SELECT sum(sqrt(a.range * b.range)) FROM range(1000000) a, range(1000000) b";
    for (const afterMs of [0, 1, 2, 3, 5, 8, 100]) {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), afterMs);
      await assert.rejects(session.run(endless, stop.signal, () => Promise.resolve()), { kind: "interrupted" });
    }
    assert.deepEqual(await rowsOf(session, "SELECT 1"), [[1]]);
  }));

Deno.test("at a time before a lake there are no tables", () =>
  withSession((session) => {
    assert.deepEqual(session.tables, []);
    return Promise.resolve();
  }, { at: { timeMs: 0 } }));
