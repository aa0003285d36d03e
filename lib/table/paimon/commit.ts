/**
 * Putting a staged commit: schema, manifests, lists, then the snapshot, whose name can be taken only once. A crash before
 * that leaves files that nobody refers to; a crash after it leaves hints behind, which the next load mends.
 */
import type { CommitResult } from "../../change/sink.ts";
import { failPoint } from "../../fail_point.ts";
import type { Storage } from "../../storage/storage.ts";
import {
  encodeManifest,
  encodeManifestList,
  entryIdentity,
  entryKind,
  type ManifestEntry,
  type ManifestMeta,
  mergeEntries,
} from "./manifest.ts";
import { fullManifestEntries } from "./manifest_merge.ts";
import { schemaState } from "./load_state.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import { Partitioning } from "./partitioning.ts";
import { encodeSchema, type PaimonSchema, sameSchema } from "./schema.ts";
import { decodeProperties, encodeSnapshot, type Snapshot } from "./snapshot.ts";
import type { StagedCommit } from "./stage.ts";
import { liveFile, type PaimonState, raiseSequenceNumbers, withEntries } from "./table_state.ts";

/** What {@linkcode putCommit} works with. */
export interface CommitOptions {
  readonly storage: Storage;
  readonly reader: MetadataReader;
}

/** How it ended, with the table's next state where it was ours that was put. */
export interface PutResult {
  readonly result: CommitResult;
  readonly next?: PaimonState;
}

/** Puts a commit. Errors become outcomes: before the snapshot nothing has happened, at the snapshot anything may have. */
export async function putCommit(staged: StagedCommit, options: CommitOptions): Promise<PutResult> {
  const attempt = new Attempt(staged, options);
  let next: PaimonState;
  try {
    if (await isExpired(staged.state.snapshotId, options)) return { result: { outcome: "conflict" } };
    if (!await putSchema(staged.schema, { ...options, staged })) return { result: { outcome: "conflict" } };
    await failPoint("paimon.afterSchema");
    next = await attempt.putMetadata();
    await failPoint("paimon.beforeCommit");
  } catch (cause) {
    await attempt.removeMetadata();
    return { result: { outcome: "retryable", cause } };
  }
  try {
    if (!await attempt.putSnapshot(next.snapshot!) && !await isPut(staged, options.reader)) {
      await attempt.removeMetadata();
      return { result: { outcome: "conflict" } };
    }
    if (await isPast(staged, options)) return { result: await attempt.takeBack(next.snapshot!) };
    await failPoint("paimon.afterCommit");
    await putHints(next.snapshot!, options);
    await failPoint("paimon.afterHints");
    return { next, result: { outcome: "committed", snapshotId: next.snapshotId!, rows: next.rows } };
  } catch (cause) {
    return { result: { outcome: "unknown", cause } };
  }
}

/** Whether a commit is in the table's history: its snapshot's id is known, so one look is enough. */
export async function isPut(staged: StagedCommit, reader: MetadataReader): Promise<boolean> {
  const found = await reader.snapshot(staged.snapshot.id);
  return found !== undefined && decodeProperties(found)?.uuid === staged.properties.uuid &&
    found.commitUser === staged.snapshot.commitUser &&
    found.commitIdentifier === staged.snapshot.commitIdentifier;
}

/** Whether the snapshot that a commit goes on from has left: then the name that it would take may be free again. */
async function isExpired(base: bigint | undefined, { storage, reader }: CommitOptions): Promise<boolean> {
  return base !== undefined && await storage.stat(reader.layout.snapshot(base)) === undefined;
}

/** Whether a snapshot that was just put took a name that others had used and left: nobody will see it. */
async function isPast({ state, snapshot }: StagedCommit, options: CommitOptions): Promise<boolean> {
  return await isExpired(state.snapshotId, options) && (await options.reader.newestSnapshotId())! > snapshot.id;
}

/** Writes the hints to the newest snapshot and, once, to the oldest. Readers without a listing go by them. */
export async function putHints({ id }: Pick<Snapshot, "id">, { storage, reader }: CommitOptions): Promise<void> {
  const text = new TextEncoder().encode(String(id));
  await storage.put(reader.layout.latestHint, text);
  if (id === 1n) await storage.put(reader.layout.earliestHint, text);
}

/** Whether the schema file is there as this commit needs it. A file that a stopped attempt wrote is taken up. */
async function putSchema(
  schema: PaimonSchema,
  { storage, reader, staged }: CommitOptions & { readonly staged: StagedCommit },
): Promise<boolean> {
  if (schema.id === staged.state.schema.id) return true;
  if (await storage.putIfAbsent(reader.layout.schema(schema.id), encodeSchema(schema))) return true;
  return sameSchema(await reader.requiredSchema(schema.id), schema);
}

/** One try at putting a commit, under names of its own. */
class Attempt {
  readonly #staged: StagedCommit;
  readonly #storage: Storage;
  readonly #reader: MetadataReader;
  readonly #id = crypto.randomUUID();
  #sizes = { baseManifestListSize: 0, deltaManifestListSize: 0 };
  #names: string[] = [];
  #count = 0;

