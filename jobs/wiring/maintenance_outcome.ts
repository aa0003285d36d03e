/** What the maintenance job prints: its plan, what it did, and one object for machines. */
import { formatBytes, formatCount } from "../../lib/cli/format.ts";
import type { JobResult } from "../../lib/cli/run_job.ts";
import { renderTable } from "../../lib/cli/table.ts";
import type { MaintainedTable, TablePlan, TableWork } from "./maintenance.ts";

/** The object that `--json` prints. */
export interface MaintenanceOutcome extends JobResult {
  readonly dryRun: boolean;
  readonly tables: readonly MaintenanceResult[];
}

type MaintenanceResult = Omit<MaintainedTable, "error"> & {
  readonly error: { readonly kind: string; readonly message: string } | null;
};

/** `ok` only where nothing failed, and all was done that was to be. */
export function maintenanceOutcome(tables: readonly MaintainedTable[], dryRun: boolean): MaintenanceOutcome {
  return {
    ok: tables.every(({ error, plan, work }) => error === null && (dryRun ? plan : work) !== null),
    dryRun,
    tables: tables.map(({ error, ...rest }) => ({
      ...rest,
      error: error && { kind: error.kind, message: error.message },
    })),
  };
}

const right = (title: string) => ({ title, align: "right" as const });

/** The plan as people read it. */
export function planText(tables: readonly MaintainedTable[]): string {
  const columns = ["files", "size", "to merge", "to expire", "to remove", "orphans"].map(right);
  const rows = tables.map((
    { table, format, plan },
  ) => [table, format, ...(plan === null ? ["failed"] : planCells(plan))]);
  const reasons = tables.flatMap(({ table, format, plan }) => {
    const { merge, rescale, partitions } = plan ?? { merge: null, rescale: null };
    return [
      ...(partitions === undefined || partitions.partitions === 0
        ? []
        : [partitionsText(`${format} ${table}`, partitions)]),
      ...(merge === null ? [] : [`first merge of ${format} ${table}: ${merge.reason}, ${formatBytes(merge.bytes)}`]),
      ...(rescale === null ? [] : [`${format} ${table}: ${rescale.reason}; --rescale makes them ${rescale.buckets}`]),
    ];
  });
  const manifests = tables.flatMap(({ table, format, plan }) =>
    plan === null || plan.manifests === 0 ? [] : [`${formatCount(plan.manifests)} of ${format} ${table}`]
  );
  const rewritten = manifests.length === 0 ? [] : [`small manifests that become few: ${manifests.join(", ")}`];
  return [
    renderTable([{ title: "table" }, { title: "format" }, ...columns], rows),
    "",
    ...reasons,
    ...rewritten,
    ...failures(tables),
  ].join("\n").trimEnd();
}

function partitionsText(table: string, { partitions, files, bytes }: TablePlan["partitions"]): string {
  return `${table}: ${countText(partitions)} older than it keeps, ${formatCount(files)} files (${formatBytes(bytes)})`;
}

function countText(partitions: number): string {
  return `${formatCount(partitions)} partition${partitions === 1 ? "" : "s"}`;
}

function planCells({ liveFiles, liveBytes, merge, expire, orphans }: TablePlan): string[] {
  return [
    formatCount(liveFiles),
    formatBytes(liveBytes),
    merge === null ? "" : `${formatCount(merge.files)} files`,
    expire.snapshots === 0 ? "" : `${formatCount(expire.snapshots)} snapshots`,
    expire.files === 0 ? "" : `${formatCount(expire.files)} files`,
    orphans.files === 0 ? "" : `${formatCount(orphans.files)} (${formatBytes(orphans.bytes)})`,
  ];
}

/** What was done as people read it. */
export function workText(
  tables: readonly MaintainedTable[],
  { removeOrphans }: { readonly removeOrphans: boolean },
): string {
  const columns = ["merged", "expired", "removed", "files now"].map(right);
  const rows = tables.map((
    { table, format, work },
  ) => [table, format, ...(work === null ? ["not done"] : workCells(work))]);
  const orphans = tables.reduce((sum, { plan }) => sum + (plan?.orphans.files ?? 0), 0);
  const partitions = tables.flatMap(({ table, format, work }) =>
    work === null || work.expiredPartitions === 0
      ? []
      : [`${countText(work.expiredPartitions)} left ${format} ${table}`]
  );
  const kept = !removeOrphans && orphans > 0
    ? [`${formatCount(orphans)} orphans were left where they are; --remove-orphans deletes them`]
    : [];
  return [
    renderTable([{ title: "table" }, { title: "format" }, ...columns], rows),
    "",
    ...partitions,
    ...kept,
    ...failures(tables),
  ]
    .join("\n").trimEnd();
}

function workCells(work: TableWork): string[] {
  const { merges, mergedFiles, mergedBytes, expiredSnapshots, removedFiles, removedOrphans, liveFiles } = work;
  return [
    merges === 0 ? "" : `${formatCount(mergedFiles)} files (${formatBytes(mergedBytes)})`,
    expiredSnapshots === 0 ? "" : `${formatCount(expiredSnapshots)} snapshots`,
    removedFiles + removedOrphans === 0 ? "" : `${formatCount(removedFiles + removedOrphans)} files`,
    formatCount(liveFiles),
  ];
}

function failures(tables: readonly MaintainedTable[]): string[] {
  return tables.flatMap(({ table, format, error }) =>
    error === null ? [] : [`${format} ${table} failed: ${error.message}\n  What to do: ${error.advice}`]
  );
}
