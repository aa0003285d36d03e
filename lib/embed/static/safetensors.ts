/**
 * Reads the safetensors format: an 8-byte little-endian length, a JSON header naming each tensor's type, shape and place, then
 * the numbers. https://huggingface.co/docs/safetensors
 *
 * Promise: a file is held against its own header before a number is read, so that a cut or foreign file is told of and never read
 * past its end.
 */
import { z } from "zod";
import { WeirError } from "../../errors.ts";

/** One array of numbers as it stands in a file. */
export interface Tensor {
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** Its numbers, little-endian. */
  readonly bytes: Uint8Array;
}

/** Types that can be read. */
export type TensorType = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I8";

type ReadNumber = (bytes: DataView, offset: number) => number;

/** Bytes of a number of each type, and how one is read. */
const numbers: Readonly<Record<TensorType, { readonly size: number; readonly read: ReadNumber }>> = {
  F64: { size: 8, read: (view, offset) => view.getFloat64(offset, true) },
  F32: { size: 4, read: (view, offset) => view.getFloat32(offset, true) },
  F16: { size: 2, read: (view, offset) => view.getFloat16(offset, true) },
  // The upper half of a float of 32 bits.
  BF16: { size: 2, read: (view, offset) => upperHalf(view.getUint16(offset, true)) },
  I64: { size: 8, read: (view, offset) => Number(view.getBigInt64(offset, true)) },
  I32: { size: 4, read: (view, offset) => view.getInt32(offset, true) },
  I8: { size: 1, read: (view, offset) => view.getInt8(offset) },
};

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/**
 * Finds the tensors of a file, by name. Those of other types than {@linkcode TensorType} are left out.
 *
 * @param file The whole file.
 * @param path For errors.
 * @throws {WeirError} `configuration` if it is no such file, or a part of one.
 */
export function readSafetensors(file: Uint8Array, path: string): ReadonlyMap<string, Tensor> {
  const refuse = (why: string): never => {
    throw new WeirError("configuration", `Cannot read model weights: ${why}`, {
      detail: { path },
      advice: "Copy or download the model again: the file is cut short or not in the safetensors format",
    });
  };
  if (file.length < 8) refuse(`${file.length} bytes are too few for a header`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > file.length - 8) refuse(`the header is to take ${headerBytes} bytes of ${file.length}`);
  const header = parseHeader(file.subarray(8, 8 + headerBytes)) ?? refuse("its header is no JSON object");
  const data = file.subarray(8 + headerBytes);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const parsed = tensorSchema.safeParse(entry);
    if (!parsed.success) return refuse(`tensor "${name}" is not described`);
    const { dtype, shape, data_offsets: [from, to] } = parsed.data;
    if (from > to || to > data.length) refuse(`tensor "${name}" ends at byte ${to} of ${data.length}`);
    if (!isTensorType(dtype)) continue;
    const size = shape.reduce((product, length) => product * length, numbers[dtype].size);
    if (size !== to - from) refuse(`tensor "${name}" takes ${to - from} bytes, its shape asks for ${size}`);
    tensors.set(name, { type: dtype, shape, bytes: data.subarray(from, to) });
  }
  return tensors;
}

/** A function that reads one number of a tensor, as the nearest double. */
export function tensorReader(tensor: Tensor): (index: number) => number {
  const { size, read } = numbers[tensor.type];
  const view = new DataView(tensor.bytes.buffer, tensor.bytes.byteOffset, tensor.bytes.byteLength);
  return (index) => read(view, index * size);
}

function isTensorType(name: string): name is TensorType {
  return Object.hasOwn(numbers, name);
}

function parseHeader(bytes: Uint8Array): object | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const conversion = new DataView(new ArrayBuffer(4));

function upperHalf(bits: number): number {
  conversion.setUint32(0, bits << 16 >>> 0);
  return conversion.getFloat32(0);
}