  constructor(staged: StagedCommit, { storage, reader }: CommitOptions) {
    this.#staged = staged;
    this.#storage = storage;
    this.#reader = reader;
  }

  /** Writes manifests and lists. Gives the table's state once the snapshot is put. */
  async putMetadata(): Promise<PaimonState> {
    const { kept, merged, entries } = this.#staged;
    const read = await Promise.all(merged.map((meta) => this.#reader.manifest(meta)));
    const gone = this.#staged.gone ?? new Set();
    const rewritten = await this.#putManifests(
      mergeEntries(read.flat()).filter((entry) => !gone.has(entryIdentity(entry))),
    );
    const delta = await this.#putManifests(entries);
    await failPoint("paimon.afterManifests");
    const base = [...rewritten, ...kept];
    const [baseList, deltaList] = await Promise.all([this.#putList(base), this.#putList(delta)]);
    this.#sizes = { baseManifestListSize: baseList.bytes, deltaManifestListSize: deltaList.bytes };
    await failPoint("paimon.afterManifestLists");
    return nextState(this.#staged, {
      manifests: [...base, ...delta],
      lists: { baseManifestList: baseList.name, deltaManifestList: deltaList.name },
    });
  }

  async putSnapshot(snapshot: Snapshot): Promise<boolean> {
    const bytes = encodeSnapshot({ ...snapshot, ...this.#sizes });
    return await this.#storage.putIfAbsent(this.#reader.layout.snapshot(snapshot.id), bytes);
  }

  /** Removes a snapshot that nobody goes on from. */
  async takeBack({ id }: Pick<Snapshot, "id">): Promise<CommitResult> {
    await this.#storage.delete(this.#reader.layout.snapshot(id));
    await this.removeMetadata();
    return { outcome: "conflict" };
  }

  /** Removes what this attempt wrote, as far as that is possible: nobody refers to it. */
  async removeMetadata(): Promise<void> {
    for (const name of this.#names) await this.#storage.delete(this.#reader.layout.manifest(name)).catch(() => {});
  }

  async #putManifests(entries: readonly ManifestEntry[]): Promise<readonly ManifestMeta[]> {
    const metas: ManifestMeta[] = [];
    const partitioning = new Partitioning(this.#staged.schema);
    for (let start = 0; start < entries.length; start += fullManifestEntries) {
      const name = `manifest-${this.#id}-${this.#count++}`;
      const part = entries.slice(start, start + fullManifestEntries);
      const { bytes, meta } = encodeManifest(name, part, partitioning);
      await this.#put(name, bytes);
      metas.push(meta);
    }
    return metas;
  }

  async #putList(manifests: readonly ManifestMeta[]): Promise<{ readonly name: string; readonly bytes: number }> {
    const name = `manifest-list-${this.#id}-${this.#count++}`;
    const bytes = encodeManifestList(manifests);
    await this.#put(name, bytes);
    return { name, bytes: bytes.length };
  }

  async #put(name: string, bytes: Uint8Array): Promise<void> {
    this.#names.push(name);
    await this.#storage.putIfAbsent(this.#reader.layout.manifest(name), bytes);
  }
}

function nextState(
  staged: StagedCommit,
  written: {
    readonly manifests: readonly ManifestMeta[];
    readonly lists: Pick<Snapshot, "baseManifestList" | "deltaManifestList">;
  },
): PaimonState {
  const { state, snapshot, schema, fileSchema, entries, properties } = staged;
  const { position: _position, commitTimeMs: _commitTimeMs, mirroredSnapshotId: _mirrored, ...rest } = state;
  const { retention: _retention, ...before } = rest;
  const partitioning = new Partitioning(schema);
  const added = entries.filter((entry) => entry._KIND === entryKind.add).map((entry) => liveFile(entry, partitioning));
  return {
    ...before,
    ...schemaState(schema),
    schemas: new Map([...state.schemas, [fileSchema.id, fileSchema], [schema.id, schema]]),
    pendingSchemas: state.pendingSchemas.filter(({ id }) => id > schema.id),
    snapshot: { ...snapshot, ...written.lists },
    snapshotId: snapshot.id,
    progressId: snapshot.id,
    rows: snapshot.totalRecordCount,
    manifests: written.manifests,
    files: staged.files ?? withEntries(state.files, { added, entries }),
    sequenceNumbers: raiseSequenceNumbers(state.sequenceNumbers, added),
    commitIdentifier: properties.writer?.identifier ?? snapshot.commitIdentifier,
    ...(properties.position === undefined ? {} : { position: properties.position }),
    ...(properties.commitTimeMs === undefined ? {} : { commitTimeMs: properties.commitTimeMs }),
    ...(properties.mirroredSnapshotId === undefined ? {} : { mirroredSnapshotId: properties.mirroredSnapshotId }),
  };
}
