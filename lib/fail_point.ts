/**
 * Named points at which a test may stop the process or make a step fail. In production nothing is armed and a point costs
 * one comparison.
 *
 * Names are `<room>.<step>`, e.g. `iceberg.afterDataFiles`; every step of every sink and of the initial copy has one.
 */

/** What happens at a point: throws, waits, kills the process, or nothing. */
export type FailPointHook = (name: string) => void | Promise<void>;

let hook: FailPointHook | undefined;

/** Arms every point with one hook, or disarms them. For tests alone. */
export function armFailPoints(armed: FailPointHook | undefined): void {
  hook = armed;
}

/** A point that may fail. */
export async function failPoint(name: string): Promise<void> {
  if (hook !== undefined) await hook(name);
}
