/** Points of a Paimon commit at which a test may stop the process, in the order they are passed. */
export const paimonFailPoints = [
  "paimon.beforeDataFiles",
  "paimon.betweenDataFiles",
  "paimon.afterDataFiles",
  "paimon.afterSchema",
  "paimon.afterManifests",
  "paimon.afterManifestLists",
  "paimon.beforeCommit",
  "paimon.afterCommit",
  "paimon.afterHints",
] as const;

/** Points of a compaction before its commit, which passes those of a change's commit from `paimon.afterManifests` on. */
export const paimonCompactionFailPoints = [
  "paimon.beforeMergedFiles",
  "paimon.beforeMergedFile",
  "paimon.afterMergedFiles",
] as const;

/** Of an expiry of partitions, before its commit, which passes those of a change's commit from `paimon.afterManifests` on. */
export const paimonPartitionExpiryFailPoint = "paimon.beforePartitionExpiry";

/** Points of an expiry of snapshots. */
export const paimonExpiryFailPoints = [
  "paimon.beforeExpiry",
  "paimon.afterEarliestHint",
  "paimon.betweenExpiredSnapshots",
  "paimon.afterExpiry",
] as const;

/** Of upkeep, beside those of a change's commit, which its commits pass too. */
export const paimonUpkeepFailPoints = [...paimonCompactionFailPoints, ...paimonExpiryFailPoints] as const;

/** One of {@linkcode paimonFailPoints}. */
export type PaimonFailPoint = typeof paimonFailPoints[number];
