/** Java programs of other makers, fetched by Maven on demand into `tests/.cache` and kept. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a program is made of. */
export interface JavaParts {
  /** Folder below `tests/.cache`. */
  readonly name: string;
  /** Beside this module: the Maven project whose dependencies are fetched. */
  readonly project: string;
  /** Beside this module: a class of ours that uses them. */
  readonly source?: string;
  /** What else is made once. */
  readonly finish?: (made: JavaPlace) => Promise<void>;
}

/** Where a program is. */
export interface JavaPlace {
  readonly folder: string;
  readonly classPath: string;
}

/** Where the program is, or why it is not there. */
export type JavaProgram = JavaPlace | { readonly missing: string };

/** The program, fetched and compiled where it is absent or its parts changed; of test files that run side by side, one does it. */
export async function javaProgram(parts: JavaParts): Promise<JavaProgram> {
  const folder = fileURLToPath(new URL(`../.cache/${parts.name}`, import.meta.url));
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(join(folder, "lock"), { create: true, write: true });
  await lock.lock(true);
  const made = [parts.project, ...parts.source === undefined ? [] : [parts.source]].map(beside);
  const wanted = (await Promise.all(made.map((path) => Deno.readTextFile(path)))).join("\n");
  const stamp = join(folder, "made_of.txt");
  if (await Deno.readTextFile(stamp).catch(() => "") !== wanted) {
    const missing = await make(parts, folder);
    if (missing !== undefined) return { missing };
    await Deno.writeTextFile(stamp, wanted);
  }
  const missing = await failureOf("java", ["-version"]);
  return missing === undefined ? { folder, classPath: classPathOf(folder) } : { missing };
}

async function make({ project, source, finish }: JavaParts, folder: string): Promise<string | undefined> {
  const [jars, classes] = [join(folder, "jars"), join(folder, "classes")];
  for (const old of [jars, classes]) await Deno.remove(old, { recursive: true }).catch(() => {});
  const copy = ["-q", "-B", "-f", beside(project), "dependency:copy-dependencies", `-DoutputDirectory=${jars}`];
  const steps = [["mvn", ...copy]];
  if (source !== undefined) {
    steps.push(["javac", "-cp", join(jars, "*"), "-d", classes, beside(source)]);
    steps.push(["jar", "-c", "-f", join(jars, "weir.jar"), "-C", classes, "."]);
  }
  for (const [program, ...args] of steps) {
    const failure = await failureOf(program!, args);
    if (failure !== undefined) return failure;
  }
  await finish?.({ folder, classPath: classPathOf(folder) });
}

function classPathOf(folder: string): string {
  return join(folder, "jars", "*");
}

function beside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Runs a program to its end. Gives why it failed, in one line. */
export async function failureOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
    if (success) return undefined;
    const lines = new TextDecoder().decode(new Uint8Array([...stdout, ...stderr])).trim().split("\n");
    return `${program} failed: ${lines.find((line) => /error/i.test(line)) ?? lines.at(-1)}`;
  } catch (thrown) {
    return `${program} cannot be run: ${(thrown as Error).message}`;
  }
}
