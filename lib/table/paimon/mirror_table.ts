/**
 * A Paimon table without a key over the files of another table: its snapshots, manifests, schemas and deletion vectors are its own.
 */
import { formatPosition } from "../../change/position.ts";
import type { CommitResult } from "../../change/sink.ts";
import { WeirError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import { type MirroredPoint, mirrorOfProperty, type MirrorTable, type PublishedSnapshot } from "../published_table.ts";
import type { Expiry, UpkeepPolicy } from "../upkeep.ts";
import { putCommit } from "./commit.ts";
import { encodeVectors } from "./deletion_index.ts";
import { expireSnapshots } from "./expiry.ts";
import { referencedPaths } from "./file_references.ts";
import { encodeIndexManifest, vectorsEntry } from "./index_manifest.ts";
import { tableLayout } from "./layout.ts";
import { emptyState, loadState } from "./load_state.ts";
import { MetadataReader } from "./metadata_reader.ts";
import { type MirrorDifference, mirrorDifference, stageMirror, vectorsOf } from "./mirror_commit.ts";
import { putSchemas } from "./mirror_schema.ts";
import { decodeProperties, type Snapshot } from "./snapshot.ts";
import type { PaimonState } from "./table_state.ts";

/** Where a mirror is kept. */
export interface PaimonMirrorOptions {
  readonly storage: Storage;
  /** Warehouse folder below the storage root. */
  readonly folder: string;
  readonly namespace: string;
  readonly name: string;
  /** Of a mirror that is made: for so long its snapshots can be read, milliseconds. */
  readonly keepMs: number;
}

/** That of a written table too: whoever reads the position looks for it. */
const commitUser = "weir";

/** A {@linkcode MirrorTable} in Paimon. */
export class PaimonMirror implements MirrorTable {
  readonly format = "paimon";
  readonly location: string;
  readonly #options: PaimonMirrorOptions;
  readonly #reader: MetadataReader;
  readonly #snapshots = new Map<bigint, Snapshot>();
  readonly #knownTags = new Map<string, ReadonlySet<string>>();
  #newest: PaimonState | undefined;
  #isHeld = false;

  constructor(options: PaimonMirrorOptions) {
    this.#options = options;
    this.#reader = new MetadataReader(options.storage, tableLayout(options.folder, options));
    this.location = options.storage.uri(this.#reader.layout.folder);
  }

  async load(): Promise<MirroredPoint | undefined> {
    const state = await this.#load();
    if (state?.snapshotId === undefined) return undefined;
    const { mirroredSnapshotId, position } = state;
    return {
      ...(mirroredSnapshotId === undefined ? {} : { snapshotId: mirroredSnapshotId }),
      ...(position === undefined ? {} : { position }),
    };
  }

  async publish(snapshot: PublishedSnapshot): Promise<CommitResult> {
    const nowMs = Date.now();
    const { storage, keepMs } = this.#options;
    const found = await this.#load();
    // One that is made again has lost it.
    this.#isHeld &&= found?.snapshotId !== undefined;
    await this.#hold();
    const difference = mirrorDifference(found ?? { files: [] }, snapshot);
    const place = { storage, reader: this.#reader, keepMs, nowMs };
    const schemas = await putSchemas(place, snapshot, difference.added);
    const state = found ?? emptyState(schemas.newest);
    if (isShown(state, { snapshot, difference, schemaId: schemas.newest.id })) {
      return { outcome: "committed", snapshotId: state.snapshotId!, rows: state.rows };
    }
    const index = await this.#putIndex(state, difference);
    const staged = stageMirror(
      { ...state, schemas: new Map([...state.schemas, [schemas.newest.id, schemas.newest]]) },
      { snapshot, difference, schemas, commitUser, nowMs, indexManifest: index.manifest },
    );
    const { result, next } = await putCommit(staged, { storage, reader: this.#reader });
    this.#newest = next;
    if (result.outcome === "conflict" || result.outcome === "retryable") {
      for (const path of index.paths) await storage.delete(path);
    }
    return result;
  }

  async shown(policy: UpkeepPolicy, nowMs: number): Promise<readonly bigint[]> {
    const state = await this.#load();
    if (state?.snapshotId === undefined) return [];
    const earliest = await this.#reader.earliestSnapshotId() ?? state.snapshotId;
    for (const id of this.#snapshots.keys()) if (id < earliest) this.#snapshots.delete(id);
    const since = nowMs - Math.max(policy.keepSnapshotsMs, this.#options.keepMs);
    const shown: bigint[] = [];
    for (let id = state.snapshotId, until = Infinity; id >= earliest && until >= since; id--) {
      const snapshot = this.#snapshots.get(id) ?? await this.#reader.snapshot(id);
      if (snapshot === undefined) break;
      this.#snapshots.set(id, snapshot);
      until = snapshot.timeMillis;
      const mirrored = decodeProperties(snapshot)?.mirroredSnapshotId;
      if (mirrored !== undefined) shown.unshift(mirrored);
    }
    return shown;
  }

  async expire(
    policy: UpkeepPolicy,
    { nowMs, dryRun = false }: { readonly nowMs: number; readonly dryRun?: boolean },
  ): Promise<Expiry> {
    const state = await this.#load();
    if (state === undefined) return { snapshots: 0, unneeded: [] };
    const at = { storage: this.#options.storage, reader: this.#reader, knownTags: this.#knownTags };
    return await expireSnapshots(state, { ...at, policy, nowMs, dryRun });
  }

  async referenced(): Promise<ReadonlySet<string>> {
    const state = await this.#load();
    return await referencedPaths(this.#reader, { newest: state?.snapshotId, known: this.#knownTags });
  }

  async #load(): Promise<PaimonState | undefined> {
    const known = this.#newest;
    if (known?.snapshotId !== undefined && await this.#reader.snapshot(known.snapshotId + 1n) === undefined) {
      return known;
    }
    const state = await loadState(this.#reader, commitUser);
    if (state !== undefined && state.schema.options[mirrorOfProperty] === undefined) throw this.#taken();
    return this.#newest = state;
  }

  /**
   * Keeps other tools from expiring snapshots: with one that says that files were deleted, of a merge by such a tool, Paimon would
   * remove the files themselves, which are the primary's. It waits for a consumer that has still to read them.
   */
  async #hold(): Promise<void> {
    if (this.#isHeld) return;
    await this.#options.storage.putIfAbsent(
      this.#reader.layout.ownConsumer,
      new TextEncoder().encode('{"nextSnapshot":1}'),
    );
    this.#isHeld = true;
  }

  /** All deleted rows in one index file: releases of pypaimon before 2.0 read one alone. */
  async #putIndex(
    state: PaimonState,
    difference: MirrorDifference,
  ): Promise<{ readonly manifest: string | undefined; readonly paths: readonly string[] }> {
    const before = state.snapshot?.carried.indexManifest;
    if (!difference.isMarkedAnew) return { manifest: typeof before === "string" ? before : undefined, paths: [] };
    const vectors = vectorsOf(difference);
    if (vectors.length === 0) return { manifest: undefined, paths: [] };
    const { storage } = this.#options;
    const { layout } = this.#reader;
    const id = crypto.randomUUID();
    const { bytes, ranges } = encodeVectors(vectors);
    const file = { name: `index-${id}-0`, bytes: bytes.length, ranges };
    const manifest = `index-manifest-${id}-0`;
    await storage.putIfAbsent(layout.index(file.name), bytes);
    await storage.putIfAbsent(layout.manifest(manifest), encodeIndexManifest([vectorsEntry(file)]));
    return { manifest, paths: [layout.index(file.name), layout.manifest(manifest)] };
  }

  #taken(): WeirError {
    const table = `${this.#options.namespace}.${this.#options.name}`;
    return new WeirError(
      "precondition",
      `Cannot mirror ${table} as Paimon: a Paimon table that is no mirror stands there`,
      {
        detail: { table, path: this.#reader.layout.folder },
        advice: "Leave paimon in --formats if a job writes that table, or use another --lake",
      },
    );
  }
}

interface Shown {
  readonly snapshot: PublishedSnapshot;
  readonly difference: MirrorDifference;
  readonly schemaId: number;
}

/** Whether nothing is to be committed. */
function isShown(state: PaimonState, { snapshot, difference, schemaId }: Shown): boolean {
  const { added, removed, isMarkedAnew } = difference;
  if (state.snapshotId === undefined || added.length + removed.length > 0 || isMarkedAnew) return false;
  const text = (position: PaimonState["position"]) => position && formatPosition(position);
  return state.schema.id === schemaId && state.mirroredSnapshotId === snapshot.snapshotId &&
    text(state.position) === text(snapshot.position);
}
