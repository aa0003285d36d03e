/**
 * Which files of a table are merged next.
 *
 * A keyed table: in each bucket of each partition the files of level 0 and the levels above it are sorted runs, and a compaction merges the
 * newest of them, up to a level (Paimon's universal style, so that an older version never stands above a newer one). A level
 * below the highest holds at most a share of the bucket that falls by a fixed ratio from level to level, so a row is
 * rewritten at most `ratio` times on each level. Only what overlaps is rewritten: a large file that meets no other changes
 * its level alone.
 *
 * Bounds: after planning gives undefined a bucket has fewer than `mergeFiles` runs (files of level 0, and levels that hold
 * files), and neighbouring files of one level are together larger than half the target size. A table without a key has
 * fewer than `mergeFiles` files of each size class, each class being `mergeFiles` times as large as the one before.
 */
import type { CompactionPlan, UpkeepPolicy } from "../upkeep.ts";
import { type KeyColumn, keyColumns } from "./key_columns.ts";
import type { Place } from "./partitioning.ts";
import { keyInPartition, maxLevel } from "./schema.ts";
import { keySections } from "./sections.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/**
 * Files of a keyed table are no larger: the rows of one are sorted in memory, where wide ones take five times the file's size. Four
 * files of 45 MiB took 0.9 GB as one, and 0.3 GB one by one.
 */
const mostSortedBytes = 48 * 2 ** 20;
/** Size of one compaction in target files; what is more is left for the next ones. */
const mostTargets = 16;
/** Runs, in times of those that set a compaction off, from which on the writer waits. */
const urgentTimes = 4;
/** Levels grow at least so much from one to the next. */
const leastRatio = 4;

/** What one compaction of a Paimon table does in one place. */
export interface PaimonCompactionPlan extends CompactionPlan {
  readonly place: Place;
  /** Level of the files that are written. */
  readonly level: number;
  /** Whether rows that mark deletions leave: nothing older is left that they would hide. */
  readonly dropsDeletions: boolean;
  /** Files that are written anew, each group by itself; groups do not meet in their keys. */
  readonly groups: readonly (readonly LiveFile[])[];
  /** Files that only change their level. */
  readonly raised: readonly LiveFile[];
  readonly targetFileBytes: number;
}

/** The compaction that is most worth its cost; undefined where none is. */
export function planCompaction(state: PaimonState, policy: UpkeepPolicy): PaimonCompactionPlan | undefined {
  const keyed = { ...policy, targetFileBytes: sortedFileBytes(policy) };
  const key = keyColumns(state.schema.fields, keyInPartition(state.schema));
  const levels = maxLevel(state.schema);
  const places = [...Map.groupBy(state.files, ({ place }) => place.id).values()]
    .map((files) => ({ files, runs: sortedRuns(files).length }))
    .sort((left, right) => right.runs - left.runs);
  const planOf = (files: readonly LiveFile[]) =>
    state.key.length === 0 ? planAppended(files, policy) : planBucket(files, { key, levels, policy: keyed });
  for (const { files } of places) {
    const plan = planOf(files);
    if (plan !== undefined) return plan;
  }
  return undefined;
}

/** Size of a keyed table's merged files. */
export function sortedFileBytes({ targetFileBytes }: Pick<UpkeepPolicy, "targetFileBytes">): number {
  return Math.min(targetFileBytes, mostSortedBytes);
}

interface SortedRun {
  readonly level: number;
  readonly bytes: number;
}

/** Newest first: each file of level 0 is a run, each level above is one. */
function sortedRuns(files: readonly LiveFile[]): readonly SortedRun[] {
  const fresh = files.filter(({ level }) => level === 0).map(({ bytes }) => ({ level: 0, bytes: Number(bytes) }));
  const levels = Map.groupBy(files.filter(({ level }) => level > 0), ({ level }) => level);
  const leveled = [...levels].map(([level, members]) => ({ level, bytes: bytesOf(members) }));
  return [...fresh, ...leveled.sort((left, right) => left.level - right.level)];
}

