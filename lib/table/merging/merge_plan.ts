/**
 * Which data files are merged next: size-tiered, inside one partition.
 *
 * Promise: whatever the number of commits, a partition in which no compaction is planned any more holds fewer than `mergeFiles` files
 * in each tier below the target size, at most {@linkcode mostSmallFiles} together. A row is written anew about once per tier, so
 * that the cost of a row grows with the logarithm of its table; a compaction writes twice the target size at most, and reads four
 * times of it and one file.
 */
import type { CompactionPlan, UpkeepPolicy } from "../upkeep.ts";

/** Files below this stand in one tier, bytes: what a file costs beyond its rows is more than these. */
const smallestTierBytes = 65_536;
/** What opening a file costs a reader, in bytes that it could have read instead. */
const openCostBytes = 4 * 2 ** 20;
/** A compaction stops taking files in once it reads so many times the target size: most of them may be deleted rows. */
const mostReadTimes = 4;
/** Files of one compaction at most: each is a part of one statement. */
const mostInputs = 1000;
/** From this tier on files are written anew because of their deleted rows alone: before, they are merged soon enough. */
const leastWornTier = 2;
/** So many times over what is merged at all, files come faster than they are merged. */
const urgentTimes = 8;
/** Deleted rows are handed to DuckDB as bits, whose index is 32 bits wide. */
const mostRows = 2n ** 31n;

/** A live data file. */
export interface MergeableFile {
  readonly uri: string;
  /** Files of one partition are merged with each other alone. */
  readonly partition: string;
  readonly bytes: number;
  /** Deleted ones too. */
  readonly rows: bigint;
  readonly deletedRows: number;
  /** Rows of a file with a lower number came first. */
  readonly age: bigint;
}

/** A compaction of one partition. */
export interface MergePlan extends CompactionPlan {
  /** Files by URI, in the order in which their rows stand in the merged file. */
  readonly inputs: readonly string[];
}

/** Files below the target size that a partition keeps at most. */
export function mostSmallFiles(policy: UpkeepPolicy): number {
  return tierCount(policy) * (mergeFilesOf(policy) - 1);
}

/** The compaction that saves readers most for what it costs; undefined where none is due. */
export function planMerge(all: readonly MergeableFile[], policy: UpkeepPolicy): MergePlan | undefined {
  const files = all.filter(({ rows }) => rows < mostRows).map(sizeOf);
  const candidates = [...Map.groupBy(files, ({ file }) => file.partition).values()].flatMap((partition) => {
    return [similarFiles(partition, policy), filesWithDeletes(partition, policy)].filter((each) => each !== undefined);
  });
  return candidates.reduce<Candidate | undefined>(
    (best, each) => best === undefined || each.worth > best.worth ? each : best,
    undefined,
  )?.plan;
}

interface SizedFile {
  readonly file: MergeableFile;
  readonly bytes: number;
  readonly deletedShare: number;
  /** What its living rows take. */
  readonly liveBytes: number;
}

function sizeOf(file: MergeableFile): SizedFile {
  const { bytes, rows, deletedRows } = file;
  const deletedShare = deletedRows / Number(rows);
  return { file, bytes, deletedShare, liveBytes: bytes * (1 - deletedShare) };
}

interface Candidate {
  readonly plan: MergePlan;
  /** What readers save, by what it costs. */
  readonly worth: number;
}

/** Tier 0 is below the smallest tier's size; each further one holds files `mergeFiles` times as large. */
function tierOf(bytes: number, policy: UpkeepPolicy): number {
  const tier = 1 + Math.floor(Math.log(bytes / smallestTierBytes) / Math.log(mergeFilesOf(policy)));
  return Math.max(0, Math.min(tier, tierCount(policy) - 1));
}

function tierCount(policy: UpkeepPolicy): number {
  const sizes = Math.log(policy.targetFileBytes / smallestTierBytes) / Math.log(mergeFilesOf(policy));
  return 1 + Math.max(0, Math.ceil(sizes));
}

