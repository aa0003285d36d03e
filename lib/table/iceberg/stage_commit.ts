/**
 * Computes a commit from a state and a prepared change: manifests, manifest list, metadata, and the state that follows.
 *
 * Promise: no I/O. Staging the same files on another state that they fit gives another commit with the same snapshot id.
 */
import { stringifyJson } from "../lossless_json.ts";
import type { Storage } from "../../storage/storage.ts";
import type { ManifestEntry } from "./manifest.ts";
import { encodeManifestList, type ManifestFile } from "./manifest_list.ts";
import { planManifests } from "./manifest_plan.ts";
import { type NewManifest, newManifest } from "./manifest_writer.ts";
import { currentSnapshot, type Snapshot, type TableMetadata } from "./metadata.ts";
import { metadataPath } from "./metadata_file.ts";
import { nextMetadata } from "./next_metadata.ts";
import type { IcebergPrepared } from "./prepared_change.ts";
import { numberProperty, ownProperties } from "./properties.ts";
import { formatPosition } from "../../change/position.ts";
import type { IcebergSchema } from "./schema.ts";
import { registerSchema } from "./schema_evolution.ts";
import { snapshotSummary } from "./snapshot_summary.ts";
import { countRows, type IcebergState, type LiveDeletes, type LiveFile, manifestContext, stateOf } from "./state.ts";

/** A file still to be written. */
export interface StagedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

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
  const draft = draftOf(state, prepared);
  const rowsChange = draft.addedData.length + draft.removedData.length + draft.deletes.size > 0;
  const { schemas, schemaId } = registerSchema(state.metadata.schemas, prepared.schema);
  const schema = schemas.find((each) => each["schema-id"] === schemaId)!;
  const context: StageContext = { ...place, state, prepared, schema, commitId };
  const written = rowsChange ? writeSnapshot(context, draft) : undefined;
  const metadata = nextMetadata(state.metadata, {
    schema,
    lastColumnId: prepared.lastColumnId,
    position: prepared.position,
    ...(prepared.commitTimeMs === undefined ? {} : { commitTimeMs: prepared.commitTimeMs }),
    commitId,
    ...(written === undefined ? {} : { snapshot: written.snapshot }),
    previousUri: place.storage.uri(metadataPath(place.folder, state.version)),
    nowMs: Date.now(),
  });
  const version = state.version + 1;
  const files = written?.files ?? state.files;
  const next = stateOf(
    { version, metadata, files, manifests: written?.manifests ?? state.manifests },
    countRows(files.values()),
  );
  return {
    commitId,
    manifests: written?.staged ?? [],
    ...(written === undefined ? {} : { manifestList: written.list, snapshotId: prepared.snapshotId }),
    metadata: { path: metadataPath(place.folder, version), bytes: new TextEncoder().encode(stringifyJson(metadata)) },
    basePath: metadataPath(place.folder, state.version),
    expired: expiredMetadata(place.storage, state.metadata, metadata),
    next,
  };
}

interface StageContext {
  readonly storage: Storage;
  readonly folder: string;
  readonly state: IcebergState;
  readonly prepared: IcebergPrepared;
  /** The prepared schema under its final id. */
  readonly schema: IcebergSchema;
  readonly commitId: string;
}

/** Entries that come and go. */
interface Draft {
  readonly addedData: readonly ManifestEntry[];
  readonly removedData: readonly LiveFile[];
  /** New deletes by data file URI, with what they replace. */
  readonly deletes: ReadonlyMap<
    string,
    { entry: ManifestEntry; positions: LiveDeletes["positions"]; replaces?: ManifestEntry }
  >;
}

