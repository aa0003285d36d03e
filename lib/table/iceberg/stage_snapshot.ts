/** Computes the snapshot of a commit: its manifests, manifest list and summary, and the live files that follow from it. */
import { formatPosition } from "../../change/position.ts";
import type { ManifestEntry } from "./manifest.ts";
import { encodeManifestList, type ManifestFile } from "./manifest_list.ts";
import type { NewManifest } from "./manifest_writer.ts";
import { currentSnapshot, type Snapshot } from "./metadata.ts";
import type { IcebergPrepared } from "./prepared_change.ts";
import { ownProperties } from "./properties.ts";
import { snapshotSummary } from "./snapshot_summary.ts";
import { type StageContext, writeManifests } from "./stage_manifests.ts";
import type { IcebergState, LiveDeletes, LiveFile } from "./state.ts";

/** A file still to be written. */
export interface StagedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Entries that come and go. */
interface Draft {
  readonly addedData: readonly ManifestEntry[];
  readonly removedData: readonly LiveFile[];
  /** New deletes by data file URI. */
  readonly deletes: ReadonlyMap<string, DraftDeletes>;
  readonly operation?: "replace";
}

interface DraftDeletes {
  readonly entry: ManifestEntry;
  readonly positions: LiveDeletes["positions"];
  readonly replaces?: ManifestEntry;
}

function draftOf(state: IcebergState, prepared: IcebergPrepared): Draft {
  const own = {
    status: 1 as const,
    snapshotId: prepared.snapshotId,
    sequenceNumber: state.metadata["last-sequence-number"] + 1n,
    fileSequenceNumber: state.metadata["last-sequence-number"] + 1n,
    specId: prepared.specId,
  };
  const current = (file: LiveFile) => state.files.get(file.entry.file.file_path)!;
  const deletes = prepared.deletes.map(({ target, file, positions }): [string, DraftDeletes] => {
    const replaces = current(target).deletes?.entry;
    const entry = { ...own, specId: target.entry.specId, file };
    return [file.referenced_data_file!, { entry, positions, ...(replaces ? { replaces } : {}) }];
  });
  const { merge } = prepared;
  if (merge?.deletes !== undefined) {
    const { file, positions } = merge.deletes;
    deletes.push([file.referenced_data_file!, { entry: { ...own, file }, positions }]);
  }
  const sequenceNumber = merge?.sequenceNumber ?? own.sequenceNumber;
  const retyped = prepared.retyped?.map((each) => ({ ...own, ...each })) ?? [];
  return {
    addedData: [...retyped, ...prepared.dataFiles.map((file) => ({ ...own, sequenceNumber, file }))],
    removedData: prepared.truncate ? [...state.files.values()] : prepared.removed.map(current),
    deletes: new Map(prepared.truncate ? [] : deletes),
    ...(merge === undefined && !prepared.mergesManifests ? {} : { operation: "replace" }),
  };
}

/** A snapshot that is not on disk yet. */
export interface StagedSnapshot {
  readonly snapshot: Omit<Snapshot, "schema-id" | "timestamp-ms">;
  readonly manifests: readonly ManifestFile[];
  readonly files: ReadonlyMap<string, LiveFile>;
  /** Paths that the parent needed and this one does not. */
  readonly released: readonly string[];
  readonly staged: readonly StagedFile[];
  readonly list: StagedFile;
}

/**
 * The snapshot a prepared change makes of a state; undefined where no rows change and none is asked for. The copy of an
 * empty table has one, as that of any other: from there on the past says at which positions the table was what.
 */
export function stageSnapshot(context: StageContext): StagedSnapshot | undefined {
  const { state, prepared, storage } = context;
  const draft = draftOf(state, prepared);
  const isEmpty = draft.addedData.length + draft.removedData.length + draft.deletes.size === 0;
  const parent = currentSnapshot(state.metadata);
  const isFirstChange = parent === undefined && prepared.commitTimeMs !== undefined;
  const isWanted = isFirstChange || context.isService || prepared.mergesManifests;
  if (isEmpty && !isWanted) return undefined;
  const leavingDeletes = leavingDeletesOf(draft);
  const addedDeletes = [...draft.deletes.values()].map(({ entry }) => entry);
  const leavingData = draft.removedData.map(({ entry }) => entry);
  const data = writeManifests(context, { content: 0, leaving: leavingData, added: draft.addedData });
  const deletes = writeManifests(context, { content: 1, leaving: leavingDeletes, added: addedDeletes });
  const manifests = [...data.lines, ...deletes.lines];
  const written = [...data.written, ...deletes.written];
  const list = manifestListFile(context, manifests);
  const files = nextFiles(state, draft, written);
  return {
    snapshot: {
      "snapshot-id": prepared.snapshotId,
      ...(parent === undefined ? {} : { "parent-snapshot-id": parent["snapshot-id"] }),
      "sequence-number": state.metadata["last-sequence-number"] + 1n,
      "manifest-list": storage.uri(list.path),
      summary: { ...summaryOf(draft, leavingDeletes, parent), ...positionSummary(prepared) },
      ...rowIdsOf(state, data.nextRowId),
    },
    manifests,
    files,
    released: releasedFiles(state, { files, manifests, leaving: [...leavingData, ...leavingDeletes] })
      .map((uri) => storage.path(uri)),
    staged: written.map(({ line, bytes }) => ({ path: storage.path(line.manifest_path), bytes })),
    list,
  };
}

