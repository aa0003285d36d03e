import assert from "node:assert/strict";
import { cellErrors } from "./check_report.ts";
import { type ConfiguredJob, fileName, withJob } from "./job_configuration.ts";
import { jobModule, originOf, withOrigin } from "./job_module.ts";
import { withMember } from "./json_members.ts";
import { taggedCells } from "./tagged_cells.ts";

const path = "notebooks/count.ipynb";

interface Cell {
  readonly source: string;
  /** Default: code with the tag. */
  readonly kind?: "code" | "markdown" | "untagged";
}

function notebook(...cells: readonly Cell[]): string {
  return JSON.stringify({
    cells: cells.map(({ source, kind = "code" }) => ({
      cell_type: kind === "markdown" ? "markdown" : "code",
      source: source.match(/[^\n]*\n|[^\n]+$/g),
      metadata: kind === "untagged" ? {} : { tags: ["job"] },
    })),
  });
}

const imports = 'import { declareJob } from "../lib/mod.ts";\n\nconst one = 1;';
const declared = 'const job = declareJob({\n  name: "count",\n});\n';

function moduleOf(...cells: readonly Cell[]): ReturnType<typeof jobModule> {
  return jobModule(taggedCells(notebook(...cells), path), path);
}

Deno.test("the tagged code cells alone make the module, in their order, with a job that is exported and run", () => {
  const { text } = moduleOf(
    { source: "# Title", kind: "markdown" },
    { source: imports },
    { source: "await openLake()", kind: "untagged" },
    { source: declared },
  );
  assert.equal(
    text,
    `import { runJob } from "../lib/cli/run_job.ts";
import { declareJob } from "../lib/mod.ts";

const one = 1;

export const job = declareJob({
  name: "count",
});

if (import.meta.main) await runJob(job);
`,
  );
});

Deno.test("a text that looks like the job stays as it is", () => {
  const text = "const text = `\nconst job = 1;\n`;";
  const module = moduleOf({ source: `${text}\n${declared}` });
  assert.ok(module.text.includes(`${text}\nexport ${declared}`), module.text);
});

Deno.test("every line of the module is known by its cell, numbered as a run from top to bottom numbers them", () => {
  const { text, originOf } = moduleOf(
    { source: "# Title", kind: "markdown" },
    { source: imports },
    { source: "1 + 1", kind: "untagged" },
    { source: declared },
  );
  const origins = text.split("\n").map((line, index) => [line, originOf(index + 1)]);
  assert.deepEqual(origins, [
    ['import { runJob } from "../lib/cli/run_job.ts";', undefined],
    ['import { declareJob } from "../lib/mod.ts";', { cell: 1, line: 1 }],
    ["", { cell: 1, line: 2 }],
    ["const one = 1;", { cell: 1, line: 3 }],
    ["", undefined],
    ["export const job = declareJob({", { cell: 3, line: 1 }],
    ['  name: "count",', { cell: 3, line: 2 }],
    ["});", { cell: 3, line: 3 }],
    ["", undefined],
    ["if (import.meta.main) await runJob(job);", undefined],
    ["", undefined],
  ]);
});

Deno.test("what is no job by itself is refused with what to do", () => {
  const other = { source: declared.replace("job", "other") };
  const refusals: readonly (readonly [() => unknown, RegExp])[] = [
    [() => taggedCells("# README", path), /is no notebook/],
    [() => taggedCells('{"cells": 1}', path), /is no notebook/],
    [() => moduleOf({ source: declared, kind: "untagged" }), /no code cell of .* has the tag job/],
    [() => moduleOf({ source: imports }), /declare no job/],
    [() => moduleOf({ source: declared }, { source: imports }, other), /declares 2 jobs, in code cells 1 and 3/],
    [() => moduleOf(other), /is called other/],
    [() => moduleOf({ source: declared }, { source: "\nawait lake.close();" }), /code cell 2 .* at once, in line 2/],
    [() => moduleOf({ source: "const lake = await openLake();" }, { source: declared }), /code cell 1 .* at once/],
  ];
  for (const [make, message] of refusals) assert.throws(make, { kind: "configuration", message, advice: /.{20}/ });
  moduleOf({ source: `async function all() {\n  await one();\n}\n${declared}` });
});

Deno.test("a promoted file says which notebook it comes from, and one that was written by hand says none", () => {
  const text = withOrigin("const one = 1;\n", { summary: "Count */ rows", path });
  assert.equal(originOf(text), path);
  const spaced = "notebooks/Untitled 1. copy.ipynb";
  assert.equal(originOf(withOrigin("const one = 1;\n", { summary: "Count rows", path: spaced })), spaced);
  assert.equal(text.split("*/").length, 2);
  assert.equal(originOf("/** Promoted by hand. */\n"), undefined);
});

