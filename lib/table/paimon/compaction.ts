/**
 * Writing what a compaction plan asks for. Nothing of it is visible until a snapshot of kind COMPACT names it, and a writer
 * goes on meanwhile: newer files stand above, at level 0.
 */
import { failPoint } from "../../fail_point.ts";
import { writeParquet } from "../parquet.ts";
import type { PaimonCompactionPlan } from "./compaction_plan.ts";
import { fileRowsSql, readableFiles } from "./file_rows_sql.ts";
import { additionOf, deletionOf, entryIdentity, type ManifestEntry } from "./manifest.ts";
import { type MergeOptions, writeMerged } from "./merged_files.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import { dataFileName, fileRecord, requireRows, type WrittenFile } from "./new_file.ts";
import { liveEntries } from "./prepare.ts";
import { type PreparedRewrite, rewriteBase } from "./prepared.ts";
import { bucketCount } from "./schema.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/** What {@linkcode compactFiles} works with. */
export interface CompactionOptions extends MergeOptions {
  readonly reader: MetadataReader;
}

/** Runs a body that writes files; where it fails, those that were written are removed. */
export async function writingFiles(
  { storage }: Pick<CompactionOptions, "storage">,
  body: (written: WrittenFile[]) => Promise<void>,
): Promise<readonly WrittenFile[]> {
  const written: WrittenFile[] = [];
  try {
    await failPoint("paimon.beforeMergedFiles");
    await body(written);
    await failPoint("paimon.afterMergedFiles");
    return written;
  } catch (thrown) {
    for (const { path } of written) await storage.delete(path).catch(() => {});
    throw thrown;
  }
}

/** Writes the files of a plan. Where it fails, none of them is left. */
export async function compactFiles(
  state: PaimonState,
  plan: PaimonCompactionPlan,
  options: CompactionOptions,
): Promise<PreparedRewrite> {
  const entries = new Map((await liveEntries(state, options.reader)).map((entry) => [entryIdentity(entry), entry]));
  const written = await writingFiles(options, async (files) => {
    for (const group of plan.groups) await writeGroup(state, { plan, group, options, written: files });
  });
  const inputs = [...plan.groups.flat(), ...plan.raised].map(({ identity }) => identity);
  const raised = plan.raised.map(({ identity }) => raisedEntry(entries.get(identity)!, plan.level));
  return {
    rewrite: "COMPACT",
    fileSchema: state.schema,
    additions: [...raised, ...written.map(({ entry }) => entry)],
    deletions: inputs.map((identity) => deletionOf(entries.get(identity)!)),
    paths: written.map(({ path }) => path),
    base: rewriteBase(state, { inputs, scope: { place: plan.place } }),
  };
}

/** The same file on another level. */
function raisedEntry(entry: ManifestEntry, level: number): ManifestEntry {
  return { ...entry, _FILE: { ...entry._FILE, _LEVEL: level } };
}

interface Group {
  readonly plan: PaimonCompactionPlan;
  readonly group: readonly LiveFile[];
  readonly options: CompactionOptions;
  readonly written: WrittenFile[];
}

async function writeGroup(state: PaimonState, { plan, group, options, written }: Group): Promise<void> {
  const { schema } = state;
  if (state.key.length === 0) {
    const files = await writeAppended(state, { plan, group, options });
    written.push(...files);
    return requireRows(files, group.reduce((sum, { rows }) => sum + rows, 0n));
  }
  await writeMerged(state, {
    files: group,
    schema,
    dropsDeletions: plan.dropsDeletions,
    level: plan.level,
    totalBuckets: bucketCount(schema),
    from: plan.place,
    bucket: `${plan.place.bucket}`,
    targetFileBytes: plan.targetFileBytes,
    options,
    written,
  });
}

/** Files of a table without a key as one, the oldest rows first. */
async function writeAppended(
  state: PaimonState,
  { plan, group, options }: Pick<Group, "plan" | "group" | "options">,
): Promise<readonly WrittenFile[]> {
  const { schema } = state;
  await failPoint("paimon.beforeMergedFile");
  const path = options.layout.data(plan.place, dataFileName());
  using readable = await readableFiles(options, group);
  const place = { readable, layout: options.layout };
  const select = fileRowsSql(state, { files: group, fields: schema.fields, versions: false, place })!;
  const file = await writeParquet(options.connection, { storage: options.storage, path, select });
  if (file === undefined) return [];
  const record = {
    ...fileRecord(file, schema, options),
    _MIN_SEQUENCE_NUMBER: group.map((each) => each.minSequenceNumber).reduce((a, b) => a < b ? a : b),
    _MAX_SEQUENCE_NUMBER: group.map((each) => each.maxSequenceNumber).reduce((a, b) => a > b ? a : b),
    _FILE_SOURCE: 1,
  };
  return [{ path, entry: additionOf(record, { place: plan.place, totalBuckets: bucketCount(schema) }) }];
}
