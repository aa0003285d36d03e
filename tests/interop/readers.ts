/** The independent readers, and what they print. Nothing of Weir reads the lake here. */
import type { Python } from "./python.ts";
import type { Spark, SparkAnswer } from "./spark.ts";

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
    readonly properties: Readonly<Record<string, string>> | null;
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

/** One reading by Spark. */
export type SparkReading = Omit<TableReading, "python"> & { readonly spark: Spark };

/** How Spark names the tables of each format. */
export const sparkTables = {
  iceberg: async ({ spark, lake, table }: SparkReading): Promise<string> => {
    const options = { type: "hadoop", warehouse: `${lake}/iceberg`, "cache-enabled": "false" };
    return `${await spark.catalog("org.apache.iceberg.spark.SparkCatalog", options)}.${table}`;
  },
  paimon: async ({ spark, lake, table }: SparkReading): Promise<string> => {
    const options = { warehouse: `${lake}/paimon`, "cache-enabled": "false" };
    return `${await spark.catalog("org.apache.paimon.spark.SparkCatalog", options)}.${table}`;
  },
  delta: ({ lake, table }: SparkReading): Promise<string> => {
    return Promise.resolve(`delta.\`${lake}/delta/${table.replace(".", "/")}\``);
  },
} as const;

/** The formats that Spark reads. */
export type SparkFormat = keyof typeof sparkTables;

/** What Spark finds in a table, and how many rows by each filter. */
export async function readBySpark(
  format: SparkFormat,
  reading: SparkReading,
): Promise<SparkAnswer & { readonly planned: readonly { readonly filter: string; readonly rows: number }[] }> {
  const { spark, output, tag, version, filters = [] } = reading;
  const at = tag !== undefined ? ` VERSION AS OF '${tag}'` : version !== undefined ? ` VERSION AS OF ${version}` : "";
  const from = `FROM ${await sparkTables[format](reading)}${at}`;
  const answer = await spark.run([`SELECT * ${from}`], output);
  const planned = [];
  for (const filter of filters) {
    const { values } = await spark.run([`SELECT count(*) AS rows ${from} WHERE ${filter}`]);
    planned.push({ filter, rows: (JSON.parse(values[0]!) as { rows: number }).rows });
  }
  return { ...answer, planned };
}

function readPaimon(
  { python, lake, table, output, tag, filters = [] }: TableReading,
  { older }: { readonly older: boolean },
): Promise<PaimonReport> {
  const args = [`${lake}/paimon`, tag === undefined ? table : `${table}@${tag}`, output, ...filters];
  return python.run({ script: "paimon_read.py", args, older });
}