interface BucketOptions {
  readonly key: readonly KeyColumn[];
  /** Highest level. */
  readonly levels: number;
  readonly policy: UpkeepPolicy;
}

function planBucket(files: readonly LiveFile[], options: BucketOptions): PaimonCompactionPlan | undefined {
  const { levels, policy } = options;
  const runs = sortedRuns(files);
  if (runs.length >= Math.max(2, policy.mergeFiles)) {
    const level = outputLevel(runs, options);
    return merge({ ...options, files, level, reason: `${runs.length} sorted runs` });
  }
  const rows = files.reduce((sum, file) => sum + Number(file.rows), 0);
  // Those of level 0 are merged before long, whatever they hold.
  const deleted = files.reduce((sum, file) => file.level === 0 ? sum : sum + Number(file.deletedRows), 0);
  if (deleted === 0 || deleted < policy.deletedShare * rows) return undefined;
  return merge({ ...options, files, level: levels, reason: `${deleted} of ${rows} rows mark deletions` });
}

/**
 * The level that the newest runs are merged into: the lowest that may hold them. Half of the runs allowed are kept for
 * level 0, so that a compaction is not due after every commit.
 */
function outputLevel(runs: readonly SortedRun[], { levels, policy }: BucketOptions): number {
  const used = Math.max(1, Math.min(levels, Math.floor(policy.mergeFiles / 2)));
  const sum = (of: readonly SortedRun[]) => of.reduce((bytes, run) => bytes + run.bytes, 0);
  const total = sum(runs);
  const fresh = sum(runs.filter(({ level }) => level === 0)) || runs[0]!.bytes;
  const ratio = Math.max(leastRatio, (total / fresh) ** (1 / used));
  for (let level = levels - used + 1; level < levels; level++) {
    const newest = runs.filter((run) => run.level <= level);
    if (newest.length > 1 && sum(newest) <= total / ratio ** (levels - level)) return level;
  }
  return levels;
}

interface MergeOptions extends BucketOptions {
  /** All files of the bucket. */
  readonly files: readonly LiveFile[];
  readonly level: number;
  readonly reason: string;
}

/**
 * Merges the newest runs into a level. Where that is too much at once, the oldest files of level 0 go to a lower level, or
 * one file of the level before goes to the next with those that it meets there.
 */
function merge(options: MergeOptions): PaimonCompactionPlan | undefined {
  const { files, level, policy } = options;
  const upTo = (highest: number) => files.filter((file) => file.level > 0 && file.level <= highest);
  const fresh = files.filter((file) => file.level === 0);
  const whole = mergeFiles([...fresh, ...upTo(level)], options);
  const most = mostTargets * policy.targetFileBytes;
  const isSmall = (plan?: PaimonCompactionPlan) => plan !== undefined && Number(plan.bytes) <= most;
  if (whole === undefined || isSmall(whole)) return whole;
  if (fresh.length >= policy.mergeFiles / 2) {
    const part = oldest(fresh, most);
    for (let lower = level; lower > 0; lower--) {
      const plan = mergeFiles([...part, ...upTo(lower)], { ...options, level: lower });
      if (isSmall(plan)) return plan;
    }
  }
  return mergeSlice(options) ?? whole;
}

/** The oldest file of the highest level that can go down, with the files of the next that it meets. */
function mergeSlice(options: MergeOptions): PaimonCompactionPlan | undefined {
  const above = options.files.filter((file) => file.level > 0 && file.level < options.level);
  if (above.length === 0) return undefined;
  const from = Math.max(...above.map((file) => file.level));
  const [first] = oldest(above.filter((file) => file.level === from), 0);
  const next = options.files.filter((file) => file.level === options.level);
  const section = keySections([first!, ...next], options.key).find((members) => members.includes(first!))!;
  return mergeFiles(section, options);
}

