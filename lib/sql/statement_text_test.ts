import assert from "node:assert/strict";
import { findStatements, isBlank, isCommand } from "./statement_text.ts";

Deno.test("a semicolon inside of quotes, names, comments and dollar quotes ends no statement", () => {
  const whole = [
    "SELECT ';'",
    "SELECT 'it''s;' ",
    `SELECT ";" FROM ";;"`,
    "SELECT 1 -- ; '\n",
    "SELECT /* ; ' */ 1",
    "SELECT $$;'$$ || $a$;$$;$a$",
    String.raw`SELECT e'\';'`,
  ];
  assert.deepEqual(findStatements(`${whole.join(";")};`), { statements: whole, rest: "" });
});

Deno.test("what is still open is the rest, and empty statements are none", () => {
  for (const open of ["SELECT ';", 'SELECT ";', "SELECT /* ;", "SELECT $$;", "SELECT 1"]) {
    assert.deepEqual(findStatements(`;; -- nothing\n;${open}`), { statements: [], rest: open });
  }
  assert.ok(isBlank(" \n-- SELECT 1\n/* ; */"));
  assert.ok(!isBlank("SELECT 1"));
});

Deno.test("a line that begins with a dot is a command where a statement could begin, and part of one elsewhere", () => {
  const statements = ["SELECT 1", ".describe a.b;", ".tables", "SELECT 2 +\n.5"];
  assert.deepEqual(findStatements("SELECT 1;\n .describe a.b;  \n-- all\n.tables\nSELECT 2 +\n.5; .hel"), {
    statements,
    rest: " .hel",
  });
  assert.deepEqual([...statements, " .hel"].map(isCommand), [false, true, true, false, true]);
});
