/**
 * Merges data files: their living rows, in their order or sorted, as one file.
 *
 * Promise: row n of the merged file is the n-th living row of the inputs, or `places` says which it is in a table that sorts,
 * so that a row that is deleted while files are merged is found again without a look-up of keys. In version 3 every row keeps
 * its id and the number of the commit that last changed it.
 */
import type { DuckDBBigIntVector } from "@duckdb/node-api";
import type { Connection } from "../../engine/connection.ts";
import { identifier } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import { failPoint } from "../../fail_point.ts";
import type { ReadableFiles } from "../../storage/storage.ts";
import { writeParquet } from "../parquet.ts";
import { type MarkedFile, mergedRowGroupRows, segmentsOf, whereLiving } from "../merging/living_rows.ts";
import type { MergePlan } from "../merging/merge_plan.ts";
import { dataFileRecord, mergedFolder } from "./data_files.ts";
import { fileNames, schemaInFiles } from "./file_names.ts";
import type { TablePlace } from "./load_state.ts";
import type { FileRecord } from "./manifest.ts";
import { currentSchema, type PartitionSpec, specOf, type TableMetadata } from "./metadata.ts";
import { fieldIds, readFiles, readName } from "./parquet_fields.ts";
import { type IcebergPrepared, newSnapshotId, progressOf } from "./prepared_change.ts";
import type { IcebergField, IcebergSchema } from "./schema.ts";
import { orderBy, type SortOrder, sortOrderOf } from "./sort_order.ts";
import type { IcebergState, LiveDeletes, LiveFile } from "./state.ts";

/** Reserved columns of row lineage (Iceberg spec, "Reserved Field IDs"). */
const rowIdField: IcebergField = { id: 2147483540, name: "_row_id", required: false, type: "long" };
const changedField: IcebergField = {
  id: 2147483539,
  name: "_last_updated_sequence_number",
  required: false,
  type: "long",
};

/** A file, and which rows of it are left out. */
export interface MergeInput {
  readonly entry: LiveFile["entry"];
  readonly deletes?: Pick<LiveDeletes, "positions">;
}

/** What is merged, and how the file is laid out. */
export interface Merge {
  readonly inputs: readonly MergeInput[];
  /** Under the names that files have. */
  readonly schema: IcebergSchema;
  readonly lineage: readonly IcebergField[];
  readonly order: SortOrder;
  readonly spec: PartitionSpec;
}

/** The table, with the inputs ready to be read. */
interface ReadablePlace extends TablePlace {
  readonly readable: ReadableFiles;
}

/** Writes the merged file of a plan. Inputs that have left the table since it was made are left out. */
export async function mergeFiles(
  place: TablePlace,
  work: { readonly state: IcebergState; readonly plan: MergePlan; readonly connection: Connection },
): Promise<IcebergPrepared> {
  const { state, plan, connection } = work;
  const { metadata } = state;
  const inputs = plan.inputs.flatMap((uri) => state.files.get(uri) ?? []);
  const schema = currentSchema(metadata);
  const spec = specOf(metadata, inputs[0]?.entry.specId ?? metadata["default-spec-id"]);
  const inFiles = schemaInFiles(schema, fileNames(metadata));
  const lineage = lineageColumns(metadata, inFiles);
  const merge = { inputs, schema: inFiles, lineage, order: sortOrderOf(metadata, schema), spec };
  const { file, places } = await writeMerged({ ...place, connection }, merge);
  return {
    snapshotId: newSnapshotId(),
    schema,
    lastColumnId: metadata["last-column-id"],
    baseSchemaId: metadata["current-schema-id"],
    truncate: false,
    specId: spec["spec-id"],
    dataFiles: file === undefined ? [] : [file],
    deletes: [],
    removed: inputs,
    merge: { inputs, sequenceNumber: metadata["last-sequence-number"], ...(places === undefined ? {} : { places }) },
    ...progressOf(state),
    paths: file === undefined ? [] : [place.storage.path(file.file_path)],
  };
}

/** Writes the inputs' living rows; no file where there are none. What fails half-way is removed again. */
export async function writeMerged(
  place: TablePlace,
  merge: Merge,
): Promise<{ readonly file?: FileRecord; readonly places?: Uint32Array }> {
  const { inputs, schema, lineage, order, spec } = merge;
  const rows = inputs.reduce((sum, each) => sum + livingRowCount(each), 0);
  if (rows === 0) return {};
  using readable = await place.storage.readable(inputs.map(({ entry }) => place.storage.path(entry.file.file_path)));
  const read = { ...place, readable };
  const [{ entry: { file: first } }] = inputs as [MergeInput];
  const path = `${place.folder}/data/${mergedFolder({ spec, schema }, first)}${crypto.randomUUID()}.parquet`;
  try {
    const file = await writeParquet(place.connection, {
      storage: place.storage,
      path,
      select: mergedRows(read, merge),
      fieldIds: fieldIds({ fields: [...schema.fields, ...lineage] }),
      rowGroupRows: mergedRowGroupRows(sizeOf(inputs)),
    });
    await failPoint("iceberg.afterMergedFile");
    // Everything that follows counts rows: a file with more or fewer of them must never be committed.
    if (Number(file?.rows ?? 0n) !== rows) {
      throw new WeirError("internal", `Merged ${rows} rows, but ${file?.rows ?? 0n} were written`, {
        detail: { path },
      });
    }
    const record = dataFileRecord(place, file!, { schema, order, partition: first.partition });
    return order.fields.length === 0 ? { file: record } : { file: record, places: await placesOf(read, merge, rows) };
  } catch (thrown) {
    await place.storage.delete(path).catch(() => {});
    throw thrown;
  }
}

