/** The footer of a Parquet file: read, changed in a column, and written again (parquet-format, parquet.thrift, "File Format"). */
import { WeirError } from "../errors.ts";
import {
  readStruct,
  thrift,
  type ThriftList,
  type ThriftStruct,
  type ThriftValue,
  writeStruct,
} from "./compact_protocol.ts";

/** Footer length and magic number, at a file's end. */
const tailBytes = 8;
const magic = "PAR1";

/** A footer and where it begins. */
export interface Footer {
  readonly startBytes: number;
  readonly metadata: ThriftStruct;
}

/** What a column holds in a row group, written by others than who wrote the file. */
export interface ColumnChunk {
  /** Of its first page, from the file's beginning. */
  readonly startBytes: number;
  readonly bytes: number;
  readonly values: number;
  readonly nulls: number;
}

/** Reads the footer of a local file. */
export async function readFooter(file: Deno.FsFile, path: string): Promise<Footer> {
  const { size } = await file.stat();
  const tail = await readAt(file, { start: size - tailBytes, length: tailBytes });
  const isParquet = new TextDecoder().decode(tail.subarray(4)) === magic;
  if (!isParquet) throw new WeirError("tableUnreadable", "A Parquet file does not end like one", { detail: { path } });
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  const startBytes = size - tailBytes - length;
  return { startBytes, metadata: readStruct(await readAt(file, { start: startBytes, length })) };
}

async function readAt(file: Deno.FsFile, part: { readonly start: number; readonly length: number }) {
  await file.seek(Math.max(0, part.start), Deno.SeekMode.Start);
  const bytes = new Uint8Array(part.length);
  for (let read = 0; read < bytes.length;) {
    const more = await file.read(bytes.subarray(read));
    if (more === null) break;
    read += more;
  }
  return bytes;
}

/** The bytes that end a file. */
export function footerBytes(metadata: ThriftStruct): Uint8Array {
  const body = writeStruct(metadata);
  const bytes = new Uint8Array(body.length + tailBytes);
  bytes.set(body);
  new DataView(bytes.buffer).setUint32(body.length, body.length, true);
  bytes.set(new TextEncoder().encode(magic), body.length + 4);
  return bytes;
}

/** Rows of each row group, in order. */
export function rowsOfGroups(metadata: ThriftStruct): readonly number[] {
  return rowGroups(metadata).map((group) => Number(integer(group, 3)));
}

/** Has a top-level list column of a row group stand somewhere else: PLAIN, not compressed, in pages of version 1. */
export function replaceColumn(
  metadata: ThriftStruct,
  { group, name, chunk }: { readonly group: number; readonly name: string; readonly chunk: ColumnChunk },
): void {
  const rowGroup = rowGroups(metadata)[group]!;
  const column = structs(rowGroup, 1).find((column) => pathOf(column)[0] === name);
  if (column === undefined) throw new WeirError("internal", `A Parquet file has no column "${name}"`);
  const before = struct(column, 3);
  const [uncompressed, compressed] = [integer(before, 6), integer(before, 7)];
  const bytes = BigInt(chunk.bytes);
  column.set(3, { type: thrift.struct, value: columnMetadata(before, chunk) });
  set(rowGroup, 2, { type: thrift.i64, value: integer(rowGroup, 2) - uncompressed + bytes });
  if (rowGroup.has(6)) set(rowGroup, 6, { type: thrift.i64, value: integer(rowGroup, 6) - compressed + bytes });
}

/** `ColumnMetaData` of a chunk in the place of another: type and path stay. */
function columnMetadata(before: ThriftStruct, chunk: ColumnChunk): ThriftStruct {
  const i32 = (value: number) => ({ type: thrift.i32, value: BigInt(value) });
  const i64 = (value: number) => ({ type: thrift.i64, value: BigInt(value) });
  const [plain, rle, uncompressed] = [0n, 3n, 0];
  return new Map([
    [1, before.get(1)!],
    [2, { type: thrift.list, value: { elementType: thrift.i32, elements: [plain, rle] } }],
    [3, before.get(3)!],
    [4, i32(uncompressed)],
    [5, i64(chunk.values)],
    [6, i64(chunk.bytes)],
    [7, i64(chunk.bytes)],
    [9, i64(chunk.startBytes)],
    [12, { type: thrift.struct, value: new Map([[3, i64(chunk.nulls)]]) }],
  ]);
}

function rowGroups(metadata: ThriftStruct): readonly ThriftStruct[] {
  return structs(metadata, 4);
}

function pathOf(column: ThriftStruct): readonly string[] {
  const { elements } = valueOf(struct(column, 3), 3) as ThriftList;
  return elements.map((part) => new TextDecoder().decode(part as Uint8Array));
}

function structs(from: ThriftStruct, number: number): readonly ThriftStruct[] {
  return (valueOf(from, number) as ThriftList).elements as ThriftStruct[];
}

function struct(from: ThriftStruct, number: number): ThriftStruct {
  return valueOf(from, number) as ThriftStruct;
}

function integer(from: ThriftStruct, number: number): bigint {
  return valueOf(from, number) as bigint;
}

function valueOf(from: ThriftStruct, number: number): ThriftValue {
  const field = from.get(number);
  if (field === undefined) throw new WeirError("internal", `The metadata of a Parquet file lacks field ${number}`);
  return field.value;
}

function set(into: ThriftStruct, number: number, field: { readonly type: number; readonly value: bigint }): void {
  into.set(number, field);
}
