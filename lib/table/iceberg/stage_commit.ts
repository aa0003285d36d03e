/**
 * Computes a commit from a state and a prepared change: manifests, manifest list, metadata, and the state that follows.
 *
 * Promise: no I/O. Staging the same files on another state that they fit gives another commit with the same snapshot id.
 */
import type { Storage } from "../../storage/storage.ts";
import { stringifyJson } from "../lossless_json.ts";
import type { TableMetadata } from "./metadata.ts";
import { metadataPath } from "./metadata_file.ts";
import { nextMetadata } from "./next_metadata.ts";
import type { IcebergPrepared } from "./prepared_change.ts";
import { registerSchema } from "./schema_evolution.ts";
import { type StagedFile, stageSnapshot } from "./stage_snapshot.ts";
import { countRows, type IcebergState, stateOf } from "./state.ts";

/** What {@linkcode stageCommit} gives: everything a commit puts. */
export interface IcebergStaged {
  readonly commitId: string;
  readonly manifests: readonly StagedFile[];
  /** Absent where no rows change. */
  readonly manifestList?: StagedFile;
  readonly metadata: StagedFile;
  /** Path of the version this commit builds on. */
  readonly basePath: string;
  /** Metadata files that fell out of the log with this commit. */
  readonly expired: readonly string[];
  readonly snapshotId?: bigint;
  readonly next: IcebergState;
}

/** Stages a prepared change. `place` is only asked how paths are spelled. */
export function stageCommit(
  place: { readonly storage: Storage; readonly folder: string },
  state: IcebergState,
  prepared: IcebergPrepared,
): IcebergStaged {
  const commitId = crypto.randomUUID();
  const { schemas, schemaId } = registerSchema(state.metadata.schemas, prepared.schema);
  const schema = schemas.find((each) => each["schema-id"] === schemaId)!;
  const staged = stageSnapshot({ ...place, state, prepared, schema, commitId });
  const { position, lastColumnId, commitTimeMs } = prepared;
  const metadata = nextMetadata(state.metadata, {
    schema,
    lastColumnId,
    position,
    ...(commitTimeMs === undefined ? {} : { commitTimeMs }),
    commitId,
    ...(staged === undefined ? {} : { snapshot: staged.snapshot }),
    previousUri: place.storage.uri(metadataPath(place.folder, state.version)),
    nowMs: Date.now(),
  });
  const version = state.version + 1;
  const { files, manifests } = staged ?? state;
  return {
    commitId,
    manifests: staged?.staged ?? [],
    ...(staged === undefined ? {} : { manifestList: staged.list, snapshotId: prepared.snapshotId }),
    metadata: { path: metadataPath(place.folder, version), bytes: new TextEncoder().encode(stringifyJson(metadata)) },
    basePath: metadataPath(place.folder, state.version),
    expired: expiredMetadata(place.storage, state.metadata, metadata),
    next: stateOf({ version, metadata, files, manifests }, countRows(files.values())),
  };
}

function expiredMetadata(storage: Storage, before: TableMetadata, after: TableMetadata): string[] {
  if (after.properties["write.metadata.delete-after-commit.enabled"] !== "true") return [];
  const kept = new Set(after["metadata-log"].map((entry) => entry["metadata-file"]));
  return before["metadata-log"].map((entry) => entry["metadata-file"]).filter((uri) => !kept.has(uri)).map((uri) =>
    storage.path(uri)
  );
}
