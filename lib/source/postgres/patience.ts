/** Trying again, less and less often, what a server that is out of reach for a while does not let through. */
import { toWeirError, type WeirError } from "../../errors.ts";

const firstRetryMs = 100;
const longestRetryMs = 5000;

/** How long, and over what. */
export interface Patience {
  /** Nothing is tried again once so many milliseconds have passed. */
  readonly limitMs: number;
  /** Whether an error is of a kind that passes. */
  readonly passes: (kind: WeirError["kind"]) => boolean;
  /** Nobody waits any more: what is tried next is not tried. */
  readonly stopped: AbortSignal;
}

/** Throws the last error once it was tried for too long, or one that does not pass. */
export async function tryPatiently(
  work: () => Promise<void>,
  { limitMs, passes, stopped }: Patience,
): Promise<void> {
  const deadlineMs = Date.now() + limitMs;
  for (let waitMs = firstRetryMs; !stopped.aborted; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
    try {
      return await work();
    } catch (thrown) {
      const failure = toWeirError(thrown);
      if (!passes(failure.kind) || Date.now() >= deadlineMs) throw failure;
    }
    await sleep(waitMs, stopped);
  }
}

async function sleep(durationMs: number, stopped: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, durationMs);
  const stop = () => resolve();
  stopped.addEventListener("abort", stop, { once: true });
  if (stopped.aborted) resolve();
  await promise;
  clearTimeout(timer);
  stopped.removeEventListener("abort", stop);
}
