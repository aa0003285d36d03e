/** Every step of a mirror at which a test may kill the process or make the step fail. */

/** Names in the order one turn passes them, beside those of the formats' own commits. */
export const mirrorFailPoints = ["mirror.beforeDeclaration", "mirror.beforePublish", "mirror.afterPublish"] as const;
