/** The footer of a Parquet file: read, changed in a column, and written again (parquet-format, parquet.thrift, "File Format"). */
import { Buffer } from "node:buffer";
import { WeirError } from "../errors.ts";
import { writeAll } from "../storage/write_all.ts";
import {
  readStruct,
  thrift,
  type ThriftList,
  type ThriftStruct,
  type ThriftValue,
  writeStruct,
} from "./compact_protocol.ts";
import type { FieldId, FieldIds } from "./field_ids.ts";

/** Footer length and magic number, at a file's end. */
const tailBytes = 8;
const magic = "PAR1";
/** Names as they are: a decoder takes U+FEFF at the beginning for a mark of its own, and drops it. */
const nameText = new TextDecoder("utf-8", { ignoreBOM: true });

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
  const { startBytes, bytes } = await encodedFooter(file, path);
  return { startBytes, metadata: readStruct(bytes) };
}

/** Whether a text stands somewhere in the footer of a local file: in a name, or in the smallest or largest value of a column. */
export async function footerHolds(path: string, text: string): Promise<boolean> {
  using file = await Deno.open(path);
  const { bytes } = await encodedFooter(file, path);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(text);
}

async function encodedFooter(
  file: Deno.FsFile,
  path: string,
): Promise<{ readonly startBytes: number; readonly bytes: Uint8Array<ArrayBuffer> }> {
  const { size } = await file.stat();
  const tail = await readAt(file, { start: size - tailBytes, length: tailBytes });
  const isParquet = new TextDecoder().decode(tail.subarray(4)) === magic;
  if (!isParquet) throw new WeirError("tableUnreadable", "A Parquet file does not end like one", { detail: { path } });
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  const startBytes = size - tailBytes - length;
  return { startBytes, bytes: await readAt(file, { start: startBytes, length }) };
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

/** Ends a file anew where a footer or other columns began. Gives the length of the whole file, bytes. */
export async function writeFooter(file: Deno.FsFile, { startBytes, metadata }: Footer): Promise<number> {
  const bytes = footerBytes(metadata);
  await file.seek(startBytes, Deno.SeekMode.Start);
  await writeAll(file, bytes);
  await file.truncate(startBytes + bytes.length);
  return startBytes + bytes.length;
}

function footerBytes(metadata: ThriftStruct): Uint8Array {
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

/** Columns of a file that stay in its footer, at the top level, and the ids that they have there. */
export interface FooterColumns {
  readonly names: ReadonlySet<string>;
  /** Default: none. */
  readonly fieldIds?: FieldIds | undefined;
}

/** Leaves columns out of a footer, and gives the others ids. Their pages stay where they are, and those left out are in no one's way. */
export function keepColumns(metadata: ThriftStruct, { names, fieldIds }: FooterColumns): void {
  const [root, ...below] = structs(metadata, 2) as [ThriftStruct, ...ThriftStruct[]];
  const columns = topLevelColumns(below);
  const kept = columns.filter(({ name }) => names.has(name));
  if (kept.length !== names.size) throw new WeirError("internal", "A Parquet file lacks columns that it is to keep");
  for (const { name, elements } of kept) setIds(elements, fieldIds?.get(name));
  root.set(5, { type: thrift.i32, value: BigInt(kept.length) });
  setStructs(metadata, 2, [root, ...kept.flatMap(({ elements }) => elements)]);
  for (const group of rowGroups(metadata)) keepChunks(group, names);
  // Orders of bounds, one for each leaf.
  if (!metadata.has(7)) return;
  const isKept = columns.flatMap(({ name, elements }) => elements.filter(isLeaf).map(() => names.has(name)));
  setStructs(metadata, 7, structs(metadata, 7).filter((_, leaf) => isKept[leaf]));
}

interface TopLevelColumn {
  readonly name: string;
  /** `SchemaElement`s of the column and of all that it is made of, depth first. */
  readonly elements: readonly ThriftStruct[];
}

function topLevelColumns(elements: readonly ThriftStruct[]): readonly TopLevelColumn[] {
  const columns: TopLevelColumn[] = [];
  for (let start = 0; start < elements.length;) {
    const end = endOf(elements, start);
    const name = nameText.decode(valueOf(elements[start]!, 4) as Uint8Array);
    columns.push({ name, elements: elements.slice(start, end) });
    start = end;
  }
  return columns;
}

/** Where the element after one and all its descendants stands. */
function endOf(elements: readonly ThriftStruct[], start: number): number {
  let end = start + 1;
  for (let child = childCount(elements[start]!); child > 0; child--) end = endOf(elements, end);
  return end;
}

function childCount(element: ThriftStruct): number {
  return element.has(5) ? Number(integer(element, 5)) : 0;
}

function isLeaf(element: ThriftStruct): boolean {
  return childCount(element) === 0;
}

/** The elements of a list stand two below it (LogicalTypes.md, "Lists"). */
function setIds(elements: readonly ThriftStruct[], ids: FieldId | undefined): void {
  for (const [depth, element] of elements.entries()) {
    const id = depth === 0 ? ids?.id : depth === 2 ? ids?.element : undefined;
    if (id === undefined) element.delete(9);
    else element.set(9, { type: thrift.i32, value: BigInt(id) });
  }
}

function keepChunks(group: ThriftStruct, names: ReadonlySet<string>): void {
  const isKept = (column: ThriftStruct) => names.has(pathOf(column)[0]!);
  const [kept, gone] = [structs(group, 1).filter(isKept), structs(group, 1).filter((column) => !isKept(column))];
  const bytes = (field: number) => gone.reduce((sum, column) => sum + integer(struct(column, 3), field), 0n);
  setStructs(group, 1, kept);
  set(group, 2, { type: thrift.i64, value: integer(group, 2) - bytes(6) });
  if (group.has(6)) set(group, 6, { type: thrift.i64, value: integer(group, 6) - bytes(7) });
  // By the places of columns, which are others now.
  group.delete(4);
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
  return elements.map((part) => nameText.decode(part as Uint8Array));
}

function structs(from: ThriftStruct, number: number): readonly ThriftStruct[] {
  return (valueOf(from, number) as ThriftList).elements as ThriftStruct[];
}

function setStructs(into: ThriftStruct, number: number, elements: readonly ThriftStruct[]): void {
  into.set(number, { type: thrift.list, value: { elementType: thrift.struct, elements: [...elements] } });
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
