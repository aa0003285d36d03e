/** The prompt of `deno task sql`, as one types at it. */
import assert from "node:assert/strict";
import { jobArguments, root, withNotes } from "./sql_job.ts";
import { hasTerminal, Terminal } from "./terminal.ts";

Deno.test({
  name: "the prompt takes statements of several lines, completes, shows tables, gives up by Ctrl-C and ends by Ctrl-D",
  ignore: !hasTerminal,
  fn: () =>
    withNotes(async (lake) => {
      await using terminal = new Terminal([...jobArguments, "--lake", lake], { folder: root });
      await terminal.expect(/1 table; \.help[\s\S]*weir> /);
      await terminal.type("SELECT count(*) AS n\r", /\.\.\. /);
      await terminal.type("FROM desk.notes;\r", /\n *2\r\n1 row\r\n[\s\S]*weir> /);
      await terminal.type("SELECT * FROM desk.notes;\r", / +…\r\n2 rows, \d+ columns \(\d shown\)[\s\S]*weir> /);
      await terminal.type(".tables\r", /desk\.notes +iceberg +paimon, delta[\s\S]*weir> /);
      await terminal.type(".des", /\.des/);
      await terminal.type("\t", /cribe/);
      await terminal.type(" desk.notes\r", /stars +INTEGER[\s\S]*weir> /);
      await terminal.type("SELECT embedding_mo", /embedding_mo/);
      await terminal.type("\t", /del/);
      await terminal.type("\x03", /\^C\r\nweir> /);
      await terminal.type("SELECT (\r", /\.\.\. /);
      await terminal.type("\x03", /\^C\r\nweir> /);
      await terminal.type("SELCT 1;\r", /error: syntax error[\s\S]*what to do[\s\S]*weir> /);
      await terminal.type("SELECT sum(sqrt(a.range * b.range)) FROM range(1000000) a, range(1000000) b;\r", /b;\s/);
      // A Ctrl-C that comes before the query begins gives up a line that is empty by then.
      const answered = /\^C\r\nweir> |the query was interrupted[\s\S]*weir> /;
      for (let said = ""; !said.includes("interrupted");) said = await terminal.type("\x03", answered);
      await terminal.type(".format json\r", /weir> /);
      await terminal.type("SELECT 7 AS seven;\r", /\{"seven":7\}[\s\S]*weir> /);
      await terminal.type("\x1b[A", /SELECT 7 AS seven;/);
      await terminal.type("\r", /\{"seven":7\}[\s\S]*weir> /);
      await terminal.type("\x04", /\n/);
      assert.equal(await terminal.ended(), 0);
    }),
});
