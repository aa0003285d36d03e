/** What `deno task promote` refuses, in a copy of the project: nothing is written then. */
import assert from "node:assert/strict";
import { StartedJob } from "../../lib/job/started_job.ts";
import { stageProject } from "../staged_project.ts";
import { runDeno } from "./project_command.ts";

/** Tests share it: in the same folder Deno checks no more than what has changed. */
const project = await stageProject();
Deno.test.afterAll(async () => await project[Symbol.asyncDispose]());

interface Cell {
  readonly source: string;
  readonly tagged: boolean;
}

/** Of what `lib/mod.ts` has, this part alone: it is checked in a fraction of the time. */
const imports: Cell = { source: 'import { declareJob } from "../lib/cli/run_job.ts";', tagged: true };

function declaration(name: string, result = "{ ok: true }"): Cell {
  const summary = "Do nothing at all, and say so";
  const source = `const job = declareJob({
  name: "${name}",
  summary: "${summary}",
  settings: {},
  main: () => Promise.resolve(${result}),
});`;
  return { source, tagged: true };
}

/** Promotes a notebook of such cells. */
async function promote(cells: readonly Cell[], ...flags: readonly string[]) {
  await writeNotebook(cells);
  return await runDeno(project.folder, ["task", "-q", "promote", "notebooks/mine.ipynb", ...flags]);
}

async function writeNotebook(cells: readonly Cell[]): Promise<void> {
  const notebook = {
    cells: cells.map(({ source, tagged }, index) => ({
      cell_type: "code",
      id: `c${index}`,
      metadata: tagged ? { tags: ["job"] } : {},
      source,
      outputs: [],
    })),
  };
  await Deno.writeTextFile(`${project.folder}/notebooks/mine.ipynb`, JSON.stringify(notebook));
}

/** What stands in the copy: its configuration, and its jobs by name. */
async function written(): Promise<readonly string[]> {
  const jobs = await Array.fromAsync(Deno.readDir(`${project.folder}/jobs`));
  return [await Deno.readTextFile(`${project.folder}/deno.json`), ...jobs.map(({ name }) => name).sort()];
}

Deno.test("a notebook without a job, with two, or with one that does not compile by itself is refused", async () => {
  const before = await written();
  const idle = declaration("idle");
  const refusals: readonly (readonly [readonly Cell[], RegExp])[] = [
    [[{ ...imports, tagged: false }, { ...idle, tagged: false }], /no code cell of .* has the tag job[^]*to do: Tag/],
    [[imports, idle, declaration("other")], /declares 2 jobs, in code cells 2 and 3\n/],
    [[{ ...imports, tagged: false }, idle], /do not compile by themselves\n {2}code cell 2, line 1: Cannot find name/],
    [[imports, declaration("idle", "{ ok: 1 }")], /code cell 2, line 5: Type .* is not assignable to type/],
    [
      [imports, { source: 'throw new Error("no");', tagged: true }, idle],
      /code cell 2 of .*, line 1, fails as soon as/,
    ],
    [
      [imports, { source: "if (Deno.noColor !== undefined) {\n  Deno.exit();\n}", tagged: true }, idle],
      /line 2, ends the process as soon as/,
    ],
    [[imports, declaration("Idle")], /a job cannot be called "Idle"/],
  ];
  for (const [cells, message] of refusals) {
    const { ok, report } = await promote(cells);
    assert.ok(!ok);
    assert.match(report, message);
    assert.match(report, /what to do: /);
  }
  assert.deepEqual(await written(), before);
});

Deno.test("a promotion that is stopped while it checks writes nothing", async () => {
  const before = await written();
  await writeNotebook([imports, declaration("idle")]);
  const command = ["task", "-q", "promote", "notebooks/mine.ipynb", "--json", "--progress=json"];
  const job = new StartedJob({ words: command, folder: project.folder, command: command.join(" ") });
  for await (const step of job) if ("note" in step && step.note.startsWith("checking")) break;
  await assert.rejects(job.stop(), { kind: "interrupted", message: "stopped by SIGINT" });
  assert.deepEqual(await written(), before);
});

Deno.test("a name that is taken is refused, and a file that was changed is replaced when that is asked for", async () => {
  const before = await written();
  const job = `${project.folder}/jobs/idle.ts`;
  for (
    const [name, message] of [["ci", /deno\.json has another task ci/], [
      "sql",
      /sql\.ts is there and comes from no/,
    ]] as const
  ) {
    const { ok, report } = await promote([imports, declaration(name)], "--replace");
    assert.ok(!ok);
    assert.match(report, message);
  }
  assert.deepEqual(await written(), before);

  const cells = [imports, declaration("idle")];
  assert.ok((await promote(cells)).ok);
  const text = await Deno.readTextFile(job);
  await Deno.writeTextFile(job, `${text}// Mine.\n`);
  const refused = await promote(cells);
  assert.ok(!refused.ok);
  assert.match(refused.report, /differs, and was promoted from notebooks\/mine\.ipynb[^]*--replace/);
  assert.match(await Deno.readTextFile(job), /Mine/);
  assert.ok((await promote(cells, "--replace")).ok);
  assert.equal(await Deno.readTextFile(job), text);

  // One that cannot be read any more is listed nevertheless, with a sentence on that.
  await Deno.writeTextFile(job, "export const job = absent;\n");
  const { ok, output, report } = await runDeno(project.folder, ["task", "-q", "jobs"]);
  assert.ok(ok && /^idle +– +Do nothing at all/m.test(output), output);
  assert.match(report, /jobs\/idle\.ts cannot be read, so that its settings are not known: absent is not defined/);
});
