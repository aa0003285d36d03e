/**
 * Avro object container files (Avro 1.12 specification, "Object Container Files") as table formats need them.
 *
 * Promise: the schema stands in the header exactly as given, with attributes such as `field-id` and `logicalType` that
 * avsc's own writer would drop; every `long` is a bigint; zero rows still make a valid file.
 */
import { Buffer } from "node:buffer";
import { deflateRawSync, inflateRawSync, zstdDecompressSync } from "node:zlib";
import { avroType, withBuffers } from "./avro_type.ts";

const magic = Buffer.from("Obj\x01", "latin1");
const syncBytes = 16;
/** Rows of one block: small enough to be decoded in cache, large enough to deflate well. */
const rowsPerBlock = 4096;

const metadataType = avroType({ type: "map", values: "bytes" });
const longType = avroType("long");
const compiled = new Map<string, ReturnType<typeof avroType>>();

/** Manifests of one table share a handful of schemas, so compiled ones are kept. */
function compiledType(schemaText: string): ReturnType<typeof avroType> {
  const known = compiled.get(schemaText);
  if (known !== undefined) return known;
  if (compiled.size > 256) compiled.clear();
  const made = avroType(JSON.parse(schemaText));
  compiled.set(schemaText, made);
  return made;
}

/**
 * Encodes rows into a container file with codec `deflate`.
 *
 * @param schema Schema of one row; kept as it is in the header.
 * @param rows Plain objects; `long` as bigint, `bytes` and `fixed` as Uint8Array, a union's value unwrapped.
 * @param metadata Further header entries, as UTF-8 text.
 * @throws {TypeError} If the schema is not Avro or a row does not fit it.
 */
export function encodeAvro(
  schema: object,
  rows: readonly unknown[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const schemaText = JSON.stringify(schema);
  const type = compiledType(schemaText);
  const header: Record<string, Buffer> = {
    "avro.schema": Buffer.from(schemaText),
    "avro.codec": Buffer.from("deflate"),
  };
  for (const [name, value] of Object.entries(metadata)) header[name] = Buffer.from(value);
  const sync = Buffer.from(crypto.getRandomValues(new Uint8Array(syncBytes)));
  const parts: Buffer[] = [magic, metadataType.toBuffer(header), sync];
  for (let start = 0; start < rows.length; start += rowsPerBlock) {
    const block = rows.slice(start, start + rowsPerBlock);
    const body = deflateRawSync(Buffer.concat(block.map((row) => encodeRow(type, row))));
    parts.push(longType.toBuffer(BigInt(block.length)), longType.toBuffer(BigInt(body.length)), body, sync);
  }
  return Buffer.concat(parts);
}

function encodeRow(type: ReturnType<typeof avroType>, row: unknown): Buffer {
  const value = withBuffers(row);
  try {
    return type.toBuffer(value);
  } catch {
    // avsc's own message would hold the value, and cannot be built at all where the value holds a bigint.
    const paths: string[] = [];
    type.isValid(value, { errorHook: (path) => paths.push(path.join(".")) });
    throw new TypeError(`Cannot encode a row as Avro: invalid value at ${paths.join(", ") || "its root"}`);
  }
}

/**
 * Decodes a container file with the schema it carries; codecs `null`, `deflate` and `zstandard`.
 *
 * @returns Header entries as text (`avro.schema` among them) and the rows; `long` as bigint, `bytes` as Uint8Array.
 * @throws {RangeError} If the bytes are no container file, are cut short, or use another codec.
 */
export function decodeAvro(bytes: Uint8Array): { metadata: ReadonlyMap<string, string>; rows: unknown[] } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!file.subarray(0, magic.length).equals(magic)) {
    throw new RangeError("Cannot read as Avro: the magic bytes are wrong");
  }
  const header = metadataType.decode(file, magic.length) as {
    value: Record<string, Buffer> | undefined;
    offset: number;
  };
  if (header.offset < 0) throw new RangeError("Cannot read as Avro: the header is cut short");
  const metadata = new Map(Object.entries(header.value!).map(([name, value]) => [name, value.toString()]));
  const type = compiledType(metadata.get("avro.schema") ?? "");
  const sync = file.subarray(header.offset, header.offset + syncBytes);
  const rows: unknown[] = [];
  for (let offset = header.offset + syncBytes; offset < file.length;) {
    const block = readBlock(file, { offset, sync });
    decodeRows(type, { body: decompress(block.body, metadata.get("avro.codec") ?? "null"), count: block.count, rows });
    offset = block.next;
  }
  return { metadata, rows };
}

function readBlock(file: Buffer, at: { offset: number; sync: Buffer }): { count: number; body: Buffer; next: number } {
  const count = longType.decode(file, at.offset) as { value: bigint; offset: number };
  const length = count.offset < 0 ? count : longType.decode(file, count.offset) as { value: bigint; offset: number };
  const end = length.offset + Number(length.value);
  if (length.offset < 0 || length.value < 0n || end + syncBytes > file.length) {
    throw new RangeError("Cannot read as Avro: a block is cut short");
  }
  if (!file.subarray(end, end + syncBytes).equals(at.sync)) {
    throw new RangeError("Cannot read as Avro: a block's sync marker is wrong");
  }
  return { count: Number(count.value), body: file.subarray(length.offset, end), next: end + syncBytes };
}

/** How blocks of each codec are read. Paimon's own writers take Zstandard, Iceberg's deflate. */
const codecs: ReadonlyMap<string, (body: Buffer) => Buffer> = new Map([
  ["null", (body) => body],
  ["deflate", (body) => inflateRawSync(body)],
  ["zstandard", (body) => zstdDecompressSync(body)],
]);

function decompress(body: Buffer, codec: string): Buffer {
  const read = codecs.get(codec);
  if (read === undefined) throw new RangeError(`Cannot read as Avro: codec ${codec} is not supported`);
  try {
    return read(body);
  } catch (thrown) {
    throw new RangeError("Cannot read as Avro: a block does not inflate", { cause: thrown });
  }
}

function decodeRows(
  type: ReturnType<typeof avroType>,
  block: { body: Buffer; count: number; rows: unknown[] },
): void {
  let offset = 0;
  for (let row = 0; row < block.count; row++) {
    const decoded = type.decode(block.body, offset) as { value: unknown; offset: number };
    if (decoded.offset < 0) throw new RangeError("Cannot read as Avro: a row is cut short");
    block.rows.push(decoded.value);
    offset = decoded.offset;
  }
}
