/** Whether files prepared against one state may be committed on a newer one. */
import { vectorId } from "./actions.ts";
import type { DeltaPrepared, TableDescription } from "./prepared_change.ts";
import type { DeltaState } from "./state.ts";

/**
 * True while schema and rules are those the files were written against, every file that loses rows is there with the same
 * deletion vector, and no file has come that keys were not looked up in: it may hold a row that this change replaces.
 */
export function stillFits(state: DeltaState, prepared: DeltaPrepared): boolean {
  const isSame = [prepared.base, prepared.target].some((description) => text(description) === text(state));
  if (!isSame) return false;
  const isThere = prepared.replaced.every(({ target: { add } }) => {
    const now = state.files.get(add.path);
    return now !== undefined && vectorId(now.add.deletionVector) === vectorId(add.deletionVector);
  });
  if (!isThere) return false;
  return prepared.searched === undefined || [...state.files.keys()].every((path) => prepared.searched!.has(path));
}

function text({ protocol, metadata }: TableDescription): string {
  return JSON.stringify([protocol, metadata]);
}
