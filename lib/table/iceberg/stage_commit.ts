/**
 * Computes a commit from a state and a prepared change: manifests, manifest list, metadata, and the state that follows.
 *
 * Promise: no I/O. Staging the same files on another state that they fit gives another commit with the same snapshot id.
 */
import type { Storage } from "../../storage/storage.ts";
import { withLayout } from "./layout.ts";
import { formatMetadata, type TableMetadata } from "./metadata.ts";
import { metadataPath } from "./metadata_file.ts";
import { nextMetadata, nextVersion, type VersionEdit } from "./next_metadata.ts";
import type { IcebergPrepared } from "./prepared_change.ts";
import { registerSchema } from "./schema_evolution.ts";
import { type StagedFile, stageSnapshot } from "./stage_snapshot.ts";
import { countRows, type IcebergState, stateOf } from "./state.ts";

/** What {@linkcode stageCommit} gives: everything a commit puts. */
export interface IcebergStaged {
  readonly commitId: string;
  /** What it builds on: the difference to `next` is what a catalog is told. */
  readonly base: TableMetadata;
  readonly manifests: readonly StagedFile[];
  /** Absent where no rows change. */
  readonly manifestList?: StagedFile;
  readonly metadata: StagedFile;
  /** Path of the version this commit builds on. */
  readonly basePath: string;
  /** Metadata files that fell out of the log with this commit. */
  readonly expired: readonly string[];
  readonly snapshotId?: bigint;
  /** Paths that the snapshot before needed and this one does not. */
  readonly released: readonly string[];
  readonly next: IcebergState;
}

/** How the paths of a table are spelled, and who keeps its versions. */
export interface StagePlace {
  readonly storage: Storage;
  readonly folder: string;
  /** Whether a service keeps the versions (see `table_catalog.ts`). Default false. */
  readonly isService?: boolean;
}

/** Stages a prepared change. */
export function stageCommit(
  place: StagePlace,
  from: IcebergState,
  prepared: IcebergPrepared,
): IcebergStaged {
  const { layout } = prepared;
  const state = layout === undefined ? from : { ...from, metadata: withLayout(from.metadata, layout) };
  const version = versionEdit(place, state);
  const { schemas, schemaId } = registerSchema(state.metadata.schemas, prepared.schema);
  const schema = schemas.find((each) => each["schema-id"] === schemaId)!;
  const staged = stageSnapshot({ ...place, state, prepared, schema, commitId: version.commitId });
  const { position, lastColumnId, commitTimeMs } = prepared;
  const metadata = nextMetadata(state.metadata, {
    ...version,
    schema,
    lastColumnId,
    position,
    isRetyped: prepared.retyped !== undefined,
    ...(commitTimeMs === undefined ? {} : { commitTimeMs }),
    ...(staged === undefined ? {} : { snapshot: staged.snapshot }),
  });
  const { files, manifests } = staged ?? state;
  return {
    ...stageVersion(place, { state, metadata, commitId: version.commitId }),
    base: from.metadata,
    manifests: staged?.staged ?? [],
    ...(staged === undefined ? {} : { manifestList: staged.list, snapshotId: prepared.snapshotId }),
    released: staged?.released ?? [],
    next: stateOf({ version: state.version + 1, metadata, files, manifests }, countRows(files.values())),
  };
}

/** Stages a version in which no rows change. Progress, snapshots and properties stay as `edit` leaves them. */
export function stageMetadata(
  place: StagePlace,
  state: IcebergState,
  edit: (metadata: TableMetadata) => TableMetadata,
): IcebergStaged {
  const version = versionEdit(place, state);
  const metadata = edit(nextVersion(state.metadata, version));
  return stageVersion(place, { state, metadata, commitId: version.commitId });
}

function versionEdit(place: StagePlace, state: IcebergState): VersionEdit {
  const previousUri = place.storage.uri(metadataPath(place.folder, state.version));
  return { commitId: crypto.randomUUID(), previousUri, nowMs: Date.now() };
}

function stageVersion(
  { storage, folder, isService = false }: StagePlace,
  of: { readonly state: IcebergState; readonly metadata: TableMetadata; readonly commitId: string },
): IcebergStaged {
  const { state, metadata, commitId } = of;
  const version = state.version + 1;
  // A service writes and removes metadata files itself.
  const text = isService ? "" : formatMetadata(metadata);
  return {
    commitId,
    base: state.metadata,
    manifests: [],
    metadata: { path: metadataPath(folder, version), bytes: new TextEncoder().encode(text) },
    basePath: metadataPath(folder, state.version),
    expired: isService ? [] : expiredMetadata(storage, state.metadata, metadata),
    released: [],
    next: stateOf({ version, metadata, files: state.files, manifests: state.manifests }, state.rows),
  };
}

function expiredMetadata(storage: Storage, before: TableMetadata, after: TableMetadata): string[] {
  if (after.properties["write.metadata.delete-after-commit.enabled"] !== "true") return [];
  const kept = new Set(after["metadata-log"].map((entry) => entry["metadata-file"]));
  return before["metadata-log"].map((entry) => entry["metadata-file"]).filter((uri) => !kept.has(uri)).map((uri) =>
    storage.path(uri)
  );
}
