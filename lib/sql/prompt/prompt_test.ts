import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { readCommand } from "./commands.ts";
import { PromptHistory } from "./history.ts";

Deno.test("history is kept newest first, for this user alone, without passwords and what begins with a space", () =>
  withTemporaryFolder(async (folder) => {
    const path = `${folder}/history`;
    const history = new PromptHistory(path);
    assert.deepEqual(await history.entries(), []);
    await history.add("SELECT 1\nFROM a;");
    await history.add(" SELECT 'hidden';");
    await history.add("SELECT 'postgres://me:s3cret@db/app';");
    await history.add("SELECT 1 -- one\n, 2;");
    assert.deepEqual((await history.entries()).slice(0, 2), [", 2;", "SELECT 1 -- one"]);
    assert.deepEqual((await history.entries()).slice(2), ["SELECT 'postgres://me:***@db/app';", "SELECT 1 FROM a;"]);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  }));

Deno.test("of a long history the oldest are forgotten", () =>
  withTemporaryFolder(async (folder) => {
    const path = `${folder}/history`;
    await Deno.writeTextFile(path, Array.from({ length: 2500 }, (_, index) => `SELECT ${index};\n`).join(""));
    const entries = await new PromptHistory(path).entries();
    assert.deepEqual([entries.length, entries[0]], [1000, "SELECT 2499;"]);
    assert.equal((await Deno.readTextFile(path)).split("\n").length, 1001);
  }));

Deno.test("a mistyped command is told with the one that was meant, and what is no table is asked of DuckDB", () => {
  const lake = { tables: [] };
  assert.throws(() => readCommand(".tabels", lake), { kind: "configuration", advice: "Did you mean .tables?" });
  for (const line of [".", ".describe", ".format", ".format parquet"]) {
    assert.throws(() => readCommand(line, lake), { kind: "configuration" }, line);
  }
  assert.deepEqual(readCommand(".describe a.b;", lake), { kind: "ask", statement: "DESCRIBE SELECT * FROM a.b" });
  assert.deepEqual(readCommand(".format csv", lake), { kind: "format", format: "csv" });
  assert.deepEqual(readCommand(".quit", lake), { kind: "quit" });
});
