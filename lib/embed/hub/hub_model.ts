/**
 * Models of a hub, kept in a folder of ours.
 *
 * Promise: a name is resolved to a commit once, and stays there: what was downloaded is used without any request from then on, and
 * no vector changes because somebody pushed. Another commit is another revision, named by the user.
 */
import { join, resolve } from "node:path";
import { storageError, WeirError } from "../../errors.ts";
import { readModelObject, textOf } from "../transformer/model_file.ts";
import type { ModelFolder } from "../model_files.ts";
import { chooseOnnxFile, isUsageFile } from "../transformer/transformer_source.ts";
import { downloadFile } from "./file_download.ts";
import type { HubAccess } from "./hub_request.ts";
import { type HubFile, type HubName, isCommit, listModel, type ModelListing } from "./model_listing.ts";

/** Where models come from and where they are kept. */
export interface HubOptions {
  /** Default `https://huggingface.co`. */
  readonly endpoint?: string | undefined;
  readonly token?: string | undefined;
  /** Use only what is there. Default false. */
  readonly offline?: boolean;
  /** Folder of downloaded models. Default `data/state/models`. */
  readonly cacheFolder?: string;
  readonly signal?: AbortSignal;
  /** Called now and then while files come. */
  readonly onProgress?: (progress: HubProgress) => void;
  /** Pause before the first new attempt, milliseconds. Default 500. */
  readonly retryMs?: number;
}

