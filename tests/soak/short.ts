/**
 * The soak in short, as a process of its own: what it measures of time and memory is of the whole process, and test files that
 * run side by side share one. Prints what it found as JSON.
 */
import { soak, soakPlan } from "./soak.ts";
import { verdict } from "./verdict.ts";

const plan = soakPlan({
  commits: 120,
  rows: 100_000,
  updates: 300,
  samples: 11,
  targetFileBytes: 4 * 2 ** 20,
  mergeFiles: 6,
  keepSnapshotsMs: 6000,
});

/** What the process prints. */
export interface ShortSoak {
  readonly broken: readonly string[];
  readonly upkeep: Readonly<Record<string, number>>;
  readonly text: string;
}

if (import.meta.main) {
  const outcome = await soak(plan);
  // So short a run takes few and short measurements, and one alone of the table just loaded: Paimon's reading stood at 2.2 to 2.9.
  const { broken, figures } = verdict(plan, outcome, { growth: 3, overLoaded: 4 });
  const text = JSON.stringify({ figures, samples: outcome.samples }, undefined, 1);
  console.log(JSON.stringify({ broken, upkeep: { ...outcome.upkeep }, text } satisfies ShortSoak));
}
