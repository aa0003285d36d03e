/**
 * A copy of the project in a folder of its own: whoever runs jobs or notebooks there has its lake and its state, not those of the
 * checkout. It holds what a fresh clone holds after `deno install`, the changes that are not committed included.
 */
import { dirname } from "node:path";
import { ourPaths, root } from "./style/source_tree.ts";

/** The copy, removed when it is disposed of. */
export interface StagedProject extends AsyncDisposable {
  /** Absolute. */
  readonly folder: string;
}

const staged = `${root}/data/state/staged`;
const forgottenAfterMs = 3_600_000;

/**
 * Makes one below `data/state` of the checkout, where packages can be hard links.
 *
 * @throws {Error} If the packages are not there: run `deno install`.
 */
export async function stageProject(): Promise<StagedProject> {
  await removeForgotten();
  const folder = `${staged}/${crypto.randomUUID()}`;
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    await copyFiles(folder);
    await linkPackages(folder);
  } catch (thrown) {
    await remove();
    throw thrown;
  }
  return { folder, [Symbol.asyncDispose]: remove };
}

async function copyFiles(folder: string): Promise<void> {
  const paths = [...await ourPaths(), "deno.lock"];
  for (const parent of new Set(paths.map((path) => dirname(path)))) {
    await Deno.mkdir(`${folder}/${parent}`, { recursive: true });
  }
  await Promise.all(paths.map((path) => Deno.copyFile(`${root}/${path}`, `${folder}/${path}`)));
}

/** By `cp`, for Deno makes no symbolic links without all permissions, and packages are linked among themselves. */
async function linkPackages(folder: string): Promise<void> {
  const [from, to] = [`${root}/node_modules`, `${folder}/node_modules`];
  if (await succeeds("cp", ["-al", from, to])) return;
  // On another file system there are no hard links.
  await Deno.remove(to, { recursive: true }).catch(() => {});
  if (!await succeeds("cp", ["-a", from, to])) throw new Error(`Cannot copy ${from}`);
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return (await new Deno.Command(command, { args: [...args], stdout: "null", stderr: "null" }).output()).success;
}

/** Copies of runs that were killed. */
async function removeForgotten(): Promise<void> {
  await Deno.mkdir(staged, { recursive: true });
  for await (const { name } of Deno.readDir(staged)) {
    const { birthtime, mtime } = await Deno.stat(`${staged}/${name}`);
    const ageMs = Date.now() - Number(birthtime ?? mtime);
    if (ageMs > forgottenAfterMs) await Deno.remove(`${staged}/${name}`, { recursive: true });
  }
}
