/**
 * One writing process per lake folder, and one that maintains it beside: an advisory lock of the file system, freed by the
 * system when the process ends however it ends. It spares a second instance the work; what makes a mistake impossible is the table commit itself (`change/sink.ts`).
 */
import { join } from "node:path";
import { storageError, WeirError } from "../errors.ts";

/** What a process does to a lake that no second one may do at the same time. */
export type LakeWork = "writes to" | "maintains";

const lockNames: Readonly<Record<LakeWork, string>> = { "writes to": "writer.lock", maintains: "maintenance.lock" };

/**
 * Takes a lock of a lake folder, made where it is missing. Disposing gives it back.
 *
 * @param lake what the error calls the lake. Default: the folder.
 *
 * @throws {WeirError} `fenced` where another process does the same to the lake, `storage` where the folder cannot be written.
 */
export async function lockLake(
  folder: string,
  { work = "writes to", lake = folder }: { readonly work?: LakeWork; readonly lake?: string } = {},
): Promise<Disposable> {
  const path = join(folder, lockNames[work]);
  const file = await open(path, folder);
  if (await file.tryLock(true)) return { [Symbol.dispose]: () => release(file) };
  file.close();
  throw new WeirError("fenced", `Another process ${work} the lake in ${lake}`, { detail: { path } });
}

/** By name: a child that is just being started holds the file as well, and with it a lock that is only closed. */
function release(file: Deno.FsFile): void {
  file.unlockSync();
  file.close();
}

async function open(path: string, folder: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(folder, { recursive: true }).catch((thrown) => {
      throw storageError(thrown, folder);
    });
    return await Deno.open(path, { create: true, read: true, write: true });
  } catch (thrown) {
    throw storageError(thrown, path);
  }
}
