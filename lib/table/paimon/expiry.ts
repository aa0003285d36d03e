/**
 * Taking old snapshots out of a table.
 *
 * Promise: a file goes only where no kept snapshot and no tag refers to it. What is read grows with the snapshots that
 * expire, not with the table. First the hint to the oldest snapshot moves, then the snapshots go from old to new, then the
 * caller removes files: a crash leaves snapshots that the next expiry takes, or files that nobody refers to.
 */
import { failPoint } from "../../fail_point.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Expiry, UpkeepPolicy } from "../upkeep.ts";
import { assertNoBranches, dataPaths, eachOf, metadataPaths, taggedPaths } from "./file_references.ts";
import { entryKind } from "./manifest.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import type { Snapshot } from "./snapshot.ts";
import type { PaimonState } from "./table_state.ts";

/** What {@linkcode expireSnapshots} works with. */
export interface ExpiryOptions {
  readonly policy: UpkeepPolicy;
  readonly nowMs: number;
  readonly dryRun: boolean;
  readonly reader: MetadataReader;
  readonly storage: Storage;
  /** Files of tags seen before. */
  readonly knownTags: Map<string, ReadonlySet<string>>;
}

/**
 * Expires snapshots that are older than the policy keeps.
 *
 * @throws {WeirError} `precondition` where another writer has made branches: they refer to the table's files in a way of
 *   their own.
 */
export async function expireSnapshots(state: PaimonState, options: ExpiryOptions): Promise<Expiry> {
  const { reader, storage, knownTags } = options;
  const { expired, oldest } = await split(state, options);
  if (oldest === undefined || expired.length === 0) return { snapshots: 0, unneeded: [] };
  await assertNoBranches(reader);
  const unneeded = await unneededPaths({ ...options, expired, oldest });
  if (options.dryRun) return { snapshots: expired.length, unneeded };
  try {
    await failPoint("paimon.beforeExpiry");
    await storage.put(reader.layout.earliestHint, new TextEncoder().encode(String(oldest.id)));
    await failPoint("paimon.afterEarliestHint");
    for (const [index, { id }] of expired.entries()) {
      if (index > 0) await failPoint("paimon.betweenExpiredSnapshots");
      await storage.delete(reader.layout.snapshot(id));
    }
    await failPoint("paimon.afterExpiry");
    // Of a snapshot that has left nobody makes a tag any more; until then somebody may have done so.
    const tagged = await taggedPaths(reader, knownTags);
    const result = { outcome: "committed", snapshotId: state.snapshotId!, rows: state.rows } as const;
    return { snapshots: expired.length, result, unneeded: unneeded.filter((path) => !tagged.has(path)) };
  } catch (cause) {
    return { snapshots: expired.length, result: { outcome: "unknown", cause }, unneeded: [] };
  }
}

/** Snapshots that go, oldest first, and the first that stays. */
async function split(
  state: PaimonState,
  { reader, policy, nowMs }: ExpiryOptions,
): Promise<{ readonly expired: readonly Snapshot[]; readonly oldest?: Snapshot }> {
  const first = state.snapshotId === undefined ? undefined : await reader.earliestSnapshotId();
  if (state.snapshotId === undefined || first === undefined) return { expired: [] };
  const newest = (count: number) => state.snapshotId! - BigInt(Math.max(1, count)) + 1n;
  const kept = newest(policy.keepSnapshots);
  const tooMany = policy.mostSnapshots === undefined ? 0n : newest(policy.mostSnapshots);
  const limits = [kept, state.progressId ?? kept, await consumedId(reader) ?? kept];
  const limit = limits.reduce((least, id) => id < least ? id : least);
  const expired: Snapshot[] = [];
  for (let id = first; id <= limit; id++) {
    const snapshot = await reader.snapshot(id);
    if (snapshot === undefined) continue;
    const isYoung = snapshot.timeMillis > nowMs - policy.keepSnapshotsMs;
    if (id === limit || (isYoung && id >= tooMany)) return { expired, oldest: snapshot };
    expired.push(snapshot);
  }
  return { expired: [] };
}

/** The oldest snapshot that a consumer of the table has still to read. Ours is there for others alone. */
async function consumedId(reader: MetadataReader): Promise<bigint | undefined> {
  let oldest: bigint | undefined;
  const { ownConsumer, foreign } = reader.layout;
  for (const path of await reader.paths(foreign("consumer"))) {
    if (path === ownConsumer) continue;
    const next = await reader.consumedId(path);
    if (next !== undefined && (oldest === undefined || next < oldest)) oldest = next;
  }
  return oldest;
}

/** Files of the expired snapshots that neither the oldest kept one nor a tag refers to. */
async function unneededPaths(
  { reader, expired, oldest, knownTags }: ExpiryOptions & {
    readonly expired: readonly Snapshot[];
    readonly oldest: Snapshot;
  },
): Promise<readonly string[]> {
  const kept = new Set([...await taggedPaths(reader, knownTags), ...await metadataPaths(reader, oldest)]);
  const metadata = await eachOf(expired, (snapshot) => metadataPaths(reader, snapshot));
  const data = await eachOf([...expired.slice(1), oldest], (snapshot) => replacedPaths(reader, snapshot));
  return [...new Set([...data.flat(), ...metadata.flat()])].filter((path) => !kept.has(path));
}

/**
 * Data files that a snapshot took out of the table: no snapshot from this one on has them. A file that only changed its
 * level is still there under its name.
 */
async function replacedPaths(reader: MetadataReader, snapshot: Snapshot): Promise<readonly string[]> {
  const delta = await reader.manifestList(snapshot.deltaManifestList);
  if (delta.every(({ _NUM_DELETED_FILES }) => _NUM_DELETED_FILES === 0n)) return [];
  const entries = (await eachOf(delta, (meta) => reader.manifest(meta))).flat();
  const paths = async (kind: number) => {
    const own = entries.filter((entry) => entry._KIND === kind && entry._FILE._EXTERNAL_PATH == null);
    return await dataPaths(reader, own);
  };
  const added = new Set(await paths(entryKind.add));
  return (await paths(entryKind.delete)).filter((path) => !added.has(path));
}
