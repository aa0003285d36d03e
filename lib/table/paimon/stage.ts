/** What a commit will put, computed from a state and prepared files alone. */
import type { Position } from "../../change/position.ts";
import { entryKind, type ManifestEntry, type ManifestMeta } from "./manifest.ts";
import { mergeCandidates } from "./manifest_merge.ts";
import type { PaimonPrepared, PreparedRewrite } from "./prepared.ts";
import type { PaimonSchema } from "./schema.ts";
import { type CommitKind, type CommitProperties, encodeProperties, type Snapshot } from "./snapshot.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/** A commit, ready to be put. Its snapshot lacks only the names of the lists, which each attempt chooses anew. */
export interface StagedCommit {
  /** The state it goes on from. */
  readonly state: PaimonState;
  readonly snapshot: Omit<Snapshot, "baseManifestList" | "deltaManifestList">;
  readonly schema: PaimonSchema;
  /** Schema of the files that are added. */
  readonly fileSchema: PaimonSchema;
  readonly entries: readonly ManifestEntry[];
  /** Manifests that stay as they are. */
  readonly kept: readonly ManifestMeta[];
  /** Manifests that are rewritten as one. */
  readonly merged: readonly ManifestMeta[];
  readonly properties: CommitProperties;
  /** Identities that leave without a word: a deletion would let other tools' expiry remove the file (`mirror_commit.ts`). */
  readonly gone?: ReadonlySet<string>;
  /** Live files afterwards. Default: what the entries say. */
  readonly files?: readonly LiveFile[];
}

/** What tells the upkeep's commit user from the writer's. */
const upkeepSuffix = "-upkeep";

/** Who writes, and when. */
export interface StageOptions {
  readonly commitUser: string;
  readonly nowMs: number;
}

/** Stages prepared files. */
export function stagePrepared(state: PaimonState, prepared: PaimonPrepared, options: StageOptions): StagedCommit {
  if ("rewrite" in prepared) return stageRewrite(state, prepared, options);
  return staged(state, {
    ...options,
    schema: prepared.schema,
    fileSchema: prepared.schema,
    entries: [...prepared.deletions, ...prepared.additions],
    commitKind: prepared.truncate ? "OVERWRITE" : "APPEND",
    properties: { uuid: crypto.randomUUID(), ...prepared.change },
  });
}

/**
 * Stages files that take the place of others. Its user is another than the writer's, whose identifiers would seem to be
 * committed otherwise; the writer's progress is carried on beside the position.
 */
function stageRewrite(state: PaimonState, prepared: PreparedRewrite, options: StageOptions): StagedCommit {
  return staged(state, {
    commitUser: `${options.commitUser}${upkeepSuffix}`,
    nowMs: options.nowMs,
    schema: prepared.schema ?? state.schema,
    fileSchema: prepared.fileSchema,
    entries: [...prepared.deletions, ...prepared.additions],
    commitKind: prepared.rewrite,
    properties: {
      uuid: crypto.randomUUID(),
      ...(state.position === undefined ? {} : { position: state.position, after: state.position }),
      ...(state.commitTimeMs === undefined ? {} : { commitTimeMs: state.commitTimeMs }),
      writer: { user: options.commitUser, identifier: state.commitIdentifier },
    },
  });
}

/** Stages a commit that moves the position alone. */
export function stagePosition(state: PaimonState, position: Position | undefined, options: StageOptions): StagedCommit {
  return staged(state, {
    ...options,
    schema: state.schema,
    fileSchema: state.schema,
    entries: [],
    commitKind: "APPEND",
    properties: {
      uuid: crypto.randomUUID(),
      ...(position === undefined ? {} : { position, after: position }),
      ...(state.commitTimeMs === undefined ? {} : { commitTimeMs: state.commitTimeMs }),
    },
  });
}

function staged(
  state: PaimonState,
  commit: StageOptions & Pick<StagedCommit, "schema" | "fileSchema" | "entries" | "properties"> & {
    readonly commitKind: CommitKind;
  },
): StagedCommit {
  const { schema, fileSchema, entries, properties } = commit;
  const merged = mergeCandidates(state.manifests);
  const leaving = new Set(merged);
  const deltaRecordCount = entries.reduce(
    (sum, { _KIND, _FILE }) => _KIND === entryKind.add ? sum + _FILE._ROW_COUNT : sum - _FILE._ROW_COUNT,
    0n,
  );
  const id = (state.snapshotId ?? 0n) + 1n;
  const snapshot: StagedCommit["snapshot"] = {
    id,
    schemaId: schema.id,
    commitUser: commit.commitUser,
    // The upkeep's own identifiers only have to rise.
    commitIdentifier: properties.writer === undefined ? state.commitIdentifier + 1n : id,
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
    fileSchema,
    entries,
    kept: state.manifests.filter((meta) => !leaving.has(meta)),
    merged,
    properties,
  };
}
