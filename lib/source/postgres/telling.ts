/** Waiting that is told about: whoever looks on should know that nothing hangs. */

const tellAfterMs = 5000;

/** What both a slot and a snapshot wait for (PostgreSQL documentation, "Replication Slots"). */
export const openTransactions = "waiting for the transactions that are open at the source to end";

/** Gives what the work gives, and tells once, after some seconds, what it waits for. */
export async function telling<T>(work: Promise<T>, tell: () => void): Promise<T> {
  const timer = setTimeout(tell, tellAfterMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
