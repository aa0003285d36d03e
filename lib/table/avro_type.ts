/** The Avro primitives whose JavaScript form we choose ourselves: 64-bit `long` as bigint, `bytes` as any Uint8Array. */
import avsc from "avsc";
import { Buffer } from "node:buffer";

/** `long` as bigint: avsc hands over and takes 8 bytes little-endian in "unpacked" form. */
const longType = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: (value: number | string) => BigInt(value),
  toJSON: (value: bigint) => value.toString(),
  isValid: (value: unknown) => typeof value === "bigint" && BigInt.asIntN(64, value) === value,
  compare: (left: bigint, right: bigint) => left === right ? 0 : left < right ? -1 : 1,
});

/**
 * Compiles an Avro schema to an encoder and decoder whose longs are bigint.
 *
 * @throws {TypeError} If the schema is not Avro.
 */
export function avroType(schema: unknown): avsc.Type {
  try {
    return avsc.Type.forSchema(namedLongs(schema) as avsc.Schema, {
      registry: { long: longType },
      wrapUnions: "never",
    });
  } catch (thrown) {
    throw new TypeError(`Cannot use this Avro schema: ${(thrown as Error).message}`, { cause: thrown });
  }
}

/** avsc looks a primitive up in the registry only where it stands by name; an annotated one (`logicalType`) would be its own. */
function namedLongs(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(namedLongs);
  if (schema === null || typeof schema !== "object") return schema;
  // A field of a record has a type too, but also a name.
  if (!("name" in schema) && (schema as { type?: unknown }).type === "long") return "long";
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, namedLongs(value)]));
}

/** avsc takes `bytes` and `fixed` as Buffer only; views are shared, not copied. */
export function withBuffers(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  if (Array.isArray(value)) return value.map(withBuffers);
  if (value === null || typeof value !== "object") return value;
  const copy: Record<string, unknown> = {};
  for (const name in value) copy[name] = withBuffers((value as Record<string, unknown>)[name]);
  return copy;
}