/** How far a download is. */
export interface HubProgress {
  readonly model: string;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Where the hub is unless something else is said. */
export const defaultHub = "https://huggingface.co";
/** Where models are kept unless something else is said. */
export const defaultCacheFolder = "data/state/models";

/** What is known of a downloaded commit; kept beside its files. */
interface Manifest extends ModelListing {
  readonly model: string;
  /** What it came from. */
  readonly endpoint: string;
  /** SHA-256 of each file that was downloaded and checked. */
  readonly sha256: Readonly<Record<string, string>>;
}

const manifestName = "weir_download.json";
const revisionsName = "revisions.json";

/** The folder of a model of which everything needed is there; undefined if the hub has to be asked. */
export async function downloadedModel(
  name: HubName,
  dtype: string,
  options: HubOptions,
): Promise<ModelFolder | undefined> {
  const manifest = await knownManifest(name, options);
  if (manifest === undefined) return undefined;
  const place = placeOf(manifest, options);
  if ((await missing(place, dtype)).length > 0) return undefined;
  return { path: resolve(place), id: name.model, revision: manifest.commit };
}

/**
 * The folder of a model of the hub, after downloading what is missing.
 *
 * @throws {WeirError} `connection`, `authentication` or `configuration` where the hub cannot be reached or refuses; `configuration`
 * offline, if something is missing; `storage` or `storageFull`.
 */
export async function fetchModel(name: HubName, dtype: string, options: HubOptions): Promise<ModelFolder> {
  const ready = await downloadedModel(name, dtype, options);
  if (ready !== undefined) return ready;
  using _lock = await locked(folderOf(name, options));
  const manifest = await knownManifest(name, options) ?? await newManifest(name, options);
  const place = placeOf(manifest, options);
  // What kind of model it is, and so what it needs beside, stands in the files that come first.
  for (let wanted = await missing(place, dtype); wanted.length > 0; wanted = await missing(place, dtype)) {
    await download({ name, options, place, wanted });
  }
  return { path: resolve(place), id: name.model, revision: manifest.commit };
}

function folderOf({ model }: { readonly model: string }, { cacheFolder = defaultCacheFolder }: HubOptions): string {
  return join(cacheFolder, ...model.split("/"));
}

function placeOf(manifest: Manifest, options: HubOptions): string {
  return join(folderOf(manifest, options), manifest.commit);
}

async function knownManifest(name: HubName, options: HubOptions): Promise<Manifest | undefined> {
  const { revision } = name;
  const folder = folderOf(name, options);
  const commit = isCommit(revision) ? revision : textOf(await readModelObject(folder, revisionsName), revision);
  return commit === undefined ? undefined : await readManifest(join(folder, commit));
}

async function newManifest(name: HubName, options: HubOptions): Promise<Manifest> {
  requireOnline(name, options, "it was not downloaded yet");
  const access = accessOf(options);
  const listing = await listModel(access, name);
  const folder = folderOf(name, options);
  const known = await readManifest(join(folder, listing.commit));
  const manifest = known ?? { model: name.model, endpoint: access.endpoint, ...listing, sha256: {} };
  if (known === undefined) await writeJson(placeOf(manifest, options), manifestName, manifest);
  if (!isCommit(name.revision)) {
    const others = await readModelObject(folder, revisionsName);
    await writeJson(folder, revisionsName, { ...others, [name.revision]: listing.commit });
  }
  return manifest;
}

/** The files that are needed and not there as they were downloaded. */
async function missing(place: string, dtype: string): Promise<readonly HubFile[]> {
  const manifest = await readManifest(place);
  if (manifest === undefined) throw new WeirError("storage", `There is no ${manifestName} in ${place}`);
  const weights = await weightsOf(manifest, place, dtype);
  const wanted = manifest.files.filter(({ path }) =>
    isUsageFile(path) || weights !== undefined && path.startsWith(weights)
  );
  const present = await Promise.all(wanted.map(async ({ path, bytes }) =>
    manifest.sha256[path] !== undefined &&
    (await Deno.stat(join(place, path)).catch(() => undefined))?.size === bytes
  ));
  return wanted.filter((_, index) => !present[index]);
}

/** How the names of the files with the weights begin; undefined while it is not known what kind of model it is. */
async function weightsOf(manifest: Manifest, place: string, dtype: string): Promise<string | undefined> {
  if (manifest.sha256["config.json"] === undefined) return undefined;
  const isStatic = textOf(await readModelObject(place, "config.json"), "model_type") === "model2vec";
  return isStatic ? "model.safetensors" : chooseOnnxFile(manifest.files.map(({ path }) => path), dtype, manifest.model);
}

interface Wanted {
  readonly name: HubName;
  readonly options: HubOptions;
  readonly place: string;
  readonly wanted: readonly HubFile[];
}

async function download({ name, options, place, wanted }: Wanted): Promise<void> {
  requireOnline(name, options, `${wanted[0]!.path} is missing`);
  const totalBytes = wanted.reduce((sum, file) => sum + file.bytes, 0);
  let before = 0;
  for (const file of wanted) {
    const manifest = await readManifest(place);
    if (manifest === undefined) throw new WeirError("storage", `The model's ${manifestName} has gone`);
    const sha256 = await downloadFile(accessOf(options), {
      model: name.model,
      commit: manifest.commit,
      file,
      path: join(place, file.path),
      onBytes: (bytes) => options.onProgress?.({ model: name.model, bytes: before + bytes, totalBytes }),
    });
    before += file.bytes;
    await writeJson(place, manifestName, { ...manifest, sha256: { ...manifest.sha256, [file.path]: sha256 } });
  }
}

function accessOf({ endpoint = defaultHub, token, signal, retryMs = 500 }: HubOptions): HubAccess {
  return {
    endpoint: endpoint.replace(/\/+$/, ""),
    retryMs,
    ...(token === undefined || token === "" ? {} : { token }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function requireOnline({ model, revision }: HubName, { offline }: HubOptions, why: string): void {
  if (!offline) return;
  throw new WeirError("configuration", `Cannot use the model ${model}@${revision} offline: ${why}`, {
    advice: "Run once without --offline, or put the model's files into a folder and give --model ./folder",
  });
}

async function readManifest(place: string): Promise<Manifest | undefined> {
  const read = await readModelObject(place, manifestName);
  return typeof read["commit"] === "string" ? read as unknown as Manifest : undefined;
}

/** Whole or not at all: it is read by every later start. */
async function writeJson(folder: string, name: string, value: unknown): Promise<void> {
  const path = join(folder, name);
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${path}.part`, `${JSON.stringify(value, null, 2)}\n`);
    await Deno.rename(`${path}.part`, path);
  } catch (thrown) {
    throw storageError(thrown, path);
  }
}

/** Jobs that start at once download once. */
async function locked(folder: string): Promise<Disposable> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    const file = await Deno.open(join(folder, "lock"), { create: true, write: true });
    await file.lock(true);
    return file;
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
}
