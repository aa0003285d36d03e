/** The independent readers, and what they print. Nothing of Weir reads the lake here. */
import type { Python } from "./python.ts";

/** What every reader prints. */
export interface ReaderReport {
  readonly rows: number;
  readonly columns: readonly string[];
  readonly totalFiles: number;
  readonly planned: readonly { readonly filter: string; readonly files: number; readonly rows: number }[];
}

/** What `iceberg_read.py` prints. */
export interface IcebergReport extends ReaderReport {
  readonly snapshotId: string | null;
  readonly formatVersion: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly manifests: number;
}

/** What `paimon_read.py` prints. */
export interface PaimonReport extends ReaderReport {
  /** Of pypaimon. */
  readonly version: string;
  /** How many buckets hold files. */
  readonly buckets: number;
  /** Files that are merged by key when they are read. */
  readonly merged: number;
  readonly snapshot: {
    readonly id: string;
    readonly schemaId: number;
    readonly commitUser: string;
    readonly commitIdentifier: string;
    readonly commitKind: string;
    readonly totalRecordCount: number;
    readonly properties: Readonly<Record<string, string>>;
  } | null;
}

/** What `delta_read.py` prints. */
export interface DeltaReport extends ReaderReport {
  readonly version: number;
  readonly protocol: { readonly reader: number; readonly writer: number; readonly features: readonly string[] };
  /** Of the newest commit. */
  readonly position: string | null;
  /** Rows that deltalake's way through pyarrow gives, or why it refuses. */
  readonly arrow: number | string;
}

/** One reading of one table. */
export interface TableReading {
  readonly python: Python;
  readonly lake: string;
  /** `namespace.name`. */
  readonly table: string;
  /** Where the rows are written, as Parquet. */
  readonly output: string;
  /** `column operator value`, joined by ` AND `; texts and times in single quotes. */
  readonly filters?: readonly string[];
  /** A tag, instead of the newest snapshot. */
  readonly tag?: string;
  /** Delta only. Default: the newest. */
  readonly version?: number;
}

/** The readers by name. */
export const readers = {
  pyiceberg: ({ python, lake, table, output, tag, filters = [] }: TableReading): Promise<IcebergReport> => {
    const folder = `${lake}/iceberg/${table.replace(".", "/")}`;
    return python.run({
      script: "iceberg_read.py",
      args: [folder, output, ...tag === undefined ? [] : [`@${tag}`], ...filters],
    });
  },
  pypaimon: (reading: TableReading): Promise<PaimonReport> => readPaimon(reading, { older: false }),
  deltalake: ({ python, lake, table, output, filters, version }: TableReading): Promise<DeltaReport> => {
    const folder = `${lake}/delta/${table.replace(".", "/")}`;
    return python.run({ script: "delta_read.py", args: [folder, output, `${version ?? ""}`, ...filters ?? []] });
  },
  olderPypaimon: (reading: TableReading): Promise<PaimonReport> => readPaimon(reading, { older: true }),
} as const;

function readPaimon(
  { python, lake, table, output, tag, filters = [] }: TableReading,
  { older }: { readonly older: boolean },
): Promise<PaimonReport> {
  const args = [`${lake}/paimon`, tag === undefined ? table : `${table}@${tag}`, output, ...filters];
  return python.run({ script: "paimon_read.py", args, older });
}
