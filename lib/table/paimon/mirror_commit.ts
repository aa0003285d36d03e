/**
 * Computes a mirror's commit: what came, what left, and which snapshot it shows.
 *
 * A file that left is no longer listed, and not listed as deleted: of a deletion other tools' expiry of snapshots would remove the
 * file, which is the primary's. Manifests that list it are written anew without it.
 */
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import type { PublishedFile, PublishedSnapshot } from "../published_table.ts";
import { emptyRow } from "./binary_row.ts";
import { additionOf, type FileRecord, type ManifestEntry, noStatistics } from "./manifest.ts";
import { mergeCandidates } from "./manifest_merge.ts";
import type { MirrorSchemas } from "./mirror_schema.ts";
import { publishedStatistics } from "./published_statistics.ts";
import { onlyPlace, unpartitioned } from "./partitioning.ts";
import { encodeProperties } from "./snapshot.ts";
import type { StagedCommit } from "./stage.ts";
import { type LiveFile, liveFile, type PaimonState } from "./table_state.ts";

/** In what a mirror and a snapshot of its primary differ. */
export interface MirrorDifference {
  readonly added: readonly PublishedFile[];
  readonly removed: readonly LiveFile[];
  readonly kept: readonly LiveFile[];
  /** Whether other rows of files are deleted than before. */
  readonly isMarkedAnew: boolean;
}

/** Compares live files; deleted rows are the snapshot's from then on. */
export function mirrorDifference(
  state: Pick<PaimonState, "files" | "snapshotId">,
  snapshot: PublishedSnapshot,
): MirrorDifference {
  const byUri = new Map(state.files.map((file) => [file.externalUri ?? file.name, file]));
  const since = (state.snapshotId ?? 0n) + 1n;
  const added = snapshot.files.values().filter(({ uri }) => !byUri.has(uri)).toArray();
  let isMarkedAnew = added.some(({ deleted }) => deleted !== undefined);
  const kept: LiveFile[] = [];
  const removed: LiveFile[] = [];
  for (const [uri, file] of byUri) {
    const published = snapshot.files.get(uri);
    if (published === undefined) {
      removed.push(file);
      isMarkedAnew ||= file.deleted !== undefined;
      continue;
    }
    const marked = withDeleted(file, published, since);
    isMarkedAnew ||= marked.deleted?.since !== file.deleted?.since;
    kept.push(marked);
  }
  return { added, removed, kept, isMarkedAnew };
}

function withDeleted(file: LiveFile, { deleted: positions }: PublishedFile, since: bigint): LiveFile {
  const { deleted: before, ...rest } = file;
  if (positions === undefined) return rest;
  if (before?.positions === positions) return file;
  const isSame = before !== undefined && before.positions.count === positions.count &&
    positions.growthSince(before.positions)?.length === 0;
  return { ...rest, deleted: { positions, since: isSame ? before.since : since } };
}

/** Every data file with deleted rows, under the name that its deletion vector names it by. */
export function vectorsOf(
  { kept, added }: MirrorDifference,
): readonly { readonly name: string; readonly positions: PositionBitmap }[] {
  return [
    ...kept.flatMap(({ name, deleted }) => deleted === undefined ? [] : [{ name, positions: deleted.positions }]),
    ...added.flatMap((file) => file.deleted === undefined ? [] : [{ name: fileName(file), positions: file.deleted }]),
  ];
}

/** What a mirror's commit is made of. */
export interface MirrorChange {
  readonly snapshot: PublishedSnapshot;
  readonly difference: MirrorDifference;
  readonly schemas: MirrorSchemas;
  /** Of the new snapshot. */
  readonly indexManifest: string | undefined;
  readonly commitUser: string;
  readonly nowMs: number;
}

