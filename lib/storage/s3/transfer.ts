/**
 * Local files into an object store and back, in parts that are asked for again one by one.
 *
 * Promise: an object is there whole or not at all, however the transfer ends; memory is bounded by a few parts whatever the
 * file's size.
 */
import { storageError, WeirError } from "../../errors.ts";
import { atMost } from "../../at_most.ts";
import { errorCode, PassingFailure } from "./answer.ts";
import type { ObjectClient } from "./client.ts";
import { valueOf } from "./listing.ts";

/** One file and its object. */
export interface Transfer {
  /** Name in the bucket. */
  readonly key: string;
  /** Absolute local path. */
  readonly file: string;
  /** Bytes of a part. Default 8 MiB; more where the store's 10,000 parts would not do. */
  readonly partBytes?: number;
}

const defaultPartBytes = 8 * 2 ** 20;
const mostParts = 10_000;
/** Parts of one file that are under way at the same time. */
const partsAtOnce = 4;

/** Sends a file, in one piece where it is small, and gives its size. */
export async function uploadFile(client: ObjectClient, transfer: Transfer): Promise<number> {
  const { key, file: path } = transfer;
  using file = await Deno.open(path, { read: true }).catch((thrown) => {
    throw storageError(thrown, path);
  });
  const { size } = await file.stat();
  const partBytes = transfer.partBytes ?? Math.max(defaultPartBytes, Math.ceil(size / mostParts));
  if (size <= 2 * partBytes) {
    await client.send({ method: "PUT", key, body: readAt(file, { offset: 0, length: size }) }, () => {});
  } else await uploadParts(client, { key, file, size, partBytes });
  return size;
}

interface PartitionedFile {
  readonly key: string;
  readonly file: Deno.FsFile;
  readonly size: number;
  readonly partBytes: number;
}

async function uploadParts(client: ObjectClient, { key, file, size, partBytes }: PartitionedFile): Promise<void> {
  const start = await client.send({ method: "POST", key, query: { uploads: "" } }, (response) => response.text());
  const uploadId = valueOf(start, "UploadId");
  if (uploadId === undefined) {
    throw new WeirError("storage", "The object store began no upload", { detail: { path: key } });
  }
  try {
    const offsets = Array.from({ length: Math.ceil(size / partBytes) }, (_, index) => index * partBytes);
    const tags = await atMost(partsAtOnce, offsets, async (offset, index) => {
      const body = readAt(file, { offset, length: Math.min(partBytes, size - offset) });
      const query = { partNumber: String(index + 1), uploadId };
      return await client.send({ method: "PUT", key, query, body }, ({ headers }) => headers.get("etag") ?? "");
    });
    await completeUpload(client, { key, uploadId, tags, size });
  } catch (thrown) {
    await client.send({ method: "DELETE", key, query: { uploadId }, answers: [404] }, () => {}).catch(() => {});
    throw thrown;
  }
}

/** A store may answer 200 and say in the body that it failed; and an upload that is gone may have been completed already. */
async function completeUpload(
  client: ObjectClient,
  upload: { readonly key: string; readonly uploadId: string; readonly tags: readonly string[]; readonly size: number },
): Promise<void> {
  const { key, uploadId, tags, size } = upload;
  const parts = tags.map((tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag}</ETag></Part>`);
  const body = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
  const isGone = await client.send(
    { method: "POST", key, query: { uploadId }, body, answers: [404] },
    async (response) => {
      const code = errorCode(await response.text());
      if (code !== undefined && response.ok) {
        throw new PassingFailure(`The store could not complete an upload: ${code}`);
      }
      return response.status === 404;
    },
  );
  if (isGone && await sizeOf(client, key) !== size) {
    throw new WeirError("storage", "The object store lost an upload before it was complete", { detail: { path: key } });
  }
}

async function sizeOf(client: ObjectClient, key: string): Promise<number | undefined> {
  return await client.send(
    { method: "HEAD", key, answers: [404] },
    ({ status, headers }) => status === 404 ? undefined : Number(headers.get("content-length")),
  );
}

/**
 * Fetches an object into a new file, whole, and gives its size.
 *
 * @throws {WeirError} `tableUnreadable` where there is no such object, `storageFull` where the disk is full.
 */
export async function downloadFile(client: ObjectClient, transfer: Transfer): Promise<number> {
  const { key, file: path, partBytes = defaultPartBytes } = transfer;
  using file = await Deno.open(path, { write: true, create: true, truncate: true }).catch((thrown) => {
    throw storageError(thrown, path);
  });
  const size = await fetchPart(client, { key, file, offset: 0, partBytes });
  const others = Array.from(
    { length: Math.max(0, Math.ceil(size / partBytes) - 1) },
    (_, part) => (part + 1) * partBytes,
  );
  await atMost(partsAtOnce, others, (offset) => fetchPart(client, { key, file, offset, partBytes }));
  return size;
}

/** Writes one part to its place and gives the size of the whole. */
async function fetchPart(
  client: ObjectClient,
  part: { readonly key: string; readonly file: Deno.FsFile; readonly offset: number; readonly partBytes: number },
): Promise<number> {
  const { key, file, offset, partBytes } = part;
  const range = `bytes=${offset}-${offset + partBytes - 1}`;
  const request = { method: "GET", key, headers: { range }, answerBytes: partBytes, answers: [404] } as const;
  return await client.send(request, async (response) => {
    if (response.status === 404) {
      throw new WeirError("tableUnreadable", `Cannot read ${key}: it is missing`, { detail: { path: key } });
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    const [, total] = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
    // A store that does not know ranges sends all of it.
    const size = total === undefined ? bytes.length : Number(total);
    const wanted = total === undefined ? size : Math.min(partBytes, size - offset);
    if (bytes.length !== wanted) throw new PassingFailure(`${bytes.length} bytes of ${wanted} arrived`);
    writeAt(file, { offset: total === undefined ? 0 : offset, bytes, path: key });
    return size;
  });
}

/** Position and reading in one step: other parts use the same file meanwhile. */
function readAt(
  file: Deno.FsFile,
  { offset, length }: { readonly offset: number; readonly length: number },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let read = 0; read < length;) {
    const count = file.readSync(bytes.subarray(read));
    if (count === null) throw new WeirError("storage", "A file became shorter while it was sent");
    read += count;
  }
  return bytes;
}

function writeAt(
  file: Deno.FsFile,
  { offset, bytes, path }: { readonly offset: number; readonly bytes: Uint8Array; readonly path: string },
): void {
  try {
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
  } catch (thrown) {
    throw storageError(thrown, path);
  }
}