/** Deletes that are replaced, or whose data file leaves. */
function leavingDeletesOf(draft: Draft): ManifestEntry[] {
  return [
    ...draft.removedData.flatMap(({ deletes }) => deletes === undefined ? [] : [deletes.entry]),
    ...[...draft.deletes.values()].flatMap(({ replaces }) => replaces === undefined ? [] : [replaces]),
  ];
}

function manifestListFile(context: StageContext, manifests: readonly ManifestFile[]): StagedFile {
  const { metadata } = context.state;
  const { snapshotId } = context.prepared;
  const parent = currentSnapshot(metadata);
  const bytes = encodeManifestList(manifests, {
    formatVersion: metadata["format-version"],
    snapshotId,
    ...(parent === undefined ? {} : { parentSnapshotId: parent["snapshot-id"] }),
    sequenceNumber: metadata["last-sequence-number"] + 1n,
    firstRowId: metadata["next-row-id"] ?? 0n,
  });
  return { path: `${context.folder}/metadata/snap-${snapshotId}-1-${context.commitId}.avro`, bytes };
}

/** Row lineage (Iceberg spec, version 3): required in every snapshot, also where no row gets an id. */
function rowIdsOf({ metadata }: IcebergState, nextRowId: bigint): Pick<Snapshot, "first-row-id" | "added-rows"> {
  if (metadata["format-version"] !== 3) return {};
  const firstRowId = metadata["next-row-id"] ?? 0n;
  return { "first-row-id": firstRowId, "added-rows": nextRowId - firstRowId };
}

function summaryOf(draft: Draft, leavingDeletes: readonly ManifestEntry[], parent: Snapshot | undefined) {
  return snapshotSummary({
    addedData: draft.addedData.map(({ file }) => file),
    removedData: draft.removedData.map(({ entry }) => entry.file),
    addedDeletes: [...draft.deletes.values()].map(({ entry }) => entry.file),
    removedDeletes: leavingDeletes.map(({ file }) => file),
    ...(draft.operation === undefined ? {} : { operation: draft.operation }),
  }, parent);
}

function positionSummary(prepared: IcebergPrepared): Record<string, string> {
  return {
    ...(prepared.position === undefined ? {} : { [ownProperties.position]: formatPosition(prepared.position) }),
    ...(prepared.after === undefined ? {} : { [ownProperties.after]: formatPosition(prepared.after) }),
    ...(prepared.commitTimeMs === undefined ? {} : { [ownProperties.commitTimeMs]: String(prepared.commitTimeMs) }),
  };
}

/** A file of deletion vectors is needed while one vector of it lives. */
function releasedFiles(
  state: IcebergState,
  next: Pick<StagedSnapshot, "files" | "manifests"> & { readonly leaving: readonly ManifestEntry[] },
): string[] {
  const listed = new Set(next.manifests.map((manifest) => manifest.manifest_path));
  const left = new Set(next.leaving.map(({ file }) => file.file_path));
  if (left.size > 0) {
    for (const { deletes } of next.files.values()) {
      left.delete(deletes?.entry.file.file_path ?? "");
    }
  }
  return [...left, ...state.manifests.map((manifest) => manifest.manifest_path).filter((uri) => !listed.has(uri))];
}

/** Live files after the commit, with entries as the new manifests hold them. */
function nextFiles(state: IcebergState, draft: Draft, written: readonly NewManifest[]): Map<string, LiveFile> {
  const files = new Map(state.files);
  const live = written.flatMap(({ line, entries }) =>
    entries.filter(({ status }) => status !== 2).map((entry) => ({
      entry,
      manifest: line.manifest_path,
      content: line.content,
    }))
  );
  for (const { entry, manifest, content } of live) {
    if (content !== 0) continue;
    const deletes = files.get(entry.file.file_path)?.deletes;
    files.set(entry.file.file_path, { entry, manifest, ...(deletes === undefined ? {} : { deletes }) });
  }
  for (const { entry, manifest, content } of live) {
    if (content !== 1) continue;
    const target = entry.file.referenced_data_file!;
    const file = files.get(target)!;
    const positions = draft.deletes.get(target)?.positions ?? file.deletes!.positions;
    files.set(target, { ...file, deletes: { entry, manifest, positions } });
  }
  for (const { entry } of draft.removedData) files.delete(entry.file.file_path);
  return files;
}
