/**
 * The rows a snapshot shows: of every key the version with the greatest sequence number, unless that is a deletion.
 *
 * Only files whose key ranges meet are merged, so a table that grows at its end is read as fast as plain Parquet.
 */
import type { Scan } from "../../change/sink.ts";
import { identifier } from "../../engine/quote.ts";
import {
  type FilePlace,
  fileRowsSql,
  kindColumn,
  noRowsSql,
  presentKinds,
  readableFiles,
  type ReadablePlace,
  sequenceColumn,
} from "./file_rows_sql.ts";
import { keyColumns } from "./key_columns.ts";
import { keyInPartition, type PaimonField } from "./schema.ts";
import { splitSections } from "./sections.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/** The columns of a state's snapshot in order, over its files. */
export async function scanState(state: PaimonState, place: FilePlace): Promise<Scan> {
  const readable = await readableFiles(place, state.files);
  const sql = scanSql(state, { readable, layout: place.layout });
  return { sql, [Symbol.dispose]: () => readable[Symbol.dispose]() };
}

/** SELECT of them, where all its files are ready to be read. */
export function scanSql(state: PaimonState, place: ReadablePlace): string {
  const { fields } = state.schema;
  if (state.key.length === 0) {
    return fileRowsSql(state, { files: state.files, fields, versions: false, place }) ?? noRowsSql(fields);
  }
  const { alone, overlapping } = splitSections(state.files, keyColumns(fields, keyInPartition(state.schema)));
  const selects = [aloneSql(state, { files: alone, place }), mergedSql(state, { files: overlapping, place })];
  return selects.filter((select) => select !== undefined).join("\nUNION ALL\n") || noRowsSql(fields);
}

interface Files {
  readonly files: readonly LiveFile[];
  readonly place: ReadablePlace;
}

function aloneSql(state: PaimonState, { files, place }: Files): string | undefined {
  const { fields } = state.schema;
  const clean = files.filter((file) => file.deletedRows === 0n);
  const marked = files.filter((file) => file.deletedRows > 0n);
  const rows = fileRowsSql(state, { files: clean, fields, versions: false, place });
  const markedRows = fileRowsSql(state, { files: marked, fields, versions: true, place });
  const present = markedRows && `SELECT ${names(fields)} FROM (${markedRows}) WHERE ${presentKinds}`;
  return [rows, present].filter((select) => select !== undefined).join("\nUNION ALL\n") || undefined;
}

/**
 * The merge. A level above 0 is a run: it holds each key once, and no row of it is newer than one of the levels below its number.
 * Its rows are read as they are, but for those whose keys stand there. After compaction that is nearly all of the table.
 */
function mergedSql(state: PaimonState, { files, place }: Files): string | undefined {
  const fresh = files.filter(({ level }) => level === 0);
  const levels = [...new Set(files.map(({ level }) => level))].filter((level) => level > 0).sort((a, b) => a - b);
  const selects = [
    newestSql(state, { files: fresh, place }),
    ...levels.map((level) => runSql(state, { files, place, level })),
  ];
  return selects.filter((select) => select !== undefined).join("\nUNION ALL\n") || undefined;
}

/** Rows of one level, of all buckets, whose keys do not stand in newer files. */
function runSql(state: PaimonState, { files, place, level }: Files & { readonly level: number }): string | undefined {
  const { fields } = state.schema;
  const keyFields = fields.filter(({ name }) => state.key.includes(name));
  const run = files.filter((file) => file.level === level);
  const newer = files.filter((file) => file.level < level);
  // A filter that leaves nothing out makes DuckDB believe that few rows are left, and hash them instead of the keys.
  const versions = run.some((file) => file.deletedRows > 0n);
  const rows = fileRowsSql(state, { files: run, fields, versions, place });
  const keys = fileRowsSql(state, { files: newer, fields: keyFields, versions: false, place });
  const unseen = keys === undefined ? "" : ` ANTI JOIN (${keys}) AS newer USING (${names(keyFields)})`;
  const present = versions ? ` WHERE ${presentKinds}` : "";
  return rows && `SELECT ${names(fields)} FROM (${rows})${unseen}${present}`;
}

/**
 * The newest version of each key is found among the key columns alone, then joined to the wide rows. A key and a sequence
 * number name one row.
 */
function newestSql(state: PaimonState, { files, place }: Files): string | undefined {
  const { fields } = state.schema;
  const rows = fileRowsSql(state, { files, fields, versions: true, place });
  if (rows === undefined) return undefined;
  const keyFields = fields.filter(({ name }) => state.key.includes(name));
  const versions = fileRowsSql(state, { files, fields: keyFields, versions: true, place });
  const key = names(keyFields);
  const newest = `SELECT ${key}, max(${identifier(sequenceColumn)}) AS ${identifier(sequenceColumn)}
FROM (${versions}) GROUP BY ${key}
HAVING arg_max(${identifier(kindColumn)}, ${identifier(sequenceColumn)}) IN (0, 2)`;
  return `SELECT ${names(fields)} FROM (${rows})
SEMI JOIN (${newest}) AS newest USING (${key}, ${identifier(sequenceColumn)})`;
}

function names(fields: readonly PaimonField[]): string {
  return fields.map(({ name }) => identifier(name)).join(", ");
}
