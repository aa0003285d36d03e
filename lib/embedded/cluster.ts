/**
 * A PostgreSQL cluster on disk: where it lives, who owns it, and how it is made.
 *
 * Promise: a cluster is there whole or not at all, whatever interrupts its making.
 */
import { createHash, randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { storageError, WeirError } from "../errors.ts";
import { absent } from "./absent.ts";
import { layOutBinaries, type PostgresBinaries } from "./binaries.ts";
import { type ServerUser, serverUser } from "./server_user.ts";

/** Where the programs are laid out by default: below the run-time state, which git ignores. */
const binariesFolder = "data/state/postgresql";

/** For root in a checkout that nobody else may enter, such as one below its home folder. */
const systemFolder = "/var/lib/weir";

/** PostgreSQL's major version, which a data folder belongs to. */
export const majorVersion = "18";

/** A cluster that is ready to be started. */
export interface Cluster {
  /** Holds data folder, password, port and log. */
  readonly home: string;
  readonly dataFolder: string;
  readonly password: string;
  readonly binaries: PostgresBinaries;
  /** Undefined: the present user. */
  readonly user: ServerUser | undefined;
}

/**
 * Finds the cluster of a folder or makes one: UTF-8, C locale, one superuser `postgres` with a random password that is kept in
 * a file only its owner may read.
 *
 * As root the cluster belongs to another user. Where that user cannot reach the folder, the cluster lives below
 * `/var/lib/weir`, and a file in the folder says so: whoever removes the folder gets a new cluster.
 *
 * Throws `precondition` for a cluster of another version or another user, `storage` or `storageFull` for trouble with the disk.
 */
export async function openCluster(folder: string, durable = true): Promise<Cluster> {
  try {
    const place = await findPlace(folder);
    const dataFolder = join(place.home, "data");
    const version = await Deno.readTextFile(join(dataFolder, "PG_VERSION")).catch(absent);
    if (version === undefined) return await createCluster(place, dataFolder, durable);
    if (version.trim() !== majorVersion) throw otherVersion(dataFolder, version.trim());
    const password = await Deno.readTextFile(join(place.home, "password"));
    return { ...place, dataFolder, password: password.trim() };
  } catch (thrown) {
    if (thrown instanceof Deno.errors.PermissionDenied) throw otherUser(folder, thrown);
    throw storageError(thrown, folder);
  }
}

/** Where a cluster is to be. */
export type Place = Pick<Cluster, "home" | "binaries" | "user">;

async function findPlace(folder: string): Promise<Place> {
  const home = resolve(folder);
  const user = await serverUser(await ownerOf(join(home, "data")));
  const near = { home, binaries: await layOutBinaries(resolve(binariesFolder)), user };
  if (user === undefined) return near;
  await Deno.chown(home, user.uid, user.gid);
  const moved = await Deno.readTextFile(join(home, "location")).catch(absent) !== undefined;
  if (!moved && await isReachable(near)) return near;
  // The checkout can be closed to that user while the folder is not: then only the programs move.
  const binaries = await layOutBinaries(join(systemFolder, "postgresql"));
  const beside = { home, binaries, user };
  return !moved && await isReachable(beside) ? beside : await systemPlace(beside, user, moved);
}

async function systemPlace({ home: folder, binaries }: Place, user: ServerUser, moved: boolean): Promise<Place> {
  const home = join(systemFolder, createHash("sha256").update(folder).digest("hex").slice(0, 16));
  if (!moved) await Deno.remove(home, { recursive: true }).catch(absent);
  await Deno.mkdir(home, { recursive: true });
  const place = { home, binaries, user: await serverUser(await ownerOf(join(home, "data"))) ?? user };
  await Deno.chown(home, place.user.uid, place.user.gid);
  await Deno.writeTextFile(join(folder, "location"), `${home}\n`);
  if (await isReachable(place)) return place;
  throw new WeirError("precondition", `the user ${user.uid} can reach neither the folder nor ${systemFolder}`, {
    detail: { path: folder },
    advice:
      "Run the job as an ordinary user, open the folder to others (chmod o+x on its parents), or set POSTGRES_URL",
  });
}

async function ownerOf(path: string): Promise<ServerUser | undefined> {
  const found = await Deno.stat(path).catch(absent);
  return found?.uid == null || found.gid == null ? undefined : { uid: found.uid, gid: found.gid };
}

/** Asked of the operating system rather than worked out: modes, access lists and mount options all have a say. */
async function isReachable({ home, binaries, user }: Place): Promise<boolean> {
  try {
    const command = new Deno.Command(binaries.postgres, { args: ["--version"], cwd: home, ...childOptions(user) });
    return (await command.output()).success;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.PermissionDenied) return false;
    throw thrown;
  }
}

/** What every program of the server is started with: its user, and nothing of our environment. */
export function childOptions(user: ServerUser | undefined): Deno.CommandOptions {
  return { ...user, clearEnv: true, env: { LC_ALL: "C", TZ: "UTC" }, stdin: "null", stdout: "null", stderr: "piped" };
}

/** Makes a cluster: UTF-8, C locale, superuser `postgres` with a random password. */
export async function createCluster(place: Place, dataFolder: string, durable: boolean): Promise<Cluster> {
  const password = randomBytes(24).toString("hex");
  const passwordFile = join(place.home, "password");
  await Deno.remove(passwordFile).catch(absent);
  await Deno.writeTextFile(passwordFile, `${password}\n`, { mode: 0o600, createNew: true });
  if (place.user !== undefined) await Deno.chown(passwordFile, place.user.uid, place.user.gid);
  const building = `${dataFolder}.new`;
  await Deno.remove(building, { recursive: true }).catch(absent);
  const args = ["--pgdata", building, "--username=postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
  args.push("--encoding=UTF8", "--locale=C", ...durable ? [] : ["--no-sync"]);
  const { success, stderr } = await new Deno.Command(place.binaries.initdb, {
    args,
    cwd: place.home,
    ...childOptions(place.user),
  }).output();
  if (!success) throw initFailed(dataFolder, new TextDecoder().decode(stderr));
  await Deno.rename(building, dataFolder);
  return { ...place, dataFolder, password };
}

function initFailed(path: string, output: string): WeirError {
  const full = /no space left|quota/i.test(output);
  return new WeirError(full ? "storageFull" : "storage", `initdb failed: ${output.trim()}`, { detail: { path } });
}

function otherVersion(path: string, version: string): WeirError {
  return new WeirError("precondition", `the cluster was made by PostgreSQL ${version}, not ${majorVersion}`, {
    detail: { path },
    advice: "Dump it with that version and load it here, or remove the folder to start with an empty server",
  });
}

function otherUser(path: string, cause: unknown): WeirError {
  return new WeirError("precondition", "the embedded server's folder belongs to another user", {
    detail: { path },
    cause,
    advice: "Run as the user who started it first, or remove the folder to start with an empty server",
  });
}
