/**
 * One file of the hub onto disk.
 *
 * Promise: under its name stands the whole file, checked against the hub's checksum, or nothing. What has come so far stands
 * beside it as `.part` and is gone on from, in this run and in the next.
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { storageError, WeirError } from "../../errors.ts";
import { type HubAccess, hubRequest, Silence, unreachable, withAttempts } from "./hub_request.ts";
import type { HubFile } from "./model_listing.ts";

/** What to download, and where to. */
export interface Download {
  /** `organisation/name`. */
  readonly model: string;
  readonly commit: string;
  readonly file: HubFile;
  /** Absolute path of the whole file. */
  readonly path: string;
  /** Bytes on disk so far. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Downloads a file and gives its SHA-256.
 *
 * @throws {WeirError} What {@linkcode hubRequest} throws; `connection` if what came is not what the hub lists; `storage` or
 * `storageFull` if it cannot be written.
 */
export async function downloadFile(access: HubAccess, download: Download): Promise<string> {
  const { path, file } = download;
  const part = `${path}.part`;
  await onDisk(path, () => Deno.mkdir(dirname(path), { recursive: true }));
  let furthest = await bytesOf(part);
  const attempt = async () => {
    const present = await bytesOf(part);
    furthest = Math.max(furthest, present);
    const onBytes = (bytes: number) => {
      furthest = Math.max(furthest, bytes);
      download.onBytes(bytes);
    };
    if (present < file.bytes || file.bytes === 0) await receive(access, { ...download, onBytes, part, present });
    const { sha256, problem } = await onDisk(part, () => inspect(part, file));
    if (problem !== undefined) {
      await Deno.remove(part);
      throw new WeirError("connection", `What came as ${file.path} of ${download.model} ${problem}`, {
        advice:
          "Start again: the file is fetched anew. If it happens again, something between here and the hub changes it",
      });
    }
    await onDisk(path, () => Deno.rename(part, path));
    return sha256;
  };
  return await withAttempts(access, attempt, () => furthest);
}

interface Receiving extends Download {
  readonly part: string;
  /** Bytes that are there already. */
  readonly present: number;
}

async function receive(access: HubAccess, task: Receiving): Promise<void> {
  const { model, commit, file, part, present } = task;
  const path = `/${model}/resolve/${commit}/${file.path.split("/").map(encodeURIComponent).join("/")}`;
  const headers = present === 0 ? {} : { range: `bytes=${present}-` };
  using silence = new Silence();
  const response = await hubRequest(access, { path, model: `${file.path} of ${model}`, headers }, silence);
  const goesOn = response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${present}-`);
  if (response.status === 416 || response.body === null) {
    // Nothing to go on from: the next attempt begins anew.
    await response.body?.cancel();
    await Deno.remove(part).catch(() => {});
    throw new WeirError("connection", `${access.endpoint} sends nothing for ${file.path} of ${model}`);
  }
  const start = goesOn ? present : 0;
  using written = await onDisk(part, () => Deno.open(part, { write: true, create: true }));
  await written.truncate(start);
  await written.seek(start, Deno.SeekMode.Start);
  await copy(access, response.body, { ...task, written, start, silence });
}

interface Copying extends Receiving {
  readonly written: Deno.FsFile;
  readonly start: number;
  readonly silence: Silence;
}

async function copy(
  access: HubAccess,
  body: ReadableStream<Uint8Array>,
  { written, start, part, onBytes, silence }: Copying,
): Promise<void> {
  let bytes = start;
  const chunks = body.getReader();
  for (;;) {
    const { done, value } = await chunks.read().catch((thrown) => {
      throw unreachable(thrown, access);
    });
    if (done) return;
    silence.broken();
    for (let from = 0; from < value.length;) {
      from += await onDisk(part, () => written.write(value.subarray(from)));
    }
    bytes += value.length;
    onBytes(bytes);
  }
}

/** The file's SHA-256, and what is wrong with it. */
async function inspect(part: string, file: HubFile): Promise<{ readonly sha256: string; readonly problem?: string }> {
  const { size } = await Deno.stat(part);
  const sha256 = createHash("sha256");
  const git = createHash("sha1").update(`blob ${size}\0`);
  using opened = await Deno.open(part);
  for await (const chunk of opened.readable) {
    sha256.update(chunk);
    if (file.gitSha1 !== undefined) git.update(chunk);
  }
  const digest = sha256.digest("hex");
  if (size !== file.bytes) return { sha256: digest, problem: `has ${size} bytes and not ${file.bytes}` };
  if (file.sha256 !== undefined && file.sha256 !== digest) {
    return { sha256: digest, problem: `has the SHA-256 ${digest} and not ${file.sha256}` };
  }
  if (file.gitSha1 !== undefined && file.gitSha1 !== git.digest("hex")) {
    return { sha256: digest, problem: "has not the checksum that the hub lists" };
  }
  return { sha256: digest };
}

async function bytesOf(path: string): Promise<number> {
  return (await Deno.stat(path).catch(() => undefined))?.size ?? 0;
}

async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw storageError(thrown, path);
  }
}
