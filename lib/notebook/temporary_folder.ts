/** A folder for what does not fit into memory. */
import { resolve } from "node:path";
import { stateFolder } from "../settings/state_folder.ts";

/**
 * Makes a new one; who asked for it removes it.
 *
 * @param parent Absolute. Default: the system's folder of temporary files; for a job, which may not write there, `data/state`.
 */
export async function makeTemporaryFolder(parent?: string): Promise<string> {
  const prefix = "weir-";
  if (parent !== undefined) return await Deno.makeTempDir({ prefix, dir: parent });
  try {
    return await Deno.makeTempDir({ prefix });
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotCapable)) throw thrown;
    await Deno.mkdir(stateFolder, { recursive: true });
    return await Deno.makeTempDir({ prefix, dir: resolve(stateFolder) });
  }
}
