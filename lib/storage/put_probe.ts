/** Whether a storage keeps the promise that table commits rest on, tried out. */
import type { Storage } from "./storage.ts";

/** Puts an object of its own twice, and leaves nothing behind. True where the second put was refused and changed nothing. */
export async function refusesSecondPut(storage: Pick<Storage, "putIfAbsent" | "read" | "delete">): Promise<boolean> {
  const path = `weir-probe-${crypto.randomUUID()}`;
  const first = await storage.putIfAbsent(path, new Uint8Array(1));
  try {
    const second = await storage.putIfAbsent(path, new Uint8Array(2));
    const kept = await storage.read(path);
    return first && !second && kept?.length === 1;
  } finally {
    await storage.delete(path).catch(() => {});
  }
}
