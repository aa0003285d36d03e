/** `deno task demo`, as one looks at it and ends it. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { hasTerminal, Terminal } from "../contract/terminal.ts";
import { JobProcess } from "./job_process.ts";

const pathOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const few = ["--holders", "20", "--payments", "100", "--rate", "200"];
const command = ["run", "-q", "-A", "--config", pathOf("deno.json"), pathOf("jobs/demo.ts"), ...few];

/** Gives the terminal back: wrapped lines, cursor, the screen that was there before. */
const leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** The folder may be entered by the user that the embedded server runs as. */
function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async (folder) => {
    await Deno.chmod(folder, 0o755);
    await body(folder);
  });
}

Deno.test({
  name:
    "the demo shows tables, payments and similar ones; Ctrl-C verifies, and gives the terminal back before it tells",
  ignore: !hasTerminal,
  fn: () =>
    withFolder(async (folder) => {
      await using terminal = new Terminal(command, { folder });
      await terminal.expect(/Weir {2}PostgreSQL → iceberg, paimon/);
      // Each is written again only when it changes; those of the latest payments come with every look.
      await terminal.expect(/transactions +iceberg +[1-9]\d+ +[1-9]\d* /);
      await terminal.expect(
        /\d\d:\d\d:\d\d +[\d,]+\.\d\d ZAR {2}\w[\s\S]*0\.\d\d\d \d\d:\d\d:\d\d +[\d,]+\.\d\d ZAR {2}\w/,
      );
      await terminal.press("nothing of this is echoed");
      await terminal.type("\x03", /Ctrl-C ends at once/);
      assert.equal(await terminal.ended(), 0);
      const { written } = terminal;
      assert.ok(written.startsWith("\x1b[?1049h") && written.split(leave).length === 2);
      const after = written.slice(written.indexOf(leave));
      assert.match(
        after,
        /stopping once every table is verified[\s\S]*payments\.transactions +paimon +[\d,]+ +0 +0 +0\r/,
      );
      assert.doesNotMatch(written, /echoed|not checked/);
    }),
});

Deno.test({
  name: "a second Ctrl-C, and an error, give the terminal back too",
  ignore: !hasTerminal,
  fn: () =>
    withFolder(async (folder) => {
      await using terminal = new Terminal(command, { folder });
      await terminal.expect(/capturing +Ctrl-C verifies/);
      await using other = new Terminal(command, { folder });
      assert.equal(await other.ended(), 1);
      assert.match(other.written.slice(other.written.indexOf(leave)), /\nerror: [\s\S]*what to do: /);
      await terminal.type("\x03", /once more stops at once/);
      // No finger is quicker: what comes sooner is taken for an echo of the first.
      await new Promise((resolve) => setTimeout(resolve, 300));
      await terminal.press("\x03");
      assert.equal(await terminal.ended(), 130);
      assert.ok(terminal.written.trimEnd().endsWith(leave));
    }),
});

Deno.test("where there is no terminal the demo tells in lines how far it is, and ends as well", () =>
  withFolder(async (folder) => {
    const demo = new JobProcess({ script: new URL("../../jobs/demo.ts", import.meta.url), args: few, folder });
    await demo.until(/^capturing {2}[\d,]+ rows/m);
    demo.kill("SIGINT");
    const { status, output, log } = await demo.ended;
    assert.equal(status.code, 0, log);
    assert.match(output, /payments\.transactions +iceberg +[\d,]+ +0 +0 +0\n/);
    assert.ok(!(output + log).includes("\x1b"));
  }));
