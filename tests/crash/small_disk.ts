/** A disk of its own at a folder, filled up as far as a test wants. Needs the right to mount. */
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";

const diskBytes = 96 * 2 ** 20;
const blockBytes = 2 ** 20;

/** A small disk that is mounted. */
export class SmallDisk {
  readonly #ballast: string;

  constructor(folder: string) {
    this.#ballast = `${folder}/ballast`;
  }

  /** Fills the disk until only so many bytes are left. */
  async leave(bytes: number): Promise<void> {
    using file = await Deno.open(this.#ballast, { create: true, write: true, truncate: true });
    let size = 0;
    const block = new Uint8Array(blockBytes);
    try {
      for (let written = 1; written > 0; size += written) written = await file.write(block);
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "ENOSPC") throw thrown;
    }
    await file.truncate(Math.max(0, size - bytes));
  }

  /** Makes room again. */
  async free(): Promise<void> {
    await Deno.remove(this.#ballast);
  }
}

/** Runs a body with a small disk mounted at a folder, which is made. */
export async function withSmallDisk<T>(folder: string, body: (disk: SmallDisk) => Promise<T>): Promise<T> {
  await Deno.mkdir(folder, { recursive: true });
  await run("mount", ["-t", "tmpfs", "-o", `size=${diskBytes},mode=777`, "tmpfs", folder]);
  try {
    return await body(new SmallDisk(folder));
  } finally {
    await run("umount", [folder]);
  }
}

/** Why this process may not mount a disk; undefined where it may. */
export function mountObstacle(): Promise<string | undefined> {
  return withTemporaryFolder((folder) =>
    withSmallDisk(`${folder}/disk`, () => Promise.resolve(undefined)).catch((thrown) => String(thrown.message))
  );
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
