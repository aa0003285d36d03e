/**
 * Kills or fails the own process at a named fail point, and counts how often each point was passed.
 *
 * A crash proves something only where there was something to lose: the kill waits until at least one table commit was
 * counted (see {@linkcode CrashPlan.commitPoints}).
 */
import { armFailPoints } from "../fail_point.ts";

/** When to stop the process. */
export interface CrashPlan {
  /** The point at which to stop, e.g. `iceberg.beforeCommit`. Undefined: only count. */
  readonly point?: string;
  /** Stop at this hit of the point, counted from 1 after the first table commit. Default 1. */
  readonly hit?: number;
  /** How long to stand at the point before stopping, milliseconds: what runs beside it then ends. Default 0. */
  readonly delayMs?: number;
  /** Passing one of these counts as a table commit. Default: every point named `<format>.afterCommit`. */
  readonly commitPoints?: readonly string[];
  /** What stopping means. Default: SIGKILL to the own process, which nothing can catch. */
  readonly stop?: (point: string) => void;
  /** Told of every hit; default: one line `fail point <name> hit <n>` to standard error before stopping. */
  readonly report?: (line: string) => void;
}

/** Hits per point so far. */
export type FailPointHits = ReadonlyMap<string, number>;

/** Arms every fail point with a plan. The map it gives is kept up to date. Disarm with `armFailPoints(undefined)`. */
export function crashAt(plan: CrashPlan): FailPointHits {
  const hits = new Map<string, number>();
  const isCommit = (name: string) => plan.commitPoints?.includes(name) ?? name.endsWith(".afterCommit");
  const stop = plan.stop ?? (() => Deno.kill(Deno.pid, "SIGKILL"));
  let commits = 0;
  let hitsSinceCommit = 0;
  armFailPoints(async (name) => {
    hits.set(name, (hits.get(name) ?? 0) + 1);
    // The commit that is just ending counts too: its rows are on disk.
    if (isCommit(name)) commits++;
    if (name !== plan.point || commits === 0) return;
    hitsSinceCommit++;
    if (hitsSinceCommit !== (plan.hit ?? 1)) return;
    if (plan.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, plan.delayMs));
    const report = plan.report ?? console.error;
    for (const line of formatHits(hits)) report(line);
    stop(name);
  });
  return hits;
}

/** One line per point, in the order of their names, as {@linkcode parseHits} reads them. */
export function formatHits(hits: FailPointHits): readonly string[] {
  const sorted = [...hits].sort(([left], [right]) => left < right ? -1 : 1);
  return sorted.map(([name, count]) => `fail point ${name} hit ${count}`);
}

/**
 * Reads the lines of {@linkcode formatHits} out of a process's output; other lines are passed over.
 *
 * @example
 * ```ts
 * import { formatHits, parseHits } from "./crash_at.ts";
 * import assert from "node:assert/strict";
 *
 * const hits = new Map([["iceberg.beforeCommit", 3]]);
 * assert.deepEqual(parseHits(["starting", ...formatHits(hits)].join("\n")), hits);
 * ```
 */
export function parseHits(output: string): FailPointHits {
  const lines = output.matchAll(/^fail point (\S+) hit (\d+)$/gm);
  return new Map(Array.from(lines, ([, name, count]) => [name as string, Number(count)]));
}

/** Arms one point to throw once at its n-th hit (default the first); every other hit passes. */
export function failOnceAt(point: string, hit = 1): void {
  let hits = 0;
  armFailPoints((name) => {
    if (name !== point || ++hits !== hit) return;
    throw new Error(`Planned failure at ${name}`);
  });
}
