/** Deletion vectors of tables without a key (Paimon `DeletionVectorsIndexFile`, `BitmapDeletionVector`). */
import { crc32 } from "node:zlib";
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { concatenate, decodeRoaring32, encodeRoaring32 } from "../deleted_rows/roaring.ts";
import { type VectorRange, vectorsIndex } from "./index_manifest.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import type { PaimonSchema } from "./schema.ts";
import type { Snapshot } from "./snapshot.ts";
import type { LiveFile } from "./table_state.ts";

const fileVersion = Uint8Array.of(1);
/** Big-endian. */
const vectorMagic = Uint8Array.of(0x5e, 0x43, 0xf2, 0xd0);

/** Table option without which readers show deleted rows. */
export const vectorsOption = "deletion-vectors.enabled";

/** One file with the vectors of several data files. */
export function encodeVectors(
  vectors: readonly { readonly name: string; readonly positions: PositionBitmap }[],
): { readonly bytes: Uint8Array; readonly ranges: readonly VectorRange[] } {
  const records = vectors.map(({ positions }) => record(concatenate([vectorMagic, encodeRoaring32(positions)])));
  let offset = fileVersion.length;
  const ranges = vectors.map(({ name, positions }, index) => {
    const { length } = records[index]!;
    const range = { f0: name, f1: offset, f2: length - 8, _CARDINALITY: BigInt(positions.count) };
    offset += length;
    return range;
  });
  return { bytes: concatenate([fileVersion, ...records]), ranges };
}

/** A vector with its length before and its checksum behind it. */
function record(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 8);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, body.length);
  bytes.set(body, 4);
  view.setUint32(4 + body.length, crc32(body));
  return bytes;
}

function decodeVector(file: Uint8Array, { f1, f2 }: VectorRange): PositionBitmap {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const body = file.subarray(f1 + 4, f1 + 4 + f2);
  if (view.getInt32(f1) !== f2 || body.length !== f2) throw new RangeError("a deletion vector's length is wrong");
  if (view.getUint32(f1 + 4 + f2) !== crc32(body)) throw new RangeError("a deletion vector's checksum is wrong");
  if (vectorMagic.some((byte, index) => body[index] !== byte)) {
    throw new RangeError("a deletion vector is of another kind");
  }
  return decodeRoaring32(body.subarray(vectorMagic.length));
}

/** A snapshot's files with their deleted rows, where its table has any. */
export async function withDeleted(
  reader: MetadataReader,
  of: { readonly schema: PaimonSchema; readonly snapshot: Snapshot; readonly files: readonly LiveFile[] },
): Promise<readonly LiveFile[]> {
  const { schema, snapshot, files } = of;
  const { indexManifest } = snapshot.carried;
  if (typeof indexManifest !== "string" || schema.options[vectorsOption] !== "true") return files;
  const deleted = new Map<string, PositionBitmap>();
  for (const entry of await reader.indexManifest(indexManifest)) {
    if (entry._INDEX_TYPE !== vectorsIndex) continue;
    const ranges = entry._DELETIONS_VECTORS_RANGES ?? [];
    const vectors = await reader.part(
      reader.layout.index(entry._FILE_NAME),
      (bytes) => ranges.map((range) => decodeVector(bytes, range)),
    );
    for (const [index, { f0 }] of ranges.entries()) deleted.set(f0, vectors[index]!);
  }
  return files.map((file) => {
    const positions = deleted.get(file.name);
    return positions === undefined ? file : { ...file, deleted: { positions, since: snapshot.id } };
  });
}
