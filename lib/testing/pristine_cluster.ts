/**
 * One cluster that no server was ever started on, kept for the tests: a server on a copy of it takes a quarter of the
 * processor time of one on a new cluster, and the suites start some hundred and fifty servers.
 */
import { absent } from "../embedded/absent.ts";
import { majorVersion, openCluster } from "../embedded/cluster.ts";

/** Below the run-time state, which git ignores; a cluster belongs to the user who runs the tests. */
const pristineFolder = `data/state/test/pristine-${majorVersion}-${Deno.uid() ?? "user"}`;

/** Fills an empty folder with a cluster; where there is none to copy yet, with a new one, which is kept as the pristine one. */
export async function copyPristineCluster(folder: string): Promise<void> {
  if (await Deno.stat(pristineFolder).catch(absent) !== undefined) return await copy(pristineFolder, folder);
  const { home } = await openCluster(folder, false);
  // A cluster below the system's folder, where the server's user cannot reach this one, is not copied.
  if (home !== folder) return;
  const building = `${pristineFolder}.${crypto.randomUUID()}`;
  await Deno.mkdir(building, { recursive: true });
  await copy(folder, building);
  // Another process may have been faster; both are alike.
  await Deno.rename(building, pristineFolder).catch(() => Deno.remove(building, { recursive: true }));
}

/** By the system's program: it keeps owners and modes, and is faster than a thousand calls from here. */
async function copy(from: string, to: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("cp", { args: ["-a", `${from}/.`, to], stderr: "piped" })
    .output();
  if (!success) throw new Error(`copying ${from} failed: ${new TextDecoder().decode(stderr)}`);
}
