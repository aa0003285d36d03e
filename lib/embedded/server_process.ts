/** The server's process: started, watched until it is ready, stopped, and what it says when it fails. */
import { join } from "node:path";
import { WeirError } from "../errors.ts";
import { absent } from "./absent.ts";
import { childOptions, type Cluster } from "./cluster.ts";
import { JobWatch } from "./job_watch.ts";
import { portTaken } from "./port.ts";

/** Recovery after a crash replays write-ahead log, which can take a while. */
const readyTimeoutMs = 300_000;
/** A replication client that does not answer holds up a fast shutdown; past this the server is made to stop at once. */
export const stopTimeoutMs = 15_000;
/** How long the processes of a killed server may hold on to its shared memory. */
const leftoverTimeoutMs = 10_000;
const pollMs = 5;
const keptLogLines = 20;

/** One run of the server. */
export class ServerProcess {
  readonly #child: Deno.ChildProcess;
  readonly #log: ServerLog;
  readonly #watch: JobWatch;
  #exited = false;

  private constructor(child: Deno.ChildProcess, cluster: Cluster) {
    this.#child = child;
    this.#log = new ServerLog(child.stderr, join(cluster.home, "server.log"));
    this.#watch = new JobWatch(cluster, child.pid);
    child.status.then(() => this.#exited = true);
  }

  /** Starts the server and waits until it takes connections. Throws `portTaken`, `storageFull` or `storage`. */
  static async start(
    cluster: Cluster,
    port: number,
    settings: Readonly<Record<string, string>>,
  ): Promise<ServerProcess> {
    const leftoverDeadline = Date.now() + leftoverTimeoutMs;
    while (true) {
      const started = ServerProcess.#spawn(cluster, { ...settings, port: String(port) });
      if (await started.#becomesReady(cluster)) return started;
      await started.#release();
      const output = started.#log.tail();
      const leftover = /shared memory block|lock file .* already exists/.test(output);
      if (!leftover || Date.now() > leftoverDeadline) throw startFailure(output, cluster, port);
      await pause(20 * pollMs);
    }
  }

  static #spawn(cluster: Cluster, settings: Readonly<Record<string, string>>): ServerProcess {
    const assignments = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const child = new Deno.Command(cluster.binaries.postgres, {
      args: ["-D", cluster.dataFolder, ...assignments],
      cwd: cluster.home,
      ...childOptions(cluster.user),
      // Out of our process group: Ctrl-C in a terminal is for the job, which stops the server when it is done with it.
      detached: true,
    }).spawn();
    try {
      return new ServerProcess(child, cluster);
    } catch (thrown) {
      child.kill("SIGKILL");
      throw thrown;
    }
  }

  /** The server writes its state into the last line of `postmaster.pid`; `pg_ctl` waits for it the same way. */
  async #becomesReady(cluster: Cluster): Promise<boolean> {
    const deadline = Date.now() + readyTimeoutMs;
    while (!this.#exited) {
      const lines = (await readServerFile(cluster))?.split("\n") ?? [];
      if (Number(lines[0]) === this.#child.pid && lines[7]?.trim() === "ready") return true;
      if (Date.now() > deadline) {
        await this.kill();
        throw new WeirError("storage", `the embedded server was not ready within ${readyTimeoutMs / 1000} s`, {
          detail: { path: join(cluster.home, "server.log") },
          advice: "The file named above says what it is doing; after a crash it may have much to replay: start again",
        });
      }
      await pause(pollMs);
    }
    return false;
  }

  /** Fast shutdown; after a while an immediate one, from which the next start recovers. */
  async stop(): Promise<void> {
    this.#signal("SIGINT");
    const atOnce = setTimeout(() => this.#signal("SIGQUIT"), stopTimeoutMs);
    await this.#release();
    clearTimeout(atOnce);
  }

  /** Ends the server without a word. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#release();
  }

  #signal(signal: Deno.Signal): void {
    if (!this.#exited) this.#child.kill(signal);
  }

  async #release(): Promise<void> {
    await this.#child.status;
    await this.#log.closed;
    await this.#watch.close();
  }
}

/** Shuts down the server that a killed process left running on a cluster; does nothing where there is none. */
export async function stopOrphan(cluster: Cluster): Promise<void> {
  if (await readServerFile(cluster) === undefined) return;
  for (const mode of ["fast", "immediate"]) {
    const { success } = await new Deno.Command(cluster.binaries.pgCtl, {
      args: ["stop", "-D", cluster.dataFolder, "-m", mode, "-w", "-t", String(stopTimeoutMs / 1000)],
      cwd: cluster.home,
      ...childOptions(cluster.user),
    }).output();
    // It also fails where the file is all that is left of the server. The next start sees to that.
    if (success) return;
  }
}

async function readServerFile(cluster: Cluster): Promise<string | undefined> {
  return await Deno.readTextFile(join(cluster.dataFolder, "postmaster.pid")).catch(absent);
}

/** Copies what the server says into a file and keeps the last of it for the error message. */
class ServerLog {
  readonly closed: Promise<void>;
  #lines: string[] = [];

  constructor(stream: ReadableStream<Uint8Array>, path: string) {
    this.closed = this.#copy(stream, path);
  }

  tail(): string {
    return this.#lines.join("\n").trim();
  }

  async #copy(stream: ReadableStream<Uint8Array>, path: string): Promise<void> {
    using file = await Deno.open(path, { create: true, append: true, mode: 0o600 });
    for await (const bytes of stream) {
      this.#lines = [...this.#lines, ...new TextDecoder().decode(bytes).split("\n")].slice(-keptLogLines);
      // A full disk must not stop the server for want of a reader.
      await file.write(bytes).catch(() => undefined);
    }
  }
}

function startFailure(output: string, cluster: Cluster, port: number): WeirError {
  if (/Address already in use/.test(output)) return portTaken(port);
  const kind = /No space left on device|Disk quota/.test(output) ? "storageFull" : "storage";
  const detail = { path: cluster.dataFolder };
  const advice = "Put right what the server says of its folder, or set POSTGRES_URL to capture from a server of yours";
  return new WeirError(kind, `the embedded server did not start: ${output}`, {
    detail,
    ...(kind === "storage" ? { advice } : {}),
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
