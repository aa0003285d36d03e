/** Work side by side. */

/** Waits for every one, also after an error: what they read is dropped afterwards. */
export async function allOrFirstError(running: readonly Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(running);
  const failed = ended.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
