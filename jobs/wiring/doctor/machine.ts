/** Checks of the machine: the runtime, the native engine, folders and ports. */
import { statfsSync } from "node:fs";
import { join, resolve } from "node:path";
import { formatBytes } from "../../../lib/cli/format.ts";
import { isFree } from "../../../lib/embedded/port.ts";
import { storageError } from "../../../lib/errors.ts";
import { type Finding, ok } from "./finding.ts";

/** What everything here was tried with. */
const triedDeno = [2, 9] as const;

/** Whether this is a Deno that the jobs were tried with. */
export function denoFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [triedMajor, triedMinor] = triedDeno;
  const what = "deno";
  if (major === triedMajor && minor === triedMinor) return ok(what, version);
  const isOlder = major < triedMajor || (major === triedMajor && minor < triedMinor);
  const says = `${version}, while the jobs were tried with ${triedDeno.join(".")}`;
  return { verdict: isOlder ? "wrong" : "note", what, says, remedy: "deno upgrade 2.9.6 changes to that" };
}

/** Whether the native engine loads and answers. Loaded only now: a job that cannot load it would tell of nothing else. */
export async function engineFinding(folder: string): Promise<Finding> {
  const temporaryFolder = join(resolve(folder), `doctor-${crypto.randomUUID()}`);
  try {
    const { Database } = await import("../../../lib/engine/database.ts");
    const database = await Database.open({ folders: [], temporaryFolder, memoryLimitBytes: 2 ** 26 });
    const rows = await (await database.connect()).rows("SELECT version() AS version");
    database.close();
    return ok("engine", `DuckDB ${(rows[0] as { version: string } | undefined)?.version}`);
  } catch (thrown) {
    const says = `DuckDB does not load: ${thrown instanceof Error ? thrown.message.split("\n")[0] : thrown}`;
    const remedy =
      "Remove node_modules and run deno install; there are packages for Linux, macOS and Windows on x64 and arm64";
    return { verdict: "wrong", what: "engine", says, remedy };
  }
}

/** Free space below which a folder is in trouble, and below which it soon may be. */
const space = { leastBytes: 2 ** 30, scarceBytes: 10 * 2 ** 30 };

/** Whether a folder can be written to and has space. It is made where it is missing, as a job would. */
export async function folderFinding(what: string, folder: string): Promise<Finding> {
  const path = resolve(folder);
  const probe = join(path, `weir-probe-${crypto.randomUUID()}`);
  try {
    await Deno.mkdir(path, { recursive: true });
    await Deno.writeFile(probe, new Uint8Array(1));
    await Deno.remove(probe);
  } catch (thrown) {
    const { message, advice } = storageError(thrown, path);
    return { verdict: "wrong", what, says: `${folder}: ${message}`, remedy: advice };
  }
  const { bavail, bsize } = statfsSync(path);
  return spaceFinding(what, folder, bavail * bsize);
}

/** What free space amounts to. */
export function spaceFinding(what: string, folder: string, freeBytes: number): Finding {
  const says = `${folder} can be written to, ${formatBytes(freeBytes)} are free`;
  if (freeBytes >= space.scarceBytes) return ok(what, says);
  const verdict = freeBytes < space.leastBytes ? "wrong" : "note";
  const remedy = `Make room: below ${formatBytes(space.leastBytes)} a job may stop in the middle of a batch`;
  return { verdict, what, says, remedy };
}

/** Whether a port of this machine is free for what would listen there. */
export function portFinding(
  { what, port, flag, hostname }: {
    readonly what: string;
    readonly port: number;
    readonly flag: string;
    readonly hostname: string;
  },
): Finding {
  if (isFree(port)) return ok("port", `${hostname}:${port} is free for ${what}`);
  const says = `${hostname}:${port} is taken`;
  return { verdict: "note", what: "port", says, remedy: `Unless that is ${what} already: choose another with ${flag}` };
}
