/** The files of the repository, as the style tests look at them. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, without a slash at its end. */
export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** Made at run time or by somebody else. */
const notOurs = [
  ".git",
  "node_modules",
  "data/state",
  "data/lake",
  "data/results",
  "data/pick_lists.json",
  "notebooks/.ipynb_checkpoints",
  "tests/.venv",
  "tests/.cache",
  "dist",
  ".env",
  "deno.lock",
];
const textFile =
  /\.(ts|js|json|jsonc|md|yaml|yml|sh|py|sql|ipynb|txt|toml|avsc|example)$|(^|\/)(run|LICENSE|\.gitignore)$/;

/** A file with its text. */
export interface SourceFile {
  /** From the root. */
  readonly path: string;
  readonly text: string;
}

/** The names of the project's notebooks, such as `01_generated_data`, in their order. Each has a test; one without is a user's own. */
export function notebookNames(): readonly string[] {
  const tests = [...Deno.readDirSync(`${root}/tests/notebooks`)].map(({ name }) => name);
  return tests.flatMap((name) => /^(\d.*)_test\.ts$/.exec(name)?.[1] ?? []).sort();
}

/** Whether a file, by its path from the root, is no notebook of a user's own. */
export function isOurs(path: string): boolean {
  return !path.endsWith(".ipynb") || notebookNames().some((name) => path === `notebooks/${name}.ipynb`);
}

/** Every file of the repository, from the root; without the lock file and a user's own notebooks. */
export async function ourPaths(): Promise<string[]> {
  return (await walk(root)).filter(isOurs);
}

/** Every text file of the repository. */
export async function textFiles(): Promise<SourceFile[]> {
  const paths = (await ourPaths()).filter((path) => textFile.test(path)).sort();
  return await Promise.all(paths.map(async (path) => ({ path, text: await Deno.readTextFile(`${root}/${path}`) })));
}

/** Every TypeScript file of the repository. */
export async function typeScriptFiles(): Promise<SourceFile[]> {
  return (await textFiles()).filter(({ path }) => path.endsWith(".ts"));
}

async function walk(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = relative(root, `${folder}/${entry.name}`);
    if (notOurs.includes(path)) continue;
    if (entry.isDirectory) paths.push(...await walk(`${folder}/${entry.name}`));
    else if (entry.isFile) paths.push(path);
  }
  return paths;
}
