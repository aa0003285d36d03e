/** Checks of the embedding model: that it is there, that its files are what they were, and that it makes a vector. */
import { createEmbedder } from "../../../lib/embed/create_embedder.ts";
import { modelVersion, textBatch } from "../../../lib/embed/embedder.ts";
import { downloadedModel } from "../../../lib/embed/hub/hub_model.ts";
import { findModel, namedModel, shippedRevision } from "../../../lib/embed/model_source.ts";
import type { ModelSettings } from "../capture_settings.ts";
import { hubOptions } from "../embedding_model.ts";
import { type Finding, ok } from "./finding.ts";

/**
 * What is said of the model. Nothing is downloaded.
 *
 * @param shipped Checksum that the model which comes with this program must have. Default: its own.
 */
export async function modelFindings(settings: ModelSettings, shipped = shippedRevision): Promise<readonly Finding[]> {
  const { model, modelDtype: dtype, modelDevice: device, modelPooling: pooling } = settings;
  const named = namedModel(model);
  if (named.kind === "hub" && await downloadedModel(named.name, dtype, hubOptions(settings)) === undefined) {
    const remedy = settings.offline ? "Run a job once without --offline" : "The first job that uses it downloads it";
    return [{ verdict: settings.offline ? "wrong" : "note", what: "model", says: `${model} is not here yet`, remedy }];
  }
  const hub = { ...hubOptions(settings), offline: true };
  // Before it is loaded: a file that was cut off may not load at all.
  const found = model === "weir" ? await findModel(model) : undefined;
  if (found?.kind === "static" && found.revision !== shipped) return [changedModel(found.revision, shipped)];
  const embedder = await createEmbedder(model, { dtype, device, ...pooling === "model" ? {} : { pooling }, hub });
  try {
    await embedder.embed(textBatch(["Payment: small inbound"]));
    return [ok("model", `${modelVersion(embedder.model)} makes vectors of ${embedder.model.dimensions} dimensions`)];
  } finally {
    await embedder.close();
  }
}

function changedModel(revision: string, shipped: string): Finding {
  return {
    verdict: "wrong",
    what: "model",
    says: `the files in data/models/weir have checksum ${revision}, and came with ${shipped}`,
    remedy: "git checkout -- data/models/weir brings them back",
  };
}
