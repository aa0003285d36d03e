/** The model a job embeds with: what it needs to be reached, and its start. */
import { join, resolve } from "node:path";
import { formatCount } from "../../lib/cli/format.ts";
import type { Need } from "../../lib/cli/permission.ts";
import type { Progress } from "../../lib/cli/progress.ts";
import { createEmbedder } from "../../lib/embed/create_embedder.ts";
import { type Embedder, modelVersion } from "../../lib/embed/embedder.ts";
import { defaultHub, downloadedModel, type HubOptions } from "../../lib/embed/hub/hub_model.ts";
import { namedModel } from "../../lib/embed/model_source.ts";
import { toWeirError } from "../../lib/errors.ts";
import type { ModelSettings } from "./capture_settings.ts";
import { stateFolder } from "../../lib/settings/state_folder.ts";

/** Hosts that huggingface.co sends files from. */
const hubFileHosts = ["*.huggingface.co", "*.hf.co"];

/** What has to be reached for a model: its folder, or the hub where it is not downloaded yet. */
export async function modelNeeds(settings: ModelSettings): Promise<readonly Need[]> {
  const named = namedModel(settings.model);
  if (named.kind === "folder") return [{ kind: "file", path: named.path }];
  if (named.kind !== "hub") return [];
  const folder: Need = { kind: "folder", path: resolve(settings.modelCache) };
  const isThere = await downloadedModel(named.name, settings.modelDtype, hubOptions(settings)).catch((thrown) => {
    // A folder that may not be read is told about with everything else that is needed.
    if (thrown?.cause instanceof Deno.errors.NotCapable) return undefined;
    throw thrown;
  });
  if (isThere !== undefined || settings.offline) return [folder];
  const { host } = new URL(settings.hubEndpoint ?? defaultHub);
  const hosts = settings.hubEndpoint === undefined ? [host, ...hubFileHosts] : [host];
  return [folder, ...hosts.map((host): Need => ({ kind: "host", host }))];
}

/** Starts the model; one of the hub is downloaded first where it is not there yet, and named with its commit. */
export async function startModel(
  settings: ModelSettings,
  { signal, progress, workers = 1 }: {
    readonly signal: AbortSignal;
    readonly progress: Progress;
    readonly workers?: number;
  },
): Promise<Embedder> {
  const { model, modelDtype: dtype, modelDevice: device, modelPooling: pooling } = settings;
  const onProgress: HubOptions["onProgress"] = ({ bytes, totalBytes }) =>
    progress.update({ activity: `downloading ${model}`, rows: bytes, totalRows: totalBytes, unit: "bytes" });
  const embedder = await createEmbedder(model, {
    workers,
    dtype,
    device,
    ...(pooling === "model" ? {} : { pooling }),
    hub: { ...hubOptions(settings), signal, onProgress },
    cache: {
      path: join(resolve(stateFolder), "vectors", "cache.sqlite"),
      mostBytes: settings.vectorCacheBytes,
      onTrouble: (thrown) => progress.note(`embedding goes on without its cache: ${toWeirError(thrown).message}`),
    },
  });
  if (embedder.model.semantic) progress.note(`embedding with ${modelVersion(embedder.model)}`);
  return embedder;
}

/** What to say of texts that the model did not read to their end; nothing where there was none. */
export function truncationNotes({ model, truncated = 0 }: Pick<Embedder, "model" | "truncated">): readonly string[] {
  if (truncated === 0) return [];
  const texts = truncated === 1 ? "1 text was" : `${formatCount(truncated)} texts were`;
  return [`${texts} longer than ${model.id} reads: only the beginning is in the vector`];
}

/** How the hub is reached, and where its models are kept. */
export function hubOptions(settings: ModelSettings): HubOptions {
  const { hubEndpoint: endpoint, hubToken: token, offline, modelCache: cacheFolder } = settings;
  return { endpoint, token, offline, cacheFolder };
}
