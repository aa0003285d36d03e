/** Every step of an Iceberg commit at which a test may kill the process or make the step fail. */

/** Names in the order a commit passes them. */
export const icebergFailPoints = [
  "iceberg.afterDataFiles",
  "iceberg.afterDeleteFiles",
  "iceberg.afterManifests",
  "iceberg.afterManifestList",
  "iceberg.beforeCommit",
  "iceberg.afterCommit",
  "iceberg.afterHint",
] as const;

/** Of upkeep, beside those of a commit, which its commits pass too. */
export const icebergUpkeepFailPoints = ["iceberg.afterMergedFile", "iceberg.afterCarriedDeletes"] as const;
