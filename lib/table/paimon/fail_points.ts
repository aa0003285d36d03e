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

/** One of {@linkcode paimonFailPoints}. */
export type PaimonFailPoint = typeof paimonFailPoints[number];
