/** Who stops the server when the job is gone without a word: killed, out of memory, or at once by a second Ctrl-C. */
import { childOptions, type Cluster } from "./cluster.ts";

/** A process beside one run of the server that stops it once ours is gone (see `watchScript`). */
export class JobWatch {
  readonly #child: Deno.ChildProcess;

  /** @param pid the server's process */
  constructor({ binaries, dataFolder, home, user }: Cluster, pid: number) {
    this.#child = new Deno.Command(binaries.watch, {
      args: [dataFolder, `${pid}`],
      cwd: home,
      ...childOptions(user),
      stdin: "piped",
      stderr: "null",
      // Out of our process group: it outlives what ends the job.
      detached: true,
    }).spawn();
  }

  /** The server has ended. */
  async close(): Promise<void> {
    const { stdin, status } = this.#child;
    if (!stdin.locked) {
      const pipe = stdin.getWriter();
      await pipe.write(new TextEncoder().encode("\n")).then(() => pipe.close()).catch(() => {});
    }
    await status;
  }
}
