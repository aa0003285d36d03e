/**
 * A table that has outgrown its buckets, written anew in more of them: one commit of kind OVERWRITE that brings a schema with
 * the new number (Paimon's way to rescale fixed buckets).
 *
 * Buckets stay fixed because every reader knows them: the number stands in the schema, and a key's bucket is computed. In a
 * table of dynamic buckets it is looked up in an index file that each commit would rewrite, and by which pypaimon does not
 * prune. The new number is a multiple of the old, so that a bucket is split and never mixed with another.
 *
 * A writer goes on meanwhile: what it added is written into the new buckets last, on its turn.
 */
import type { CompactionPlan } from "../upkeep.ts";
import { bucketSql } from "./bucket_sql.ts";
import { type CompactionOptions, writingFiles } from "./compaction.ts";
import { sortedFileBytes } from "./compaction_plan.ts";
import { keyColumns } from "./key_columns.ts";
import { deletionOf, entryIdentity, type ManifestEntry } from "./manifest.ts";
import { type MergedRun, writeMerged } from "./merged_files.ts";
import type { WrittenFile } from "./new_file.ts";
import { liveEntries } from "./prepare.ts";
import { type PaimonPrepared, type PreparedRewrite, rewriteBase } from "./prepared.ts";
import { placeId } from "./partitioning.ts";
import { bucketCount, bucketKey, maxLevel, type PaimonSchema } from "./schema.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/** From when on a table is rescaled. */
export interface RescaleLimits {
  /** Bytes of data files that a bucket may hold on average. Paimon advises 1 GiB; 4 GiB cost less files a commit. */
  readonly bucketBytes: number;
  /** Size of the files that are written, bytes. */
  readonly targetFileBytes: number;
}

/** A table in more buckets. The whole table is read and written. */
export interface PaimonRescalePlan extends CompactionPlan {
  /** Their number. */
  readonly buckets: number;
  readonly targetFileBytes: number;
}

/** Says when a table needs more buckets: twice as many until each holds at most half of what it may. */
export function planRescale(state: PaimonState, limits: RescaleLimits): PaimonRescalePlan | undefined {
  const held = bucketCount(state.schema);
  const bytes = mostPartitionBytes(state.files);
  if (state.key.length === 0 || bytes <= held * limits.bucketBytes) return undefined;
  let buckets = held;
  while (bytes > (buckets * limits.bucketBytes) / 2) buckets *= 2;
  return {
    buckets,
    files: state.files.length,
    bytes: state.files.reduce((sum, file) => sum + file.bytes, 0n),
    rows: state.rows,
    reason: `${held} buckets hold ${bytes} bytes, more than ${limits.bucketBytes} each`,
    isUrgent: false,
    targetFileBytes: sortedFileBytes(limits),
  };
}

/** Each partition has as many buckets: the largest decides. */
function mostPartitionBytes(files: readonly LiveFile[]): number {
  const partitions = Map.groupBy(files, ({ place }) => placeId(place.partition, 0)).values();
  const sizes = partitions.map((members) => members.reduce((sum, file) => sum + Number(file.bytes), 0));
  return sizes.reduce((most, size) => Math.max(most, size), 0);
}

/** Writes all rows of a table into more buckets. Where it fails, no file is left. */
export async function rescale(
  state: PaimonState,
  plan: PaimonRescalePlan,
  options: CompactionOptions,
): Promise<PreparedRewrite> {
  const newest = Math.max(state.schema.id, ...state.pendingSchemas.map(({ id }) => id));
  const schema: PaimonSchema = {
    ...state.schema,
    id: newest + 1,
    options: { ...state.schema.options, bucket: String(plan.buckets) },
    timeMillis: options.nowMs,
  };
  const run = { schema, dropsDeletions: true, level: maxLevel(schema), targetFileBytes: plan.targetFileBytes };
  const written = await writingFiles(options, async (files) => {
    for (const members of Map.groupBy(state.files, ({ place }) => place.id).values()) {
      await split(state, { ...run, from: members[0]!.place, files: members }, { options, written: files });
    }
  });
  return {
    rewrite: "OVERWRITE",
    schema,
    fileSchema: schema,
    additions: written.map(({ entry }) => entry),
    deletions: await deletionsOf(state, { files: state.files, options }),
    paths: written.map(({ path }) => path),
    base: rewriteBase(state, { inputs: state.files.map(({ identity }) => identity), scope: "table" }),
  };
}

/**
 * What was prepared for a rescale, with the files that were added since: each is split into the new buckets and stays at
 * level 0. What cannot be followed so is given back as it is.
 */
export async function rescaleNewer(
  state: PaimonState,
  prepared: PaimonPrepared,
  options: CompactionOptions,
): Promise<PaimonPrepared> {
  if (!("rewrite" in prepared) || prepared.base.scope !== "table" || prepared.schema === undefined) return prepared;
  const { base, schema } = prepared;
  const known = new Set(base.inputs);
  const newer = state.files.filter(({ identity }) => !known.has(identity));
  const isFollowed = state.schema.id === base.schemaId && state.files.length === known.size + newer.length;
  if (!isFollowed || newer.length === 0) return prepared;
  const written = await writingFiles(options, async (files) => {
    for (const file of newer) {
      const run = { schema, dropsDeletions: false, level: 0, targetFileBytes: Number(file.bytes) };
      await split(state, { ...run, from: file.place, files: [file] }, { options, written: files });
    }
  });
  return {
    ...prepared,
    additions: [...prepared.additions, ...written.map(({ entry }) => entry)],
    deletions: [...prepared.deletions, ...await deletionsOf(state, { files: newer, options })],
    paths: [...prepared.paths, ...written.map(({ path }) => path)],
    base: rewriteBase(state, { inputs: state.files.map(({ identity }) => identity), scope: "table" }),
  };
}

/** Writes files of one old place into those of a schema's that its keys belong to. */
async function split(
  state: PaimonState,
  run: Omit<MergedRun, "bucket" | "totalBuckets">,
  { options, written }: { readonly options: CompactionOptions; readonly written: WrittenFile[] },
): Promise<void> {
  const buckets = bucketCount(run.schema);
  const key = keyColumns(run.schema.fields, bucketKey(run.schema));
  const bucket = await bucketSql(key, { buckets, connection: options.connection });
  await writeMerged(state, { ...run, totalBuckets: buckets, bucket, options, written });
}

async function deletionsOf(
  state: PaimonState,
  { files, options }: { readonly files: readonly LiveFile[]; readonly options: CompactionOptions },
): Promise<readonly ManifestEntry[]> {
  const identities = new Set(files.map(({ identity }) => identity));
  const entries = await liveEntries(state, options.reader);
  return entries.filter((entry) => identities.has(entryIdentity(entry))).map(deletionOf);
}
