/**
 * One writing process per lake folder: an advisory lock of the file system, freed by the system when the process ends however
 * it ends. It spares a second instance the work; what makes a mistake impossible is the table commit itself (`change/sink.ts`).
 */
import { join } from "node:path";
import { storageError, WeirError } from "../errors.ts";

/**
 * Takes the lock of a lake folder, made where it is missing. Disposing gives it back.
 *
 * @param lake what the error calls the lake. Default: the folder.
 *
 * @throws {WeirError} `fenced` where another process writes to the lake, `storage` where the folder cannot be written.
 */
export async function lockLake(folder: string, lake = folder): Promise<Disposable> {
  const path = join(folder, "writer.lock");
  const file = await open(path, folder);
  if (await file.tryLock(true)) return { [Symbol.dispose]: () => release(file) };
  file.close();
  throw new WeirError("fenced", `Another process writes to the lake in ${lake}`, { detail: { path } });
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
