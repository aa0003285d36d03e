/** What a commit will put, computed from a state and prepared files alone. */
import type { Position } from "../../change/position.ts";
import { entryKind, type ManifestEntry, type ManifestMeta } from "./manifest.ts";
import { mergeCandidates } from "./manifest_merge.ts";
import type { PreparedChange } from "./prepare.ts";
import type { PaimonSchema } from "./schema.ts";
import { type CommitKind, type CommitProperties, encodeProperties, type Snapshot } from "./snapshot.ts";
import type { PaimonState } from "./table_state.ts";

/** A commit, ready to be put. Its snapshot lacks only the names of the lists, which each attempt chooses anew. */
export interface StagedCommit {
  /** The state it goes on from. */
  readonly state: PaimonState;
  readonly snapshot: Omit<Snapshot, "baseManifestList" | "deltaManifestList">;
  readonly schema: PaimonSchema;
  readonly entries: readonly ManifestEntry[];
  /** Manifests that stay as they are. */
  readonly kept: readonly ManifestMeta[];
  /** Manifests that are rewritten as one. */
  readonly merged: readonly ManifestMeta[];
  readonly properties: CommitProperties;
}

/** Who commits, and when. */
export interface StageOptions {
  readonly commitUser: string;
  readonly nowMs: number;
}

/** Stages prepared files. */
export function stageChange(state: PaimonState, prepared: PreparedChange, options: StageOptions): StagedCommit {
  const { position, commitTimeMs } = prepared.change;
  return staged(state, {
    ...options,
    schema: prepared.schema,
    entries: [...prepared.deletions, ...prepared.additions],
    commitKind: prepared.truncate ? "OVERWRITE" : "APPEND",
    properties: { uuid: crypto.randomUUID(), position, commitTimeMs },
  });
}

/** Stages a commit that moves the position alone. */
export function stagePosition(state: PaimonState, position: Position | undefined, options: StageOptions): StagedCommit {
  return staged(state, {
    ...options,
    schema: state.schema,
    entries: [],
    commitKind: "APPEND",
    properties: {
      uuid: crypto.randomUUID(),
      ...(position === undefined ? {} : { position }),
      ...(state.commitTimeMs === undefined ? {} : { commitTimeMs: state.commitTimeMs }),
    },
  });
}

function staged(
  state: PaimonState,
  commit: StageOptions & Pick<StagedCommit, "schema" | "entries" | "properties"> & { readonly commitKind: CommitKind },
): StagedCommit {
  const { schema, entries, properties } = commit;
  const merged = mergeCandidates(state.manifests);
  const leaving = new Set(merged);
  const deltaRecordCount = entries.reduce(
    (sum, { _KIND, _FILE }) => _KIND === entryKind.add ? sum + _FILE._ROW_COUNT : sum - _FILE._ROW_COUNT,
    0n,
  );
  const snapshot: StagedCommit["snapshot"] = {
    id: (state.snapshotId ?? 0n) + 1n,
    schemaId: schema.id,
    commitUser: commit.commitUser,
    commitIdentifier: state.commitIdentifier + 1n,
    commitKind: commit.commitKind,
    // Time travel searches by time: it never goes back, whatever the clock does.
    timeMillis: Math.max(commit.nowMs, state.snapshot?.timeMillis ?? 0),
    totalRecordCount: (state.snapshot?.totalRecordCount ?? 0n) + deltaRecordCount,
    deltaRecordCount,
    properties: encodeProperties(properties),
    carried: state.snapshot?.carried ?? {},
  };
  return {
    state,
    snapshot,
    schema,
    entries,
    kept: state.manifests.filter((meta) => !leaving.has(meta)),
    merged,
    properties,
  };
}