/** Stages the commit. No I/O. */
export function stageMirror(state: PaimonState, change: MirrorChange): StagedCommit {
  const { snapshot, difference: { added, removed, kept }, schemas, nowMs } = change;
  const id = (state.snapshotId ?? 0n) + 1n;
  const entries = added.map((file) => entryOf(file, change));
  const merged = removed.length > 0 ? state.manifests : mergeCandidates(state.manifests);
  const leaving = new Set(merged);
  const files = [...kept, ...added.map((file, index) => newFile(file, entries[index]!, id))];
  const total = files.reduce((sum, { rows }) => sum + rows, 0n);
  const properties = propertiesOf(state, snapshot);
  const { indexManifest: _, ...carried } = state.snapshot?.carried ?? {};
  return {
    state,
    snapshot: {
      id,
      schemaId: schemas.newest.id,
      commitUser: change.commitUser,
      commitIdentifier: state.commitIdentifier + 1n,
      commitKind: removed.length === 0 && !change.difference.isMarkedAnew ? "APPEND" : "OVERWRITE",
      timeMillis: Math.max(nowMs, state.snapshot?.timeMillis ?? 0),
      totalRecordCount: total,
      deltaRecordCount: total - (state.snapshot?.totalRecordCount ?? 0n),
      properties: encodeProperties(properties),
      carried: change.indexManifest === undefined ? carried : { ...carried, indexManifest: change.indexManifest },
    },
    schema: schemas.newest,
    fileSchema: schemas.newest,
    entries,
    kept: state.manifests.filter((meta) => !leaving.has(meta)),
    merged,
    properties,
    gone: new Set(removed.map(({ identity }) => identity)),
    files,
  };
}

function propertiesOf({ mirroredSnapshotId }: PaimonState, snapshot: PublishedSnapshot): StagedCommit["properties"] {
  const { snapshotId, position, commitTimeMs } = snapshot;
  const after = snapshot.after(mirroredSnapshotId);
  return {
    uuid: crypto.randomUUID(),
    ...(position === undefined ? {} : { position }),
    ...(after === undefined ? {} : { after }),
    ...(commitTimeMs === undefined ? {} : { commitTimeMs }),
    ...(snapshotId === undefined ? {} : { mirroredSnapshotId: snapshotId }),
  };
}

function newFile(file: PublishedFile, entry: ManifestEntry, since: bigint): LiveFile {
  const { deleted: positions } = file;
  return { ...liveFile(entry, unpartitioned), ...(positions === undefined ? {} : { deleted: { positions, since } }) };
}

function entryOf(file: PublishedFile, { schemas, nowMs }: MirrorChange): ManifestEntry {
  const schema = schemas.ofFile(file);
  const record: FileRecord = {
    _FILE_NAME: fileName(file),
    _FILE_SIZE: file.bytes,
    _ROW_COUNT: file.rows,
    _MIN_KEY: emptyRow,
    _MAX_KEY: emptyRow,
    _KEY_STATS: noStatistics,
    _VALUE_STATS: publishedStatistics(schema.fields, (id) => file.facts(id)),
    _MIN_SEQUENCE_NUMBER: 0n,
    _MAX_SEQUENCE_NUMBER: file.rows > 0n ? file.rows - 1n : 0n,
    _SCHEMA_ID: BigInt(schema.id),
    _LEVEL: 0,
    _EXTRA_FILES: [],
    _CREATION_TIME: BigInt(nowMs),
    _DELETE_ROW_COUNT: 0n,
    _EMBEDDED_FILE_INDEX: null,
    _FILE_SOURCE: 0,
    _VALUE_STATS_COLS: null,
    _EXTERNAL_PATH: file.uri,
    _FIRST_ROW_ID: null,
    _WRITE_COLS: null,
  };
  return additionOf(record, { place: onlyPlace, totalBuckets: -1 });
}

/**
 * The name under which a file's deleted rows are found. Files of several days have one name in folders of their own, so that the
 * folder is part of it.
 */
function fileName({ uri }: Pick<PublishedFile, "uri">): string {
  const [folder, name] = uri.split("/").slice(-2) as [string, string];
  return folder === "data" ? name : `${folder}-${name}`;
}
