/**
 * Lake tables whose changes were missed while those of others were captured: a run named fewer tables or formats.
 *
 * Promise: a position is believed only where the slot can have sent every change since. A table is taken out of the
 * publication before the slot moves on without it, so one that is not in it has missed changes, whatever it recorded.
 */
import type { RecordedPosition } from "../../change/source.ts";
import { formatLsn } from "./lsn.ts";
import type { PublicationState } from "./publication.ts";
import type { SlotState } from "./slot.ts";

/** A recorded position with its place in the server's log. */
export interface RecordedLsn {
  readonly recorded: RecordedPosition;
  readonly lsn: bigint;
}

/** What a source finds when it starts. */
export interface FoundAtStart {
  readonly publication: string;
  readonly state: PublicationState | undefined;
  readonly slot: SlotState | undefined;
}

/** A recorded position that is void. */
export interface MissedChanges {
  readonly recorded: RecordedPosition;
  readonly reason: string;
}

/**
 * Positions that are void. Those before the slot count as missed only where another stands at or after it: the slot moved on
 * with that one. Where none does, somebody else moved the slot (see `assertSlot`).
 */
export function missedChanges(recorded: readonly RecordedLsn[], found: FoundAtStart): readonly MissedChanges[] {
  const { publication, state, slot } = found;
  if (state === undefined) return [];
  const published = new Set(state.tables.map(({ namespace, name }) => `${namespace}.${name}`));
  const isPublished = ({ recorded: { source } }: RecordedLsn) => published.has(source);
  const confirmed = slot?.confirmedLsn;
  const isBehind = ({ lsn }: RecordedLsn) => confirmed !== undefined && lsn < confirmed;
  const movedOn = recorded.some((entry) => isPublished(entry) && !isBehind(entry));
  return recorded.flatMap((entry): MissedChanges[] => {
    if (!isPublished(entry)) {
      const reason =
        `changes were missed while it was not in publication "${publication}": a run left it out, or it was made again`;
      return [{ recorded: entry.recorded, reason }];
    }
    if (!movedOn || !isBehind(entry)) return [];
    const [from, to] = [formatLsn(entry.lsn), formatLsn(confirmed ?? 0n)];
    return [{ recorded: entry.recorded, reason: `a run that left it out captured the changes from ${from} to ${to}` }];
  });
}
