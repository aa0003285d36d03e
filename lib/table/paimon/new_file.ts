/** A data file that was just written, as an entry of a manifest will describe it. */
import type { DataFile } from "../data_file.ts";
import { WeirError } from "../../errors.ts";
import { emptyRow } from "./binary_row.ts";
import { type FileRecord, type ManifestEntry, noStatistics } from "./manifest.ts";
import type { PaimonSchema } from "./schema.ts";
import { valueStatistics } from "./statistics.ts";

/** A data file that no snapshot names yet. */
export interface WrittenFile {
  readonly path: string;
  readonly entry: ManifestEntry;
}

/** A name that no other file of any table has. */
export function dataFileName(): string {
  return `data-${crypto.randomUUID()}-0.parquet`;
}

/** What is the same for every new file. */
export function fileRecord(
  file: DataFile,
  schema: PaimonSchema,
  options: { readonly nowMs: number },
): Omit<FileRecord, "_MIN_SEQUENCE_NUMBER" | "_MAX_SEQUENCE_NUMBER"> {
  return {
    _FILE_NAME: file.path.slice(file.path.lastIndexOf("/") + 1),
    _FILE_SIZE: file.bytes,
    _ROW_COUNT: file.rows,
    _MIN_KEY: emptyRow,
    _MAX_KEY: emptyRow,
    _KEY_STATS: noStatistics,
    _VALUE_STATS: valueStatistics(file, schema.fields),
    _SCHEMA_ID: BigInt(schema.id),
    _LEVEL: 0,
    _EXTRA_FILES: [],
    _CREATION_TIME: BigInt(options.nowMs),
    _DELETE_ROW_COUNT: 0n,
    _EMBEDDED_FILE_INDEX: null,
    _FILE_SOURCE: 0,
    _VALUE_STATS_COLS: null,
    _EXTERNAL_PATH: null,
    _FIRST_ROW_ID: null,
    _WRITE_COLS: null,
  };
}

/** Throws `internal` for other rows than were to be written: one that stands in no file, or in two, must never be committed so. */
export function requireRows(written: readonly WrittenFile[], wanted: bigint): void {
  const rows = written.reduce((sum, { entry }) => sum + entry._FILE._ROW_COUNT, 0n);
  if (rows === wanted) return;
  throw new WeirError("internal", `${wanted} rows were to be written to a Paimon table, and ${rows} were`);
}
