/**
 * Puts a staged commit: `_delta_log/<version>.json` if it is absent.
 *
 * Promise: until it is put nothing is visible; afterwards everything is.
 */
import type { CommitResult } from "../../change/sink.ts";
import { failPoint } from "../../fail_point.ts";
import { hasVersion, type LogPlace, readCommit } from "./log_file.ts";
import type { DeltaStaged } from "./stage_commit.ts";

/** Puts a commit. Never throws for what storage does: every ending is a value. */
export async function putCommit(place: LogPlace, staged: DeltaStaged): Promise<CommitResult> {
  try {
    if (!await hasVersion(place, staged.base)) return { outcome: "conflict" };
    await failPoint("delta.beforeCommit");
  } catch (cause) {
    return { outcome: "retryable", cause };
  }
  try {
    const made = await place.storage.putIfAbsent(staged.path, staged.bytes);
    if (!made && !await isOurs(place, staged)) return { outcome: "conflict" };
    await failPoint("delta.afterCommit");
  } catch (cause) {
    return { outcome: "unknown", cause };
  }
  return { outcome: "committed", snapshotId: BigInt(staged.next.version), rows: staged.next.rows };
}

/** Whether the version a commit wanted to put is this very commit. */
export async function isOurs(place: LogPlace, { next, commitId }: DeltaStaged): Promise<boolean> {
  const actions = await readCommit(place, next.version);
  return actions?.some(({ commitInfo }) => commitInfo?.["txnId"] === commitId) ?? false;
}