function draftOf(state: IcebergState, prepared: IcebergPrepared): Draft {
  const own = {
    status: 1 as const,
    snapshotId: prepared.snapshotId,
    sequenceNumber: state.metadata["last-sequence-number"] + 1n,
    fileSequenceNumber: state.metadata["last-sequence-number"] + 1n,
  };
  const current = (file: LiveFile) => state.files.get(file.entry.file.file_path)!;
  const deletes = prepared.deletes.map(({ target, file, positions }) => {
    const replaces = current(target).deletes?.entry;
    return [file.referenced_data_file!, {
      entry: { ...own, file },
      positions,
      ...(replaces ? { replaces } : {}),
    }] as const;
  });
  return {
    addedData: prepared.dataFiles.map((file) => ({ ...own, file })),
    removedData: prepared.truncate ? [...state.files.values()] : prepared.removed.map(current),
    deletes: new Map(prepared.truncate ? [] : deletes),
  };
}

interface WrittenSnapshot {
  readonly snapshot: Omit<Snapshot, "schema-id" | "timestamp-ms">;
  readonly manifests: readonly ManifestFile[];
  readonly files: ReadonlyMap<string, LiveFile>;
  readonly staged: readonly StagedFile[];
  readonly list: StagedFile;
}

function writeSnapshot(context: StageContext, draft: Draft): WrittenSnapshot {
  const { state, prepared, storage, folder, commitId } = context;
  const { metadata } = state;
  const leavingDeletes = [
    ...draft.removedData.flatMap(({ deletes }) => deletes === undefined ? [] : [deletes.entry]),
    ...[...draft.deletes.values()].flatMap(({ replaces }) => replaces === undefined ? [] : [replaces]),
  ];
  const firstRowId = metadata["next-row-id"] ?? 0n;
  const data = writeManifests(context, {
    content: 0,
    leaving: draft.removedData.map(({ entry }) => entry),
    added: draft.addedData,
  });
  const deletes = writeManifests(context, {
    content: 1,
    leaving: leavingDeletes,
    added: [...draft.deletes.values()].map(({ entry }) => entry),
  });
  const manifests = [...data.lines, ...deletes.lines];
  const parent = currentSnapshot(metadata);
  const sequenceNumber = metadata["last-sequence-number"] + 1n;
  const listPath = `${folder}/metadata/snap-${prepared.snapshotId}-1-${commitId}.avro`;
  const bytes = encodeManifestList(manifests, {
    formatVersion: metadata["format-version"],
    snapshotId: prepared.snapshotId,
    ...(parent === undefined ? {} : { parentSnapshotId: parent["snapshot-id"] }),
    sequenceNumber,
    firstRowId,
  });
  const isVersion3 = metadata["format-version"] === 3;
  return {
    snapshot: {
      "snapshot-id": prepared.snapshotId,
      ...(parent === undefined ? {} : { "parent-snapshot-id": parent["snapshot-id"] }),
      "sequence-number": sequenceNumber,
      "manifest-list": storage.uri(listPath),
      summary: { ...summaryOf(draft, leavingDeletes, parent), ...positionSummary(prepared) },
      ...(isVersion3 ? { "first-row-id": firstRowId, "added-rows": data.nextRowId - firstRowId } : {}),
    },
    manifests,
    files: nextFiles(state, draft, [...data.written, ...deletes.written]),
    staged: [...data.written, ...deletes.written].map(({ line, bytes }) => ({
      path: storage.path(line.manifest_path),
      bytes,
    })),
    list: { path: listPath, bytes },
  };
}

function summaryOf(draft: Draft, leavingDeletes: readonly ManifestEntry[], parent: Snapshot | undefined) {
  return snapshotSummary({
    addedData: draft.addedData.map(({ file }) => file),
    removedData: draft.removedData.map(({ entry }) => entry.file),
    addedDeletes: [...draft.deletes.values()].map(({ entry }) => entry.file),
    removedDeletes: leavingDeletes.map(({ file }) => file),
  }, parent);
}

function positionSummary(prepared: IcebergPrepared): Record<string, string> {
  return {
    [ownProperties.position]: formatPosition(prepared.position),
    ...(prepared.commitTimeMs === undefined ? {} : { [ownProperties.commitTimeMs]: String(prepared.commitTimeMs) }),
  };
}

