import assert from "node:assert/strict";
import { WeirError } from "../errors.ts";
import { settings } from "../settings/declarations.ts";
import { redaction } from "../settings/redaction.ts";
import { readArguments } from "./arguments.ts";
import { errorReport, errorText, presentable } from "./error_text.ts";
import { formatBytes, formatCount, formatSeconds } from "./format.ts";
import { helpText } from "./help.ts";
import { commandFor, explainRefusal, requirePermissions } from "./permission.ts";
import { JsonProgress } from "./progress_json.ts";
import { TextProgress } from "./progress_text.ts";
import { resultJson } from "./result_json.ts";
import { renderTable, textWidth } from "./table.ts";

Deno.test("flags are read in both spellings, switches with their negation, repeatable ones in order", () => {
  const { flags, help } = readArguments(
    ["--", "--rate", "5", "--lake=x=y", "--follow", "--no-json", "--embed", "a:b", "--embed=c:d"],
    settings,
  );
  assert.equal(help, false);
  assert.deepEqual(Object.fromEntries(flags), {
    rate: ["5"],
    lake: ["x=y"],
    follow: ["true"],
    json: ["false"],
    embed: ["a:b", "c:d"],
  });
  assert.equal(readArguments(["-h"], settings).help, true);
});

Deno.test("of a flag given twice the last one counts", () => {
  assert.deepEqual(readArguments(["--rate", "5", "--rate", "6"], settings).flags.get("rate"), ["6"]);
});

Deno.test("a mistyped flag, a missing value and a stray word are refused with advice", () => {
  const refusals: [string[], RegExp][] = [
    [["--folow"], /Did you mean --follow/],
    [["--xyzzy"], /--help/],
    [["--rate"], /Write it as --rate N/],
    [["--rate", "--follow"], /Write it as --rate N/],
    [["orders"], /Every value follows a flag/],
    [["--no-rate"], /--help|Did you mean/],
  ];
  for (const [args, advice] of refusals) {
    assert.throws(
      () => readArguments(args, settings),
      (thrown) => thrown instanceof WeirError && thrown.kind === "configuration" && advice.test(thrown.advice),
      args.join(" "),
    );
  }
});

Deno.test("a job that takes a word without a flag is given one, in quotes where it has spaces", () => {
  const operand = { placeholder: "STATEMENT", help: "What is asked" };
  const { operand: word, flags } = readArguments(["SELECT 1 -- a", "--rate", "5"], settings, operand);
  assert.deepEqual([word, flags.get("rate")], ["SELECT 1 -- a", ["5"]]);
  assert.equal(readArguments(["--", "SELECT 1"], settings, operand).operand, "SELECT 1");
  assert.equal(readArguments([], settings, operand).operand, undefined);
  assert.throws(() => readArguments(["SELECT", "1"], settings, operand), { advice: 'Write it in quotes: "STATEMENT"' });
  const text = helpText({ name: "sql", summary: "Asks.", operand }, settings);
  assert.match(text, /Usage: deno task sql \["STATEMENT"\] \[flags\]\n\n +STATEMENT\n +What is asked\n\nFlags:/);
});

Deno.test("the help names every setting, its default and its environment name", () => {
  const text = helpText({ name: "pipeline", summary: "Does it." }, settings);
  for (const { flag, environment } of Object.values(settings) as { flag?: string; environment: string }[]) {
    if (flag !== undefined) assert.ok(text.includes(`--${flag}`), flag);
    assert.ok(text.includes(environment), environment);
  }
  assert.match(text, /--batch-seconds SECONDS\n.*default 1, environment WEIR_BATCH_SECONDS/);
});

Deno.test("an error says what, where, why and what to do, without secret or foreign message", () => {
  const cause = Object.assign(new Error("row 42 of alice is wrong"), { code: "ECONNREFUSED" });
  const error = new WeirError("connection", "cannot reach postgres://me:s3cret@db/app", {
    cause,
    detail: { table: "public.orders", position: "0/1", counts: { attempts: 3 } },
  });
  const text = errorText(error, redaction([]));
  assert.match(text, /^error: cannot reach postgres:\/\/me:\*\*\*@db\/app$/m);
  assert.match(text, /where: +table public\.orders, position 0\/1, attempts 3$/m);
  assert.match(text, /why: +ECONNREFUSED$/m);
  assert.match(text, /what to do: +Check that the server is up/m);
  assert.doesNotMatch(text + JSON.stringify(errorReport(error, redaction([]))), /s3cret|alice/);
  assert.doesNotMatch(errorText(presentable(cause), redaction([])), /alice/);
});

Deno.test("JSON shows no secret, whatever JSON makes of it, and stays JSON", () => {
  const secrets = ['pa"ss\\word', "1234"];
  const given = { note: `it is ${secrets[0]}`, rows: 1.12345, said: 'as "password=abc" has it', pgPassword: "hidden" };
  const shown = { note: "it is ***", rows: 1.12345, said: 'as "password=***" has it', pgPassword: "***" };
  const redact = redaction(secrets);
  assert.deepEqual(JSON.parse(resultJson(given, redact)), shown);
  let written = "";
  using progress = new JsonProgress({ write: (line) => written += line, redact, now: () => 12345 });
  progress.note(given.note);
  assert.deepEqual(JSON.parse(written), { timeMs: 12345, note: "it is ***" });
  const { message } = errorReport(new WeirError("configuration", given.said), redact);
  assert.equal(message, shown.said);
});

