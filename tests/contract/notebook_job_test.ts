/** `deno task notebook`: what it starts, and that it ends with it. A program of the name stands in for Jupyter. */
import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { type JobEnd, JobProcess } from "../crash/job_process.ts";

const script = new URL("../../jobs/notebook.ts", import.meta.url);

/** Says how it was started, and that it was told to end. */
const lab = `#!/bin/sh
if [ "$2" = --version ]; then echo 4.9.9; exit 0; fi
if [ "$1" = trust ]; then echo "$*" > ../trusted; exit 0; fi
trap 'echo "told to end" >&2; exit 0' TERM
echo "started in $(basename "$PWD") with $*, kernels in $JUPYTER_PATH" >&2
while true; do sleep 0.05; done
`;

/** Runs the job in a folder of its own, with a Jupyter on the path or without. */
async function withJob(
  jupyter: string | undefined,
  body: (job: JobProcess, folder: string) => Promise<void>,
): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    for (const name of ["bin", "notebooks"]) await Deno.mkdir(`${folder}/${name}`);
    if (jupyter !== undefined) await Deno.writeTextFile(`${folder}/bin/jupyter`, jupyter, { mode: 0o755 });
    for (const name of ["01_ours.ipynb", "theirs.ipynb"]) await Deno.writeTextFile(`${folder}/notebooks/${name}`, "{}");
    const others = jupyter === undefined ? "" : ":/usr/bin:/bin";
    const environment = { PATH: `${folder}/bin${others}`, JUPYTER_PATH: "mine" };
    const args = ["--no-browser", "--port", "8123", "--json"];
    await body(new JobProcess({ script, folder, args, environment }), folder);
  });
}

Deno.test("JupyterLab is started for this machine alone, shows this Deno as a kernel, and ends on Ctrl-C", () =>
  withJob(lab, async (job, folder) => {
    await job.until(/kernels in .*\n/);
    job.kill("SIGINT");
    const { status, output, log } = await job.ended;
    assert.equal(status.code, 0, log);
    assert.deepEqual(JSON.parse(output), { ok: true });
    assert.match(log, /JupyterLab 4\.9\.9 opens notebooks/);
    const [, started, flags = "", path = ""] = /started in (\S+) with lab (.*), kernels in (\S+)/.exec(log) ?? [];
    assert.equal(started, "notebooks");
    for (const flag of ["--ip=127.0.0.1", "--port=8123", "--no-browser"]) assert.ok(flags.includes(flag), flags);
    assert.match(log, /told to end/);

    const trusted = await Deno.readTextFile(`${folder}/trusted`);
    assert.match(trusted, / 01_ours\.ipynb\n$/, "the project's notebooks show their charts, and no others");
    for (const flag of trusted.match(/--NotebookNotary\S+/g) ?? []) assert.ok(flags.includes(flag), flag);

    const [own = "", ...others] = path.split(":");
    assert.deepEqual(others, ["mine"]);
    assert.ok(own.startsWith(await Deno.realPath(folder)));
    const spec = JSON.parse(await Deno.readTextFile(`${own}/kernels/deno/kernel.json`));
    assert.equal(spec.argv[0], Deno.execPath());
  }));

Deno.test("without JupyterLab, or with a Jupyter that has none, the commands that bring it are told", async () => {
  for (const jupyter of [undefined, "#!/bin/sh\necho no such command >&2; exit 1\n"]) {
    await withJob(jupyter, async (job) => refused(await job.ended, /pip install jupyterlab/));
  }
});

Deno.test("a JupyterLab that ends by itself with an error is one of the job", () =>
  withJob(lab.replace("trap", "exit 3; trap"), async (job) => refused(await job.ended, /says above/)));

function refused({ status, output }: JobEnd, advice: RegExp): void {
  assert.equal(status.code, 1);
  const { error } = JSON.parse(output);
  assert.equal(error.kind, "precondition");
  assert.match(error.advice, advice);
}
