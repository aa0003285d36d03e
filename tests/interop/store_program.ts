/** Programs that serve objects: how they are come by, and how they are started. */
import { fileURLToPath } from "node:url";

/** The program's file, or why there is none. */
export type Installed = { readonly path: string } | { readonly missing: string };

/** A program that speaks the S3 protocol. */
export interface StoreProgram {
  /** Names the folder that it is kept in; with its version. */
  readonly name: string;
  /** Gets it into a folder of its own, where it is not there yet. */
  readonly install: (folder: string) => Promise<Installed>;
  /** What starts it over an empty folder, on ports of loopback that are free: the first one is to answer. */
  readonly command: (path: string, start: StoreStart) => Promise<Deno.Command>;
}

/** What a store is started with. */
export interface StoreStart {
  readonly folder: string;
  readonly ports: readonly number[];
  readonly credentials: StoreCredentials;
}

/** What a store takes. */
export interface StoreCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const cache = fileURLToPath(new URL("../.cache", import.meta.url));

/** The program, fetched once into `tests/.cache` and kept; of test files that run side by side, one fetches it. */
export async function installed(program: Pick<StoreProgram, "name" | "install">): Promise<Installed> {
  const folder = `${cache}/${program.name}`;
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
  await lock.lock(true);
  return await program.install(folder);
}

/** Runs what gets a program. Undefined where it went well, otherwise the last line of what it said. */
export async function failureOf(command: Deno.Command): Promise<string | undefined> {
  const failed = (thrown: unknown) => ({ success: false, stderr: new TextEncoder().encode(String(thrown)) });
  const { success, stderr } = await command.output().catch(failed);
  return success ? undefined : new TextDecoder().decode(stderr).trim().split("\n").at(-1);
}

/** Whether a file is there. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
