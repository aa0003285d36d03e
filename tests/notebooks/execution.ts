/** A notebook run without a browser, in a real Deno kernel, over a copy of the project. */
import { fileURLToPath } from "node:url";
import { writeKernelSpec } from "../../jobs/wiring/jupyter/kernel_spec.ts";
import { preparedEnvironment, type PythonEnvironment } from "../python_environment.ts";
import type { StagedProject } from "../staged_project.ts";
import { cellName, type Notebook, type Output, readNotebook } from "./notebook.ts";

/** A code cell that has run. */
export interface CellRun {
  readonly id: string;
  readonly outputs: readonly Output[];
  readonly seconds: number;
}

/** What came out of a notebook. */
export interface NotebookRun {
  /** As the file has it. */
  readonly notebook: Notebook;
  /** Its code cells. */
  readonly cells: readonly CellRun[];
  /** What the kernel itself printed, outside of all cells. */
  readonly kernelSaid: string;
}

let made: Promise<PythonEnvironment> | undefined;

/** A Python that speaks with kernels. */
export function kernelClient(): Promise<PythonEnvironment> {
  return made ??= preparedEnvironment({
    folder: fileURLToPath(new URL("../.cache/jupyter", import.meta.url)),
    requirements: fileURLToPath(new URL("requirements.txt", import.meta.url)),
  });
}

/** What to run, and with what. */
export interface NotebookStart {
  /** Such as `01_generated_data`. */
  readonly name: string;
  readonly python: string;
  readonly project: StagedProject;
  /** What one cell may take. Default 180. */
  readonly cellLimitSeconds?: number;
}

/**
 * Runs every cell, in order.
 *
 * @throws {Error} If a cell fails or takes too long; it names the notebook and the cell, and says what the cell said.
 */
export async function runNotebook(start: NotebookStart): Promise<NotebookRun> {
  const { name, python, project, cellLimitSeconds = 180 } = start;
  const jupyterFolder = `${project.folder}/data/state/jupyter`;
  await writeKernelSpec(jupyterFolder);
  const script = fileURLToPath(new URL("run_notebook.py", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: [script, `${name}.ipynb`, "deno", String(cellLimitSeconds)],
    cwd: `${project.folder}/notebooks`,
    env: kernelEnvironment(jupyterFolder),
    clearEnv: true,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`notebooks/${name}.ipynb could not be run: ${decoder.decode(stderr)}`);
  // Where the copy lies is nobody's business, and another place each time.
  const answer = decoder.decode(stdout).replaceAll(`${project.folder}/`, "").replaceAll(project.folder, ".");
  const { notebook } = await readNotebook(name, project.folder);
  const run = { ...JSON.parse(answer) as Omit<NotebookRun, "notebook">, notebook };
  refuseErrors(name, run);
  return run;
}

/** What the jobs would read from the shell that the tests were started in stays out. */
function kernelEnvironment(jupyterFolder: string): Record<string, string> {
  const read = /^(WEIR_|POSTGRES_URL$|PG|AWS_|ICEBERG_REST_|HF_|PICK_LIST_|NO_COLOR$)/;
  const kept = Object.entries(Deno.env.toObject()).filter(([name]) => !read.test(name));
  const jupyter = {
    JUPYTER_PATH: jupyterFolder,
    JUPYTER_RUNTIME_DIR: `${jupyterFolder}/runtime`,
    JUPYTER_CONFIG_DIR: `${jupyterFolder}/config`,
    IPYTHONDIR: `${jupyterFolder}/ipython`,
    PYTHONDONTWRITEBYTECODE: "1",
  };
  return { ...Object.fromEntries(kept), ...jupyter };
}

function refuseErrors(name: string, { notebook, cells, kernelSaid }: NotebookRun): void {
  for (const { id, outputs } of cells) {
    for (const output of outputs) {
      if (output.output_type !== "error") continue;
      const said = `${output.ename}: ${output.evalue}\n${output.traceback.join("\n")}\n${kernelSaid}`;
      throw new Error(`notebooks/${name}.ipynb, ${cellName(notebook, id)}: ${said.trim()}`);
    }
  }
}