function sizeOf(inputs: readonly MergeInput[]): { readonly rows: number; readonly bytes: number } {
  const sum = (values: readonly bigint[]) => Number(values.reduce((total, value) => total + value, 0n));
  return {
    rows: sum(inputs.map(({ entry }) => entry.file.record_count)),
    bytes: sum(inputs.map(({ entry }) => entry.file.file_size_in_bytes)),
  };
}

/** Living rows of a file. */
export function livingRowCount({ entry, deletes }: MergeInput): number {
  return Number(entry.file.record_count) - (deletes?.positions.count ?? 0);
}

/** Columns that keep what row lineage says of rows that move. Readers know them by id; their names only have to be free. */
export function lineageColumns(metadata: TableMetadata, schema: IcebergSchema): IcebergField[] {
  if (metadata["format-version"] !== 3) return [];
  const taken = new Set(schema.fields.map(({ name }) => name));
  return [rowIdField, changedField].map((field) => {
    let { name } = field;
    while (taken.has(name)) name += "_";
    return { ...field, name };
  });
}

/** SELECT of the merged file. Equal rows keep the order they came in, so that it is the same whenever it is computed. */
function mergedRows(place: ReadablePlace, { inputs, schema, lineage, order }: Merge): string {
  const columns = [...schema.fields, ...lineage];
  const names = columns.map((field) => `${readName(field)} AS ${identifier(field.name)}`).join(", ");
  const rows = livingRows(place, { inputs, columns });
  if (order.fields.length === 0) return `SELECT ${names} FROM (${rows})`;
  return `SELECT ${names} FROM (${numbered(rows)})${orderBy(order, { schema, then: "place" })}`;
}

function numbered(rows: string): string {
  return `SELECT *, row_number() OVER () AS place FROM (${rows})`;
}

/** Where each row, as it came, stands in the sorted file. */
async function placesOf(
  place: ReadablePlace,
  { inputs, schema, order }: Merge,
  rowCount: number,
): Promise<Uint32Array> {
  const sorted = new Set(order.fields.map((field) => field["source-id"]));
  const rows = livingRows(place, { inputs, columns: schema.fields.filter(({ id }) => sorted.has(id)) });
  const places = new Uint32Array(rowCount);
  let next = 0;
  const sql = `SELECT place FROM (${numbered(rows)})${orderBy(order, { schema, then: "place" })}`;
  await place.connection.eachChunk(sql, (chunk) => {
    const came = chunk.getColumnVector(0) as DuckDBBigIntVector;
    for (let row = 0; row < chunk.rowCount; row++) places[Number(came.getItem(row)) - 1] = next++;
  });
  return places;
}

/** Columns of the inputs' living rows in their order, under the names they are read by. */
function livingRows(
  place: ReadablePlace,
  of: { readonly inputs: readonly MergeInput[]; readonly columns: readonly IcebergField[] },
): string {
  const files = of.inputs.map((file) => ({
    ...{ file, deleted: file.deletes?.positions, rows: file.entry.file.record_count },
  }));
  return segmentsOf(files).map((segment) => livingRowsOf(place, segment, of.columns)).join(" UNION ALL ");
}

interface InputFile extends MarkedFile {
  readonly file: MergeInput;
  readonly rows: bigint;
}

function livingRowsOf(
  { storage, readable }: ReadablePlace,
  segment: readonly InputFile[],
  columns: readonly IcebergField[],
): string {
  const files = segment.map(({ file }) => file);
  const paths = files.map(({ entry }) => readable.duckdbPath(storage.path(entry.file.file_path)));
  const values = columns.map((field) => {
    const name = readName(field);
    if (field.id === rowIdField.id) {
      const first = perFile(files.map(({ entry }) => entry.file.first_row_id));
      return `coalesce(${name}, ${first} + file_row_number) AS ${name}`;
    }
    if (field.id !== changedField.id) return name;
    return `coalesce(${name}, ${perFile(files.map(({ entry }) => entry.sequenceNumber))}) AS ${name}`;
  });
  return `SELECT ${values.join(", ")} FROM ${readFiles(paths, columns)}${whereLiving(segment[0]!)}`;
}

/** A value for each file of the list being read. */
function perFile(values: readonly (bigint | null)[]): string {
  return `([${values.map((value) => value ?? "NULL").join(", ")}]::BIGINT[])[file_index::BIGINT + 1]`;
}
