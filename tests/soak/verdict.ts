/** Whether a soak kept its promise, and where not. */
import { mostSmallFiles } from "../../lib/table/merging/merge_plan.ts";
import type { SoakOutcome, SoakPlan, SoakSample } from "./soak.ts";

/** What is bearable. */
export interface SoakBounds {
  /** How much dearer a reading or a commit may be at the end than at the start, both among changes. */
  readonly growth: number;
  /** How much dearer reading may be among changes than that of a table just loaded, which has no deleted row and few files. */
  readonly overLoaded: number;
}

const usualBounds: SoakBounds = { growth: 1.5, overLoaded: 3 };
/** Growth of the process that is none, MB: what garbage collection and the allocator leave behind comes and goes. */
const noGrowthMB = 120;

/** What a soak came to. */
export interface SoakVerdict {
  readonly figures: Readonly<Record<string, number>>;
  /** Empty where all is well. */
  readonly broken: readonly string[];
}

/** Live files of a table at any time: the small ones of every size, those that come while others are merged, and the large ones. */
export function mostLiveFiles({ policy, rows }: Pick<SoakPlan, "policy" | "rows">): number {
  const large = Math.ceil((2 * rows * rowBytes) / policy.targetFileBytes);
  return mostSmallFiles(policy) + 2 * policy.mergeFiles + large;
}

/** What a row of the soaked table takes in a file at most, bytes. */
const rowBytes = 64;

/**
 * Holds samples against the promise. Start and end are medians of a fifth of the samples each.
 *
 * @param most Default 1.5 and 3. A short run takes few and short measurements, on a machine that may do other work.
 */
export function verdict(
  plan: SoakPlan,
  { samples, differing, trouble }: SoakOutcome,
  most = usualBounds,
): SoakVerdict {
  const figures: Record<string, number> = {};
  const broken = [...trouble];
  const hold = (name: string, value: number, limit: number) => {
    figures[name] = Math.round(value * 100) / 100;
    if (!(value <= limit)) broken.push(`${name} is ${figures[name]}, and may be ${limit}`);
  };
  const [loaded, ...commits] = samples;
  for (const format of plan.formats) {
    const of = (sample: SoakSample) => sample.tables[format]!;
    hold(`${format}LiveFiles`, Math.max(...samples.map((sample) => of(sample).liveFiles)), mostLiveFiles(plan));
    const read = (taken: readonly SoakSample[]) => median(taken.map((sample) => of(sample).readCost));
    hold(`${format}ReadGrowth`, read(last(commits)) / read(first(commits)), most.growth);
    hold(`${format}ReadOverLoaded`, read(commits) / of(loaded!).readCost, most.overLoaded);
    hold(`${format}Differing`, differing[format]!, 0);
  }
  hold("commitGrowth", median(cost(last(commits))) / median(cost(first(commits))), most.growth);
  const half = commits.slice(Math.floor(commits.length / 2));
  hold("residentGrowthMB", median(resident(last(commits))) - median(resident(first(half))), noGrowthMB);
  return { figures, broken };
}

function cost(samples: readonly SoakSample[]): number[] {
  return samples.map(({ commitCost }) => commitCost);
}

function resident(samples: readonly SoakSample[]): number[] {
  return samples.map(({ residentMB }) => residentMB);
}

function first(samples: readonly SoakSample[]): readonly SoakSample[] {
  return samples.slice(0, Math.ceil(samples.length / 5));
}

function last(samples: readonly SoakSample[]): readonly SoakSample[] {
  return samples.slice(-Math.ceil(samples.length / 5));
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)]!;
}
