/** Table properties that this code reads and writes, with their defaults. */
import type { Metadata } from "./actions.ts";

/** Our own properties, and names that stand in our commits' `commitInfo`. */
export const ownNames = {
  /** Key columns by physical name, as a JSON list. */
  key: "weir.key",
  position: "weir.position",
  /** Up to here the version before it still showed the table. */
  after: "weir.after",
  commitTimeMs: "weir.commit-time-ms",
  /** In a mirror: which snapshot of its primary a version shows. */
  mirroredSnapshot: "weir.mirrored-snapshot",
  /** The application under which our commits leave the version they were made at. */
  appId: "weir",
} as const;

/** Names are those of the Delta documentation, "Table properties". */
export const propertyNames = {
  deletionVectors: "delta.enableDeletionVectors",
  mappingMode: "delta.columnMapping.mode",
  highestColumnId: "delta.columnMapping.maxColumnId",
  checkpointInterval: "delta.checkpointInterval",
  logRetention: "delta.logRetentionDuration",
  fileRetention: "delta.deletedFileRetentionDuration",
  appendOnly: "delta.appendOnly",
} as const;

/**
 * What a new table says of itself, so that other writers keep to it. A commit a second is 600,000 versions in a week; older
 * ones cannot be read anyhow once the files they name were vacuumed.
 */
export const initialProperties: Readonly<Record<string, string>> = {
  [propertyNames.checkpointInterval]: "100",
  [propertyNames.logRetention]: "interval 7 days",
  [propertyNames.fileRetention]: "interval 7 days",
};

/** Properties of a table whose past is kept for so long: removed files stay, and the log that tells of them. */
export function retentionProperties(keptMs: number): Readonly<Record<string, string>> {
  const interval = `interval ${Math.ceil(keptMs / 1000)} seconds`;
  return { [propertyNames.logRetention]: interval, [propertyNames.fileRetention]: interval };
}

/** Commits from one checkpoint to the next. */
export function checkpointInterval({ configuration }: Metadata): number {
  const value = Number(configuration[propertyNames.checkpointInterval]);
  return Number.isInteger(value) && value > 0 ? value : 100;
}

const unitMs: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

/**
 * A duration property in milliseconds, e.g. `interval 7 days`. One that cannot be read counts as its default: nothing is
 * deleted because of a slip.
 */
export function durationMs({ configuration }: Metadata, name: "logRetention" | "fileRetention"): number {
  const fallback = name === "logRetention" ? 30 * unitMs["day"]! : 7 * unitMs["day"]!;
  const text = configuration[propertyNames[name]]?.trim().toLowerCase().replace(/^interval\s+/, "");
  if (text === undefined) return fallback;
  const parts = [...text.matchAll(/(\d+)\s+([a-z]+?)s?(?=\s|$)/g)];
  const rest = parts.reduce((left, [part]) => left.replace(part, ""), text).trim();
  const known = parts.every(([, , unit]) => unitMs[unit!] !== undefined);
  if (parts.length === 0 || !known || rest !== "") return fallback;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit!]!, 0);
}
