/** Writes the manifests of one content for a commit. */
import type { Storage } from "../../storage/storage.ts";
import type { ManifestEntry } from "./manifest.ts";
import type { ManifestFile } from "./manifest_list.ts";
import { isSmall, planManifests } from "./manifest_plan.ts";
import { type NewManifest, newManifest } from "./manifest_writer.ts";
import type { IcebergPrepared } from "./prepared_change.ts";
import { numberProperty } from "./properties.ts";
import type { IcebergSchema } from "./schema.ts";
import { type IcebergState, manifestContext } from "./state.ts";

/** What every step of staging one commit sees. */
export interface StageContext {
  readonly storage: Storage;
  readonly folder: string;
  /** Whether a commit without rows makes a snapshot all the same. */
  readonly isService?: boolean;
  readonly state: IcebergState;
  readonly prepared: IcebergPrepared;
  /** The prepared schema under its final id. */
  readonly schema: IcebergSchema;
  readonly commitId: string;
}

/** Entries of one content (0 data, 1 deletes) that come and go. */
export interface ContentChange {
  readonly content: 0 | 1;
  readonly leaving: readonly ManifestEntry[];
  readonly added: readonly ManifestEntry[];
}

/** The manifests of one content after the commit. */
export interface WrittenManifests {
  /** All of them, new ones first. */
  readonly lines: readonly ManifestFile[];
  readonly written: readonly NewManifest[];
  readonly nextRowId: bigint;
}

/** Encodes the new manifests; the others stay as they are. */
export function writeManifests(context: StageContext, change: ContentChange): WrittenManifests {
  const { state, prepared, storage, folder, commitId } = context;
  const { metadata } = state;
  const plan = planManifests({
    manifests: state.manifests.filter(({ content }) => content === change.content),
    live: liveEntries(state, change.content),
    leaving: new Set(change.leaving),
    added: change.added,
    snapshotId: prepared.snapshotId,
    mergeFrom: prepared.mergesManifests ? 2 : numberProperty(metadata, "commit.manifest.min-count-to-merge"),
    targetBytes: numberProperty(metadata, "commit.manifest.target-size-bytes"),
  });
  const takesRowIds = metadata["format-version"] === 3 && change.content === 0;
  let nextRowId = metadata["next-row-id"] ?? 0n;
  const written = plan.groups.map((entries, index) => {
    const name = `${commitId}-${change.content === 0 ? "m" : "d"}${index}.avro`;
    const manifest = newManifest(entries, {
      ...manifestContext(metadata, entries[0]!.specId),
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

/** Small manifests of a content that are no trouble to a reader. */
const fewManifests = 4;

/** Small manifests that a rewrite would make few, where there are more than some of a content. */
export function mergeableManifests(state: IcebergState): number {
  const targetBytes = numberProperty(state.metadata, "commit.manifest.target-size-bytes");
  const counts = ([0, 1] as const).map((content) => {
    const live = liveEntries(state, content);
    return state.manifests.filter((manifest) => {
      return manifest.content === content &&
        isSmall(manifest, live.get(manifest.manifest_path)?.length ?? 0, targetBytes);
    }).length;
  });
  return counts.reduce((sum, count) => count > fewManifests ? sum + count : sum, 0);
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