Deno.test("errors of the type checker are told of their cells, the first few", () => {
  const module = moduleOf({ source: imports }, { source: declared });
  const error = (line: number) =>
    `TS2322 [ERROR]: Type 'a' is no 'b'.\n  Another line.\nconst one = 1;\n      ~~~\n    at file:///x/jobs/y.ts:${line}:7\n
    The expected type comes from here\n        at file:///x/lib/z.ts:1:1\n\n`;
  assert.deepEqual(cellErrors(`${error(4)}${error(6)}${error(10)}`, module), [
    "code cell 1, line 3: Type 'a' is no 'b'.",
    "code cell 2, line 1: Type 'a' is no 'b'.",
    "Type 'a' is no 'b'.",
  ]);
  assert.equal(cellErrors(error(4).repeat(7), module).at(-1), "and 2 more");
  assert.deepEqual(cellErrors("Check x\nerror: no such thing\n", module), ["error: no such thing"]);
});

const configuration = await Deno.readTextFile(new URL("../../deno.json", import.meta.url));
const job: ConfiguredJob = { name: "count-rows", summary: "Count the rows of a table", text: "await openLake()" };

Deno.test("a task and a permission set are added behind those of other jobs, and nothing else is touched", () => {
  const text = withJob(configuration, job);
  const [before, after] = [JSON.parse(configuration), JSON.parse(text)];
  assert.deepEqual(after.tasks["count-rows"], {
    description: job.summary,
    command: "deno install && deno run -q --no-prompt -P=count_rows jobs/count_rows.ts",
  });
  const { net, env, run } = after.permissions.count_rows;
  assert.deepEqual([net, run], [["127.0.0.1", "localhost"], undefined]);
  assert.ok(env.includes("AWS_*"));
  const isNew = (name: string) => !/^count.rows$/.test(name);
  assert.deepEqual(Object.keys(after.tasks).filter(isNew), Object.keys(before.tasks));
  assert.notEqual(Object.keys(after.tasks).at(-1), "count-rows");
  const rest = text.split("\n").values();
  const follows = (line: string) => rest.some((next) => next === line);
  assert.ok(configuration.split("\n").every(follows), "every line stands as it stood");
  assert.equal(withJob(text, job), text);
});

Deno.test("a job may be called as something that every object has", () => {
  const { tasks, permissions } = JSON.parse(withJob(configuration, { ...job, name: "constructor" }));
  assert.match(tasks.constructor.command, / -P=constructor jobs\/constructor\.ts$/);
  assert.ok(permissions.constructor.env.includes("AWS_*"));
});

Deno.test("what somebody added to a job's command and permissions stays when it is promoted again", () => {
  const { tasks, permissions, ...rest } = JSON.parse(withJob(configuration, job));
  const own = {
    ...rest,
    tasks: {
      ...tasks,
      "count-rows": {
        description: "Before",
        command: "deno run --no-prompt -P=count_rows jobs/count_rows.ts --threads 2",
      },
    },
    permissions: { ...permissions, count_rows: { sys: ["uid"], env: true, net: ["db.example"] } },
  };
  const again = JSON.parse(withJob(JSON.stringify(own, null, 2), job));
  assert.deepEqual(again.tasks["count-rows"], { ...own.tasks["count-rows"], description: job.summary });
  const { sys, env, net, write } = again.permissions.count_rows;
  assert.deepEqual({ sys, env, net }, { sys: ["uid"], env: true, net: ["db.example", "127.0.0.1", "localhost"] });
  assert.deepEqual(write, ["./data/state", "./data/results"]);
});

Deno.test("a name that another task or another permission set has is refused", () => {
  for (const name of ["ok", "bench:embed", "suite", "distill"]) {
    assert.throws(() => withJob(configuration, { ...job, name }), { kind: "configuration", message: /deno\.json has/ });
  }
  assert.equal(fileName("count:rows-of_all"), "count_rows_of_all");
});

Deno.test("members are found whatever their texts hold", () => {
  const text = '{ "a}": ["{", {"tasks": {}}], "tasks": {"x,": "\\"}", "y": [1, {"z": 2}]}, "empty": {} }';
  assert.deepEqual(JSON.parse(withMember(text, "tasks", { name: "y", value: 3 })).tasks, { "x,": '"}', y: 3 });
  const more = withMember(text, "tasks", { name: "n", value: 3, after: "x," });
  assert.deepEqual(Object.entries(JSON.parse(more).tasks), [["x,", '"}'], ["n", 3], ["y", [1, { z: 2 }]]]);
  assert.deepEqual(JSON.parse(withMember(text, "empty", { name: "n", value: 3 })).empty, { n: 3 });
  assert.throws(() => withMember(text, "none", { name: "n", value: 3 }), TypeError);
});
