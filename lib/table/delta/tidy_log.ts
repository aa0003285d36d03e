/** What follows a commit now and then: a checkpoint, and the end of log files that it stands for. */
import { failPoint } from "../../fail_point.ts";
import { keptSince, oldLogFiles } from "./expiry.ts";
import type { TablePlace } from "./load_state.ts";
import { checkpointInterval } from "./properties.ts";
import type { DeltaState } from "./state.ts";
import { writeCheckpoint } from "./write_checkpoint.ts";

/** Checkpoints from one clean-up of the log to the next: listing it takes longer than writing one. */
const checkpointsPerCleanUp = 10;

/** Writes a checkpoint and cleans up. Both only save work: failing here is no failed commit. */
export async function tidyLog(place: TablePlace, state: DeltaState): Promise<DeltaState> {
  try {
    await failPoint("delta.beforeCheckpoint");
    const checkpoint = await writeCheckpoint(place, state);
    await failPoint("delta.afterCheckpoint");
    const isCleanUpDue = state.version % (checkpointsPerCleanUp * checkpointInterval(state.metadata)) === 0;
    if (isCleanUpDue) await cleanLog(place, state);
    return { ...state, checkpoint };
  } catch {
    // The next checkpoint is made from the one before.
    return state;
  }
}

/** Deletes log files older than the table's `delta.logRetentionDuration`, and gives their paths. */
export async function cleanLog(place: TablePlace, state: DeltaState): Promise<readonly string[]> {
  const gone = await oldLogFiles(place, state, keptSince(state));
  for (const path of gone) await place.storage.delete(path);
  return gone;
}
