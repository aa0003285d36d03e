/** Every step of a Delta commit at which a test may kill the process or make the step fail. */

/** Names in the order a commit passes them. */
export const deltaFailPoints = [
  "delta.afterDataFiles",
  "delta.afterDeletes",
  "delta.beforeCommit",
  "delta.afterCommit",
] as const;

/** Of upkeep, beside those of a commit, which its commits pass too. */
export const deltaUpkeepFailPoints = ["delta.afterMergedFile", "delta.afterCarriedDeletes"] as const;

/** Points that a commit passes which a checkpoint follows. */
export const checkpointFailPoints = ["delta.beforeCheckpoint", "delta.beforeHint", "delta.afterCheckpoint"] as const;
