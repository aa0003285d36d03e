/**
 * Partitions that leave a table once their time has passed (Paimon `PartitionExpire`, strategy `values-time`).
 *
 * Promise: which ones is decided by the table's own options, so that every tool decides alike; they leave by one commit, of kind
 * OVERWRITE, that names each of their files as the newest state has them. Their files stay for as long as snapshots do that show
 * them.
 */
import { isOldText, isReadableFormatter, oldTexts, type RowRetention } from "../../dataset/row_retention.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { failPoint } from "../../fail_point.ts";
import type { ExpiredPartitions } from "../upkeep.ts";
import { deletionOf, entryIdentity } from "./manifest.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import { choosePartition, Partitioning, partitionText, placeId } from "./partitioning.ts";
import { liveEntries } from "./prepare.ts";
import { type PreparedRewrite, rewriteBase } from "./prepared.ts";
import type { PaimonSchema } from "./schema.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

const timeOption = "partition.expiration-time";
const strategyOption = "partition.expiration-strategy";
const formatterOption = "partition.timestamp-formatter";
/** Table option that names the partition column whose text is a partition's time, as `$column`. */
export const patternOption = "partition.timestamp-pattern";

const isoDay = "yyyy-MM-dd";

/**
 * Options by which the partitions of a new table leave it after some days. None for a table that has no partitions, or none by a
 * date: nothing says how old they are.
 */
export function retentionOptions(definition: TableDefinition, keepDays: number): Readonly<Record<string, string>> {
  const isDate = (name: string) =>
    definition.columns.some((column) => column.name === name && column.type.kind === "date");
  const day = choosePartition(definition).columns.find(isDate);
  if (day === undefined) return {};
  return { [timeOption]: `${keepDays} d`, [formatterOption]: isoDay, [patternOption]: `$${day}` };
}

/** How long the rows of a table stay; undefined for good, or where somebody else has to say. */
export function rowRetention({ options, partitionKeys, fields }: PaimonSchema): RowRetention | undefined {
  const keepMs = durationMs(options[timeOption] ?? "");
  const pattern = options[patternOption];
  const column = pattern === undefined ? partitionKeys[0] : /^\$(.+)$/.exec(pattern)?.[1];
  const type = fields.find(({ name }) => name === column)?.type.kind;
  if (keepMs === undefined || column === undefined || !partitionKeys.includes(column)) return undefined;
  if ((options[strategyOption] ?? "values-time") !== "values-time") return undefined;
  const formatter = type === "date" ? isoDay : options[formatterOption] ?? isoDay;
  return isReadableFormatter(formatter) ? { column, formatter, keepMs } : undefined;
}

const unitsMs: readonly (readonly [spelled: RegExp, ms: number])[] = [
  [/^d(ays?)?$/, 86_400_000],
  [/^h(ours?)?$/, 3_600_000],
  [/^m(in(utes?)?)?$/, 60_000],
  [/^s(ecs?|econds?)?$/, 1000],
  [/^(ms|milli(second)?s?)?$/, 1],
];

/** A duration as Paimon spells it: `7 d`, `36h`, `1 day`. */
function durationMs(text: string): number | undefined {
  const [, count, unit = ""] = /^\s*(\d+)\s*([a-z]*)\s*$/.exec(text.toLowerCase()) ?? [];
  const [, ms] = unitsMs.find(([spelled]) => spelled.test(unit)) ?? [];
  return count === undefined || ms === undefined ? undefined : Number(count) * ms;
}

/** The files of a state whose partitions' time has passed. */
function expiredFiles({ schema, files }: PaimonState, nowMs: number): readonly LiveFile[] {
  const retention = rowRetention(schema);
  if (retention === undefined) return [];
  const old = oldTexts(retention, nowMs);
  const partitioning = new Partitioning(schema);
  const index = partitioning.columns.findIndex(({ name }) => name === retention.column);
  const { type } = partitioning.columns[index]!;
  const isOld = ({ place }: LiveFile) => {
    const text = partitionText(type, partitioning.values(place.partition)[index]!);
    return text !== undefined && isOldText(text, old);
  };
  return files.filter(isOld);
}

/** What would leave now. Reads nothing. */
export function expiredPartitions(state: PaimonState, nowMs: number): ExpiredPartitions {
  const files = expiredFiles(state, nowMs);
  const partitions = new Set(files.map(({ place }) => placeId(place.partition, 0)));
  return {
    partitions: partitions.size,
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0n),
    rows: files.reduce((sum, file) => sum + file.rows, 0n),
  };
}

/** Their leaving, to be staged on the same state; undefined where none has to. */
export async function prepareExpiry(
  state: PaimonState,
  { nowMs, reader }: { readonly nowMs: number; readonly reader: MetadataReader },
): Promise<PreparedRewrite | undefined> {
  const inputs = new Set(expiredFiles(state, nowMs).map(({ identity }) => identity));
  if (inputs.size === 0) return undefined;
  await failPoint("paimon.beforePartitionExpiry");
  const entries = await liveEntries(state, reader);
  return {
    rewrite: "OVERWRITE",
    fileSchema: state.schema,
    additions: [],
    deletions: entries.filter((entry) => inputs.has(entryIdentity(entry))).map(deletionOf),
    paths: [],
    base: rewriteBase(state, { inputs: [...inputs], scope: "table" }),
  };
}
