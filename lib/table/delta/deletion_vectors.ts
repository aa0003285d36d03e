/** Deletion vectors on disk (Delta protocol, "Deletion Vectors"): one file a commit, with a record for each data file. */
import type { Storage } from "../../storage/storage.ts";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { concatenate } from "../deleted_rows/roaring.ts";
import { decodeVector, encodeVector, wrapVector } from "../deleted_rows/vector_record.ts";
import type { VectorDescriptor } from "./actions.ts";
import { readPart } from "./log_file.ts";
import { decodeZ85, encodeZ85 } from "./z85.ts";

const fileVersion = Uint8Array.of(1);
/** Length before a record and checksum behind it, which `sizeInBytes` does not count. */
const frameBytes = 8;

/** A table's folder in a storage. */
export interface VectorPlace {
  readonly storage: Storage;
  readonly folder: string;
}

/** Vectors that were written. */
export interface WrittenVectors {
  readonly path: string;
  /** In the order given. */
  readonly descriptors: readonly VectorDescriptor[];
}

/** Writes vectors as one file. */
export async function writeVectors(
  { storage, folder }: VectorPlace,
  vectors: readonly PositionBitmap[],
): Promise<WrittenVectors> {
  const uuid = crypto.randomUUID();
  const records = vectors.map(encodeVector);
  let offset = fileVersion.length;
  const descriptors = records.map((record, index) => {
    const descriptor = {
      storageType: "u" as const,
      pathOrInlineDv: encodeZ85(Uint8Array.fromHex(uuid.replaceAll("-", ""))),
      offset,
      sizeInBytes: record.length - frameBytes,
      cardinality: vectors[index]!.count,
    };
    offset += record.length;
    return descriptor;
  });
  const path = `${folder}/${fileName(uuid)}`;
  await storage.putIfAbsent(path, concatenate([fileVersion, ...records]));
  return { path, descriptors };
}

function fileName(uuid: string): string {
  return `deletion_vector_${uuid}.bin`;
}

/** Path of the file that a vector stands in, below the storage root; undefined for one that stands in the log itself. */
export function vectorPath({ storage, folder }: VectorPlace, vector: VectorDescriptor): string | undefined {
  const { storageType, pathOrInlineDv } = vector;
  if (storageType === "i") return undefined;
  if (storageType === "p") return storage.path(pathOrInlineDv);
  const uuidLength = 20;
  const prefix = pathOrInlineDv.slice(0, -uuidLength);
  const hex = decodeZ85(pathOrInlineDv.slice(-uuidLength)).toHex();
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return `${folder}/${prefix === "" ? "" : `${prefix}/`}${fileName(uuid)}`;
}

/** Reads vectors, in the order given; each file is read once. Where `mends`, one whose file is missing is of no rows. */
export async function readVectors(
  place: VectorPlace,
  vectors: readonly VectorDescriptor[],
  mends = false,
): Promise<readonly PositionBitmap[]> {
  const found: PositionBitmap[] = [];
  const byPath = Map.groupBy(vectors.keys(), (index) => vectorPath(place, vectors[index]!));
  for (const [path, indexes] of byPath) {
    const decode = (bytes: Uint8Array | undefined) => {
      for (const index of indexes) found[index] = decodeOne(vectors[index]!, bytes);
    };
    if (path !== undefined && mends && await place.storage.stat(path) === undefined) {
      for (const index of indexes) found[index] = PositionBitmap.empty;
    } else if (path === undefined) decode(undefined);
    else await readPart(place.storage, path, decode);
  }
  return found;
}

function decodeOne(vector: VectorDescriptor, file: Uint8Array | undefined): PositionBitmap {
  if (file !== undefined) {
    return decodeVector(file, { offset: vector.offset ?? 1, length: vector.sizeInBytes + frameBytes });
  }
  const record = wrapVector(decodeZ85(vector.pathOrInlineDv).subarray(0, vector.sizeInBytes));
  return decodeVector(record, { offset: 0, length: record.length });
}
