/** Virtual environments of Python for suites that need one: made on demand, and kept until what belongs into them changes. */
import { join } from "node:path";

/** A Python that is ready, or why there is none. */
export type PythonEnvironment = { readonly python: string } | { readonly missing: string };

/** What an environment is to hold. */
export interface EnvironmentContents {
  readonly folder: string;
  /** File of what pip installs first. */
  readonly requirements: string;
  /** Arguments of further runs of `pip install`. Default: none. */
  readonly installs?: readonly (readonly string[])[];
}

/** The environment, made where it is absent or is to hold something else; of test files that run side by side, one makes it. */
export async function preparedEnvironment(contents: EnvironmentContents): Promise<PythonEnvironment> {
  await Deno.mkdir(contents.folder, { recursive: true });
  using lock = await Deno.open(join(contents.folder, "lock"), { create: true, write: true });
  await lock.lock(true);
  return await makeEnvironment(contents);
}

async function makeEnvironment(
  { folder, requirements, installs = [] }: EnvironmentContents,
): Promise<PythonEnvironment> {
  const python = join(folder, Deno.build.os === "windows" ? "Scripts/python.exe" : "bin/python");
  const wanted = `${await Deno.readTextFile(requirements)}${installs.map((args) => `${args.at(-1)}\n`).join("")}`;
  const stamp = join(folder, "requirements.installed.txt");
  if (await Deno.readTextFile(stamp).catch(() => "") === wanted) return { python };
  const install = [python, "-m", "pip", "install", "--quiet"];
  const steps = [
    ["python3", "-m", "venv", folder],
    [...install, "-r", requirements],
    ...installs.map((args) => [...install, ...args]),
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
