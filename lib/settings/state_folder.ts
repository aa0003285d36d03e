/** In the project: run-time state, that is the embedded server's data, spool files, and what can be computed again. */
export const stateFolder = "data/state";
