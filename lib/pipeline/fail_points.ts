/** Every step of the pipeline's own at which a test may kill the process. */

/** Points that the initial copy passes. */
export const copyStepFailPoints = ["pipeline.afterCopyPart", "pipeline.afterCopyCommit"] as const;

/** Points that every batch passes (the first only where there is a dead letter). */
export const batchFailPoints = [
  "pipeline.afterDeadLetters",
  "pipeline.afterTableCommit",
  "pipeline.beforeAcknowledge",
] as const;