/** Merges files into a level. Undefined where nothing would change. */
function mergeFiles(inputs: readonly LiveFile[], options: MergeOptions): PaimonCompactionPlan | undefined {
  const { files, key, level, policy, reason } = options;
  const dropsDeletions = !files.some((file) => file.level > level);
  const { groups, raised } = splitWork(keySections(inputs, key), {
    level,
    dropsDeletions,
    leastBytes: policy.targetFileBytes / 2,
  });
  if (groups.length === 0 && raised.length === 0) return undefined;
  const read = groups.flat();
  return {
    ...counts(read),
    files: read.length + raised.length,
    reason,
    isUrgent: sortedRuns(files).length >= urgentTimes * policy.mergeFiles,
    place: files[0]!.place,
    level,
    dropsDeletions,
    groups,
    raised,
    targetFileBytes: policy.targetFileBytes,
  };
}

/**
 * Groups of neighbouring sections that are written anew, and files that are large enough, alone with their keys and clean:
 * those stay as they are.
 */
function splitWork(
  sections: readonly (readonly LiveFile[])[],
  options: { readonly level: number; readonly dropsDeletions: boolean; readonly leastBytes: number },
): Pick<PaimonCompactionPlan, "groups" | "raised"> {
  const groups: LiveFile[][] = [];
  const raised: LiveFile[] = [];
  const mayStay = (file: LiveFile) => !options.dropsDeletions || file.deletedRows === 0n;
  const stay = (file: LiveFile) => void (file.level < options.level && raised.push(file));
  let group: LiveFile[] = [];
  const close = () => {
    if (group.length === 1 && mayStay(group[0]!)) stay(group[0]!);
    else if (group.length > 0) groups.push(group);
    group = [];
  };
  for (const section of sections) {
    const [first] = section;
    if (section.length === 1 && mayStay(first!) && Number(first!.bytes) >= options.leastBytes) {
      close();
      stay(first!);
    } else group.push(...section);
  }
  close();
  return { groups, raised };
}

/** Files of one size class in one place of a table without a key, oldest first. */
function planAppended(files: readonly LiveFile[], policy: UpkeepPolicy): PaimonCompactionPlan | undefined {
  const width = Math.max(2, policy.mergeFiles);
  const small = files.filter(({ bytes }) => Number(bytes) < policy.targetFileBytes / 2);
  const classes = Map.groupBy(small, ({ bytes }) => Math.floor(Math.log(Math.max(1, Number(bytes))) / Math.log(width)));
  for (const [, members] of [...classes].sort(([left], [right]) => left - right)) {
    if (members.length < width) continue;
    const group = oldest(members, policy.targetFileBytes);
    return {
      ...counts(group),
      files: group.length,
      reason: `${members.length} files of a similar size`,
      isUrgent: members.length >= urgentTimes * width,
      place: group[0]!.place,
      level: 0,
      dropsDeletions: false,
      groups: [group],
      raised: [],
      targetFileBytes: policy.targetFileBytes,
    };
  }
  return undefined;
}

/** The oldest files whose sizes together stay below a limit, at least two. */
function oldest(files: readonly LiveFile[], mostBytes: number): readonly LiveFile[] {
  const ordered = [...files].sort((left, right) => left.maxSequenceNumber < right.maxSequenceNumber ? -1 : 1);
  let bytes = 0;
  return ordered.filter((file, index) => (bytes += Number(file.bytes)) <= mostBytes || index < 2);
}

function counts(files: readonly LiveFile[]): { readonly bytes: bigint; readonly rows: bigint } {
  return {
    bytes: files.reduce((sum, file) => sum + file.bytes, 0n),
    rows: files.reduce((sum, file) => sum + file.rows, 0n),
  };
}

function bytesOf(files: readonly LiveFile[]): number {
  return files.reduce((sum, { bytes }) => sum + Number(bytes), 0);
}
