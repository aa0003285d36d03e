/**
 * A real PostgreSQL server inside our process tree, with its data in a folder.
 *
 * Promise: one owner per folder at a time; data survive a stop, a restart and a kill; the server listens on the loopback
 * interface only and asks for a password; it is set up for logical decoding.
 */
import { join } from "node:path";
import { storageError, WeirError } from "../errors.ts";
import { absent } from "./absent.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { freePort, isFree, portTaken } from "./port.ts";
import { ServerProcess, stopOrphan } from "./server_process.ts";

/** How to start a server. */
export interface EmbeddedPostgresOptions {
  /** Holds the server's data; made where it is missing. */
  readonly folder: string;
  /** Default: the port of the last start, or a free one. */
  readonly port?: number;
  /** Server settings beside ours, for example `{ fsync: "off" }` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

const startAttempts = 5;

const defaultSettings: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  wal_level: "logical",
  max_replication_slots: "20",
  max_wal_senders: "20",
  // Statements hold row values, and those do not belong in a log.
  log_min_error_statement: "panic",
  log_checkpoints: "off",
};

/**
 * A running server. It keeps the process alive until `stop` is called; `await using` does.
 *
 * @example
 * ```ts
 * import { EmbeddedPostgres } from "./postgres.ts";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using server = await EmbeddedPostgres.start({ folder, settings: { fsync: "off" } });
 *   assert.equal(new URL(server.url).hostname, "127.0.0.1");
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class EmbeddedPostgres implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #lock: Deno.FsFile;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ServerProcess;
  readonly port: number;

  private constructor(owned: Owned, port: number, process: ServerProcess) {
    this.#cluster = owned.cluster;
    this.#lock = owned.lock;
    this.#settings = owned.settings;
    this.#process = process;
    this.port = port;
  }

  /**
   * Starts the server of a folder, and makes its cluster first where there is none. A server left over from a killed process
   * is shut down and started again.
   *
   * Throws `fenced` where another process runs this folder's server, `portTaken` where the wanted port is not free,
   * `precondition` where this machine, user or folder cannot have a server, `storage` and `storageFull` for the disk.
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const lock = await lockFolder(options.folder);
    try {
      const settings = { ...defaultSettings, ...options.settings };
      const cluster = await openCluster(options.folder, settings.fsync !== "off");
      await stopOrphan(cluster);
      return await EmbeddedPostgres.#startOnPort({ cluster, lock, settings }, options.port);
    } catch (thrown) {
      releaseFolder(lock);
      throw thrown;
    }
  }

  /** Connection string to the server of a folder that another process runs. Undefined where the folder has had none. */
  static async runningUrl(folder: string): Promise<string | undefined> {
    const moved = await Deno.readTextFile(join(folder, "location")).catch(absent);
    const home = moved?.trim() ?? folder;
    const password = await Deno.readTextFile(join(home, "password")).catch(absent);
    const port = await Deno.readTextFile(join(home, "port")).catch(absent);
    return password === undefined || port === undefined ? undefined : urlOf(password.trim(), Number(port));
  }

  /** Connection string of the superuser, with its password: never to be printed. */
  get url(): string {
    return urlOf(this.#cluster.password, this.port);
  }

  /** Shuts down: running transactions are rolled back, everything committed is on disk. */
  async stop(): Promise<void> {
    await this.#process.stop();
    releaseFolder(this.#lock);
  }

  /** Shuts down and starts again on the same port. */
  async restart(): Promise<void> {
    await this.#process.stop();
    this.#process = await ServerProcess.start(this.#cluster, this.port, this.#settings);
  }

  /** Kills the server the way a power cut would; `restart` then recovers it. For tests. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Stops the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  static async #startOnPort(owned: Owned, wanted: number | undefined): Promise<EmbeddedPostgres> {
    const portFile = join(owned.cluster.home, "port");
    const last = Number(await Deno.readTextFile(portFile).catch(absent) ?? 0);
    for (let attempt = 1;; attempt++) {
      const port = wanted ?? (attempt === 1 && last > 0 && isFree(last) ? last : freePort());
      if (wanted !== undefined && !isFree(wanted)) throw portTaken(wanted);
      try {
        const process = await ServerProcess.start(owned.cluster, port, owned.settings);
        await Deno.writeTextFile(portFile, `${port}\n`).catch(async (thrown) => {
          await process.stop();
          throw storageError(thrown, portFile);
        });
        return new EmbeddedPostgres(owned, port, process);
      } catch (thrown) {
        // Between the look and the start somebody else can take the port; without a wish there are others.
        const another = thrown instanceof WeirError && thrown.kind === "portTaken" && wanted === undefined;
        if (!another || attempt === startAttempts) throw thrown;
      }
    }
  }
}

function urlOf(password: string, port: number): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}

interface Owned {
  readonly cluster: Cluster;
  readonly lock: Deno.FsFile;
  readonly settings: Readonly<Record<string, string>>;
}

/** By name: a child that is just being started holds the file as well, and with it a lock that is only closed. */
function releaseFolder(lock: Deno.FsFile): void {
  lock.unlockSync();
  lock.close();
}

/** The operating system frees the lock with its process, however that ends; a file with a process number would go stale. */
async function lockFolder(folder: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    const lock = await Deno.open(join(folder, "lock"), { create: true, write: true });
    if (await lock.tryLock(true)) return lock;
    lock.close();
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
  throw new WeirError("fenced", "the embedded server of this folder is in use by another process", {
    detail: { path: folder },
    advice: "Stop the other job, or set POSTGRES_URL to capture from a server of yours",
  });
}
