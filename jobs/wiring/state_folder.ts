/** Folder of run-time state: the embedded server's data, spool files, and what can be computed again. */
export const stateFolder = "data/state";