function mergeFilesOf({ mergeFiles }: UpkeepPolicy): number {
  return Math.max(2, mergeFiles);
}

/**
 * All files up to the largest tier that is full, also by the file that those below it become. Smaller ones go along whatever their
 * number: they cost little and need not be looked at again.
 */
function similarFiles(partition: readonly SizedFile[], policy: UpkeepPolicy): Candidate | undefined {
  const small = partition.filter(({ liveBytes }) => liveBytes < policy.targetFileBytes);
  small.sort((left, right) => left.liveBytes - right.liveBytes);
  let chosen = 0;
  let mergedBytes = 0;
  for (let tier = 0, start = 0; tier < tierCount(policy); tier++) {
    const end = start + small.slice(start).filter(({ liveBytes }) => tierOf(liveBytes, policy) === tier).length;
    const withMerged = chosen > 0 && tierOf(mergedBytes, policy) === tier ? 1 : 0;
    if (end - start + withMerged >= mergeFilesOf(policy)) {
      chosen = end;
      mergedBytes = small.slice(0, end).reduce((sum, { liveBytes }) => sum + liveBytes, 0);
    }
    start = end;
  }
  const inputs = upTo(small.slice(0, chosen), policy);
  return inputs.length < 2 ? undefined : candidate(inputs, { reason: "small files", chosen, policy });
}

/** Files so large that merging will not reach them soon, if ever, and of which much is deleted. */
function filesWithDeletes(partition: readonly SizedFile[], policy: UpkeepPolicy): Candidate | undefined {
  const least = Math.min(leastWornTier, tierCount(policy) - 1);
  const worn = partition.filter(({ bytes, deletedShare }) => {
    return deletedShare >= policy.deletedShare && deletedShare > 0 && tierOf(bytes, policy) >= least;
  });
  worn.sort((left, right) => right.deletedShare - left.deletedShare);
  const inputs = upTo(worn, policy);
  return inputs.length === 0 ? undefined : candidate(inputs, { reason: "deleted rows", chosen: 0, policy });
}

/** The first files, until together they are of the target size, or too much has to be read for it. */
function upTo(files: readonly SizedFile[], policy: UpkeepPolicy): SizedFile[] {
  const total = { living: 0, all: 0 };
  const end = files.findIndex(({ liveBytes, bytes }) => {
    total.living += liveBytes;
    total.all += bytes;
    return total.living >= policy.targetFileBytes || total.all >= mostReadTimes * policy.targetFileBytes;
  });
  return files.slice(0, Math.min(mostInputs, end === -1 ? files.length : end + 1));
}

function candidate(
  inputs: readonly SizedFile[],
  about: { readonly reason: string; readonly chosen: number; readonly policy: UpkeepPolicy },
): Candidate {
  const [bytes, liveBytes] = [sum(inputs, "bytes"), sum(inputs, "liveBytes")];
  // In the order in which the rows came; those without deletes side by side, for they are read in one go.
  const ordered = inputs.map(({ file }) => file).toSorted((left, right) =>
    Number(left.deletedRows > 0) - Number(right.deletedRows > 0) || Number(left.age - right.age)
  );
  const rows = ordered.reduce((count, { rows }) => count + rows, 0n);
  return {
    plan: {
      inputs: ordered.map(({ uri }) => uri),
      files: inputs.length,
      bytes: BigInt(bytes),
      rows,
      reason: `${inputs.length} files: ${about.reason}`,
      isUrgent: about.chosen >= urgentTimes * mergeFilesOf(about.policy),
    },
    worth: ((inputs.length - 1) * openCostBytes + bytes - liveBytes) / (bytes + liveBytes + 1),
  };
}

function sum(files: readonly SizedFile[], of: "bytes" | "liveBytes"): number {
  return files.reduce((total, file) => total + file[of], 0);
}
