/** Table properties that this code reads and writes, with their defaults. */
import type { TableMetadata } from "./metadata.ts";

/** Our own properties; the position stands in every snapshot's summary too. */
export const ownProperties = {
  position: "weir.position",
  /** In a snapshot's summary alone: up to here the snapshot before it still showed the table. */
  after: "weir.after",
  commitTimeMs: "weir.commit-time-ms",
  /** Names one attempt to commit, so that a writer whose answer got lost finds itself again. */
  commitId: "weir.commit-id",
  /** Key columns by field id, in key order: `identifier-field-ids` is a set and may not hold floats. */
  keyFieldIds: "weir.key-field-ids",
  /** Names that columns have in data files where they are not their names now: a JSON object by field id. */
  fileNames: "weir.file-names",
  /** Formats that show this table out of its own files. */
  mirroredAs: "weir.mirrored-as",
  /** Schema whose types the columns of every data file have, by its id; not noted while no column ever had another type. */
  filesTypedAs: "weir.files-typed-as",
} as const;

/** Names are those of the Iceberg documentation, "Table properties". */
const defaults = {
  "commit.manifest.min-count-to-merge": 100,
  "commit.manifest.target-size-bytes": 8 * 2 ** 20,
  "write.metadata.previous-versions-max": 20,
  // A commit a second keeps 3,600 snapshots: about 3 MB of metadata JSON, written whole each time. Five days of them, the
  // usual default, would be 400 MB.
  "history.expire.max-snapshot-age-ms": 3_600_000,
  "history.expire.min-snapshots-to-keep": 20,
} as const;

/** Formats that show a table out of its files, as it says itself. */
export function mirroredAs({ properties }: Pick<TableMetadata, "properties">): readonly string[] {
  return properties[ownProperties.mirroredAs]?.split(",").filter((format) => format !== "") ?? [];
}

/** A number from a table's properties, or its default. */
export function numberProperty(metadata: TableMetadata, name: keyof typeof defaults): number {
  const value = Number(metadata.properties[name] ?? defaults[name]);
  return Number.isFinite(value) && value >= 0 ? value : defaults[name];
}

/** What a new table says of itself, so that other writers keep to it. */
export function initialProperties(): Record<string, string> {
  return {
    "write.format.default": "parquet",
    "write.parquet.compression-codec": "zstd",
    "write.delete.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.metadata.delete-after-commit.enabled": "true",
    ...Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)])),
  };
}
