/**
 * Which snapshots, branches and tags a table keeps (Iceberg spec, "Snapshot Retention Policy").
 *
 * Promise: what a kept branch or tag names is kept whatever its age, and `main` always is.
 */
import type { UpkeepPolicy } from "../upkeep.ts";
import type { Snapshot, SnapshotRef, TableMetadata } from "./metadata.ts";

/** What stays. */
export interface Retained {
  readonly snapshots: ReadonlySet<bigint>;
  readonly refs: Readonly<Record<string, SnapshotRef>>;
}

/** What stays at a time. A branch's own settings go before the policy; a snapshot that no branch leads to stays by age alone. */
export function retained(
  metadata: TableMetadata,
  policy: Pick<UpkeepPolicy, "keepSnapshots" | "keepSnapshotsMs" | "mostSnapshots">,
  nowMs: number,
): Retained {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot["snapshot-id"], snapshot]));
  const refs = Object.fromEntries(
    Object.entries(metadata.refs ?? {}).filter(([name, ref]) => {
      const oldest = nowMs - (ref["max-ref-age-ms"] ?? Infinity);
      return name === "main" || (byId.get(ref["snapshot-id"])?.["timestamp-ms"] ?? -1) >= oldest;
    }),
  );
  const kept = new Set(Object.values(refs).map((ref) => ref["snapshot-id"]));
  const reached = new Set<bigint>();
  const { mostSnapshots: most = Infinity } = policy;
  for (const ref of Object.values(refs)) {
    const least = ref["min-snapshots-to-keep"] ?? policy.keepSnapshots;
    const oldest = nowMs - (ref["max-snapshot-age-ms"] ?? policy.keepSnapshotsMs);
    let isKept = ref.type === "branch";
    for (const [index, snapshot] of [...ancestry(byId, ref["snapshot-id"])].entries()) {
      isKept &&= index < least || (index < most && snapshot["timestamp-ms"] >= oldest);
      if (isKept) kept.add(snapshot["snapshot-id"]);
      reached.add(snapshot["snapshot-id"]);
    }
  }
  for (const snapshot of metadata.snapshots) {
    const isYoung = snapshot["timestamp-ms"] >= nowMs - policy.keepSnapshotsMs;
    if (isYoung && !reached.has(snapshot["snapshot-id"])) kept.add(snapshot["snapshot-id"]);
  }
  return { snapshots: kept, refs };
}

/** A snapshot and those before it, newest first, as far as they are still listed. */
export function* ancestry(snapshots: ReadonlyMap<bigint, Snapshot>, id: bigint | undefined): Iterable<Snapshot> {
  for (let next = id; next !== undefined;) {
    const snapshot = snapshots.get(next);
    if (snapshot === undefined) return;
    yield snapshot;
    next = snapshot["parent-snapshot-id"];
  }
}