Deno.test("a table lines up, wide characters and control characters included", () => {
  assert.equal(textWidth("a日本é👍\u0301"), 8);
  const lines = renderTable([{ title: "name" }, { title: "n", align: "right" }], [["日本", "1"], ["a\nb", "1,000"]])
    .split("\n");
  assert.equal(lines.length, 4);
  assert.deepEqual(lines.map(textWidth), [11, 11, 11, 11]);
});

Deno.test("numbers read as people write them", () => {
  assert.equal(formatCount(1234567n), "1,234,567");
  assert.equal(formatBytes(812), "812 B");
  assert.equal(formatBytes(1.5 * 2 ** 20), "1.5 MiB");
  assert.deepEqual([0.42, 12.34, 187, 7387].map(formatSeconds), ["0.42 s", "12.3 s", "3:07 min", "2:03:07 h"]);
});

Deno.test("progress is one rewritten line on a terminal, and few plain lines elsewhere", () => {
  let written = "";
  let now = 0;
  const open = (rewrite: boolean) =>
    new TextProgress({ write: (text) => written += text, rewrite, columns: () => 120, now: () => now });
  const plain = open(false);
  for (; now <= 20_000; now += 100) {
    plain.update({ activity: "copying a", rows: now, totalRows: 40_000, lagBytes: 2048, lagSeconds: 0.5 });
  }
  plain.end();
  const lines = written.trimEnd().split("\n");
  assert.ok(lines.length >= 4 && lines.length <= 6, written);
  assert.equal(lines[1], "copying a  12 %  5,000 rows  1,000 rows/s  lag 2.0 KiB  lag 0.50 s  ETA 35.0 s");
  assert.ok(!written.includes("\x1b") && !written.includes("\r"));

  written = "";
  const download = open(false);
  for (const untilMs = now + 6000, from = now; now <= untilMs; now += 100) {
    download.update({ activity: "downloading b", rows: (now - from) * 1024, totalRows: 12_000 * 1024, unit: "bytes" });
  }
  assert.match(written, /^downloading b +41 % +4\.9 MiB +1000\.0 KiB\/s +ETA 7\.00 s$/m);

  written = "";
  const idle = open(false);
  for (const untilMs = now + 60_000; now <= untilMs; now += 100) idle.update({ activity: "capturing", rows: 7 });
  idle.note("a note");
  idle.update({ activity: "capturing", rows: 7 });
  idle.end();
  const told = written.trimEnd().split("\n");
  assert.deepEqual(told, [...new Set(told)], "no line says what an earlier one said");

  written = "";
  const terminal = open(true);
  for (let rows = 0; rows < 1000; rows++, now++) terminal.update({ activity: "copying a", rows });
  terminal.note("a note");
  terminal.end();
  assert.ok(written.split("\r").length < 20, "it is not rewritten for every update");
  assert.ok(written.includes("\x1b[Ka note\n"));
});

Deno.test("progress for programs is one object a line: every activity, its last state, and few in between", () => {
  let written = "";
  let timeMs = 0;
  using progress = new JsonProgress({ write: (line) => written += line, redact: redaction([]), now: () => timeMs });
  for (let rows = 0; rows <= 1030; rows++, timeMs++) progress.update({ activity: "copying", rows, totalRows: 1030 });
  progress.note('a "note"\nof two lines');
  progress.update({ activity: "capturing", rows: 0, lagBytes: 2048, lagSeconds: 0.5 });
  progress.end();
  const lines = written.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines.length, 11 + 3, written);
  assert.deepEqual(lines[1], { timeMs: 100, activity: "copying", rows: 100, totalRows: 1030 });
  assert.deepEqual(lines.slice(-3), [
    { timeMs: 1031, note: 'a "note"\nof two lines' },
    { timeMs: 1031, activity: "copying", rows: 1030, totalRows: 1030 },
    { timeMs: 1031, activity: "capturing", rows: 0, lagBytes: 2048, lagSeconds: 0.5 },
  ]);
});

Deno.test("hosts below one are asked for by their pattern, and told where they are not reached", () => {
  const needs = [{ kind: "host", host: "*.files.example" }, { kind: "host", host: "127.0.0.1" }] as const;
  assert.throws(() => requirePermissions("pipeline", needs), {
    message: "the job's permissions do not reach *.files.example",
    advice: /'--allow-net=127\.0\.0\.1,localhost,\*\.files\.example'/,
  });
});

Deno.test("a refused permission comes with the command that grants it beside the defaults", () => {
  const command = commandFor("pipeline", [{ kind: "host", host: "db.example:5432" }, {
    kind: "folder",
    path: "a b",
  }], [
    "--follow",
  ]);
  assert.match(command, /^deno run --no-prompt -P=pipeline --allow-net=127\.0\.0\.1,localhost,db\.example:5432 /);
  assert.match(command, / '--allow-write=\.\/data\/state,[^ ]*,a b' jobs\/pipeline\.ts --follow$/);
  assert.match(
    commandFor("serve_embeddings", [{ kind: "host", host: "0.0.0.0:8484" }], []),
    /^deno run --no-prompt --unstable-no-legacy-abort -P=serve_embeddings --allow-net=/,
  );
  const refused = explainRefusal(
    new Deno.errors.NotCapable('Requires net access to "x:1", run again with the --allow-net flag'),
  );
  assert.ok(
    refused instanceof WeirError && /net access to "x:1"/.test(refused.message) && /--allow-net/.test(refused.advice),
  );
});