interface ContentChange {
  readonly content: 0 | 1;
  readonly leaving: readonly ManifestEntry[];
  readonly added: readonly ManifestEntry[];
}

interface WrittenManifests {
  readonly lines: readonly ManifestFile[];
  readonly written: readonly NewManifest[];
  readonly nextRowId: bigint;
}

function writeManifests(context: StageContext, change: ContentChange): WrittenManifests {
  const { state, prepared, storage, folder, commitId } = context;
  const { metadata } = state;
  const plan = planManifests({
    manifests: state.manifests.filter(({ content }) => content === change.content),
    live: liveEntries(state, change.content),
    leaving: new Set(change.leaving),
    added: change.added,
    snapshotId: prepared.snapshotId,
    mergeFrom: numberProperty(metadata, "commit.manifest.min-count-to-merge"),
    targetBytes: numberProperty(metadata, "commit.manifest.target-size-bytes"),
  });
  const takesRowIds = metadata["format-version"] === 3 && change.content === 0;
  let nextRowId = metadata["next-row-id"] ?? 0n;
  const written = plan.groups.map((entries, index) => {
    const name = `${commitId}-${change.content === 0 ? "m" : "d"}${index}.avro`;
    const manifest = newManifest(entries, {
      ...manifestContext(metadata),
      schema: context.schema,
      content: change.content,
      uri: storage.uri(`${folder}/metadata/${name}`),
      snapshotId: prepared.snapshotId,
      sequenceNumber: metadata["last-sequence-number"] + 1n,
      firstRowId: takesRowIds ? nextRowId : null,
    });
    // The reference writer reserves ids for rows that have theirs already too: gaps are allowed, overlaps are not.
    nextRowId += manifest.line.added_rows_count + manifest.line.existing_rows_count;
    return manifest;
  });
  return { lines: [...written.map(({ line }) => line), ...plan.kept], written, nextRowId };
}

function liveEntries(state: IcebergState, content: 0 | 1): Map<string, ManifestEntry[]> {
  const found = new Map<string, ManifestEntry[]>();
  for (const { entry, manifest, deletes } of state.files.values()) {
    const listed = content === 0 ? { entry, manifest } : deletes;
    if (listed === undefined) continue;
    const entries = found.get(listed.manifest);
    if (entries === undefined) found.set(listed.manifest, [listed.entry]);
    else entries.push(listed.entry);
  }
  return found;
}

/** Live files after the commit, with entries as the new manifests hold them. */
function nextFiles(state: IcebergState, draft: Draft, written: readonly NewManifest[]): Map<string, LiveFile> {
  const files = new Map(state.files);
  for (const { line, entries } of written) {
    for (const entry of entries) {
      if (line.content === 1 || entry.status === 2) continue;
      const deletes = files.get(entry.file.file_path)?.deletes;
      files.set(entry.file.file_path, {
        entry,
        manifest: line.manifest_path,
        ...(deletes === undefined ? {} : { deletes }),
      });
    }
  }
  for (const { line, entries } of written) {
    for (const entry of entries) {
      const target = entry.file.referenced_data_file;
      if (line.content === 0 || entry.status === 2 || target === null) continue;
      const file = files.get(target)!;
      const positions = draft.deletes.get(target)?.positions ?? file.deletes!.positions;
      files.set(target, { ...file, deletes: { entry, manifest: line.manifest_path, positions } });
    }
  }
  for (const { entry } of draft.removedData) files.delete(entry.file.file_path);
  return files;
}

function expiredMetadata(storage: Storage, before: TableMetadata, after: TableMetadata): string[] {
  if (after.properties["write.metadata.delete-after-commit.enabled"] !== "true") return [];
  const kept = new Set(after["metadata-log"].map((entry) => entry["metadata-file"]));
  return before["metadata-log"].map((entry) => entry["metadata-file"]).filter((uri) => !kept.has(uri)).map((uri) =>
    storage.path(uri)
  );
}
