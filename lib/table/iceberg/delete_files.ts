/**
 * Deleted rows on disk: deletion vectors in Puffin (format version 3) or position delete files (version 2), one per data
 * file, each holding every deleted position of it, so that the one before it is replaced.
 */
import { BIGINT, type DuckDBAppender, DuckDBBigIntVector, DuckDBDataChunk } from "@duckdb/node-api";
import { literal } from "../../engine/quote.ts";
import { writeParquet } from "../parquet.ts";
import type { TablePlace } from "./load_state.ts";
import { blankFile, type FileRecord } from "./manifest.ts";
import { readPart } from "./metadata_file.ts";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { decodeVector } from "../deleted_rows/vector_record.ts";
import { encodePuffin } from "./puffin.ts";

/** Reserved field ids of position delete files (Iceberg spec, "Reserved Field IDs"). */
const filePathFieldId = 2147483546;
const positionFieldId = 2147483545;
const vectorSize = 2048;

/** Deletes to be written for one data file. */
export interface DeletesOfFile {
  readonly dataFile: FileRecord;
  readonly positions: PositionBitmap;
}

/** Where {@linkcode writeDeletes} writes. */
export interface DeleteTarget {
  readonly formatVersion: 2 | 3;
  /** Unique to the attempt; starts every file's name. */
  readonly prefix: string;
}

/** Writes deletes and gives their file records, in the order given. */
export async function writeDeletes(
  place: TablePlace,
  deletes: readonly DeletesOfFile[],
  target: DeleteTarget,
): Promise<FileRecord[]> {
  if (deletes.length === 0) return [];
  return target.formatVersion === 3
    ? await writeVectors(place, deletes, target.prefix)
    : await writePositionFiles(place, deletes, target.prefix);
}

async function writeVectors(
  place: TablePlace,
  deletes: readonly DeletesOfFile[],
  prefix: string,
): Promise<FileRecord[]> {
  const puffin = encodePuffin(deletes.map(({ dataFile, positions }) => [dataFile.file_path, positions]));
  const path = `${place.folder}/data/${prefix}-deletes.puffin`;
  await place.storage.putIfAbsent(path, puffin.bytes);
  return deletes.map(({ dataFile, positions }, index) => ({
    ...blankFile,
    content: 1,
    file_path: place.storage.uri(path),
    file_format: "PUFFIN",
    partition: dataFile.partition,
    record_count: BigInt(positions.count),
    file_size_in_bytes: BigInt(puffin.bytes.length),
    referenced_data_file: dataFile.file_path,
    content_offset: BigInt(puffin.places[index]!.offset),
    content_size_in_bytes: BigInt(puffin.places[index]!.length),
  }));
}

async function writePositionFiles(
  place: TablePlace,
  deletes: readonly DeletesOfFile[],
  prefix: string,
): Promise<FileRecord[]> {
  const { connection, storage } = place;
  const records: FileRecord[] = [];
  // Another table may be written on the same connection at the same time.
  const table = `iceberg_positions_${prefix.replaceAll("-", "")}`;
  await connection.run(`CREATE TEMP TABLE ${table} (pos BIGINT)`);
  try {
    for (const [index, { dataFile, positions }] of deletes.entries()) {
      await connection.run(`TRUNCATE ${table}`);
      await connection.exclusively(async (native) => appendPositions(await native.createAppender(table), positions));
      const file = await writeParquet(connection, {
        storage,
        path: `${place.folder}/data/${prefix}-${index}-deletes.parquet`,
        select: `SELECT ${literal(dataFile.file_path)} AS file_path, pos FROM ${table} ORDER BY pos`,
        fieldIds: new Map([["file_path", { id: filePathFieldId }], ["pos", { id: positionFieldId }]]),
      });
      // Equal, untruncated bounds of the path tell readers that the file is about one data file.
      const bound = [{ key: filePathFieldId, value: new TextEncoder().encode(dataFile.file_path) }];
      records.push({
        ...blankFile,
        content: 1,
        file_path: storage.uri(file!.path),
        file_format: "PARQUET",
        partition: dataFile.partition,
        record_count: file!.rows,
        file_size_in_bytes: file!.bytes,
        lower_bounds: bound,
        upper_bounds: bound,
        referenced_data_file: dataFile.file_path,
      });
    }
  } finally {
    // Where this fails too, what came before says why.
    await connection.run(`DROP TABLE IF EXISTS ${table}`).catch(() => {});
  }
  return records;
}

function appendPositions(appender: DuckDBAppender, positions: PositionBitmap): void {
  let buffer = new BigInt64Array(vectorSize);
  let filled = 0;
  const flush = () => {
    const chunk = DuckDBDataChunk.create([BIGINT], filled);
    const vector = chunk.getColumnVector(0) as DuckDBBigIntVector;
    for (let index = 0; index < filled; index++) vector.setItem(index, buffer[index]!);
    vector.flush();
    appender.appendDataChunk(chunk);
    buffer = new BigInt64Array(vectorSize);
    filled = 0;
  };
  for (const position of positions) {
    buffer[filled++] = BigInt(position);
    if (filled === vectorSize) flush();
  }
  if (filled > 0) flush();
  appender.closeSync();
}

/** The one data file that a delete file is about. Not every writer says it outright; equal bounds of the paths say it too. */
export function targetOf({ referenced_data_file, lower_bounds, upper_bounds }: FileRecord): string | null {
  if (referenced_data_file !== null) return referenced_data_file;
  const [lower, upper] = [lower_bounds, upper_bounds].map((bounds) => {
    const bound = bounds?.find(({ key }) => key === filePathFieldId);
    return bound && new TextDecoder().decode(bound.value);
  });
  return lower !== undefined && lower === upper ? lower : null;
}

/** Reads deletes, by the URI of the data file they are about. */
export async function readDeletes(
  place: TablePlace,
  files: readonly FileRecord[],
): Promise<Map<string, PositionBitmap>> {
  const found = new Map<string, PositionBitmap>();
  const vectors = Map.groupBy(
    files.filter(({ content_offset }) => content_offset !== null),
    ({ file_path }) => file_path,
  );
  for (const [uri, group] of vectors) {
    await readPart(place.storage, uri, (bytes) => {
      for (const { referenced_data_file, content_offset, content_size_in_bytes } of group) {
        const at = { offset: Number(content_offset), length: Number(content_size_in_bytes) };
        found.set(referenced_data_file!, decodeVector(bytes, at));
      }
    });
  }
  for (const file of files) {
    if (file.content_offset !== null) continue;
    found.set(file.referenced_data_file!, await readPositionFile(place, file));
  }
  return found;
}

async function readPositionFile(place: TablePlace, file: FileRecord): Promise<PositionBitmap> {
  const path = place.storage.path(file.file_path);
  using readable = await place.storage.readable([path]);
  const local = literal(readable.duckdbPath(path));
  const rows = await place.connection.rows(`SELECT pos FROM read_parquet(${local}, hive_partitioning = false)`);
  return PositionBitmap.empty.with(rows.map(({ pos }) => Number(pos as bigint)));
}
