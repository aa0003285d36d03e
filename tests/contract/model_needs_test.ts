/** What a job has to reach for the model it is given, asked before anything else is done. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import type { ModelSettings } from "../../jobs/wiring/capture_settings.ts";
import { modelNeeds } from "../../jobs/wiring/embedding_model.ts";
import { fetchModel } from "../../lib/embed/hub/hub_model.ts";
import { ModelHub } from "../../lib/testing/model_hub.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { tinyModelFiles } from "../../lib/testing/tiny_model.ts";

const defaults: ModelSettings = {
  model: "hash",
  modelDtype: "fp32",
  modelDevice: "cpu",
  modelPooling: "model",
  modelCache: "data/state/models",
  vectorCacheBytes: 2 ** 30,
  offline: false,
  hubEndpoint: undefined,
  hubToken: undefined,
};
const name = "example/tiny";

Deno.test("a model without files needs nothing, a folder's its folder, one of the hub its hosts", async () => {
  assert.deepEqual(await modelNeeds(defaults), []);
  assert.deepEqual(await modelNeeds({ ...defaults, model: "./x" }), [{ kind: "file", path: resolve("x") }]);
  await withTemporaryFolder(async (modelCache) => {
    const cache = { kind: "folder", path: modelCache };
    const settings = { ...defaults, model: name, modelCache };
    const hosts = ["huggingface.co", "*.huggingface.co", "*.hf.co"].map((host) => ({ kind: "host", host }));
    assert.deepEqual(await modelNeeds(settings), [cache, ...hosts]);
    const mirror = { ...settings, hubEndpoint: "http://mirror.example:8080/hf" };
    assert.deepEqual(await modelNeeds(mirror), [cache, { kind: "host", host: "mirror.example:8080" }]);
    assert.deepEqual(await modelNeeds({ ...settings, offline: true }), [cache]);
  });
});

Deno.test("a model of the hub that is there needs no host any more, until other weights of it are asked for", async () => {
  await withTemporaryFolder(async (modelCache) => {
    await using hub = new ModelHub(name, { ...tinyModelFiles(), "onnx/model_fp16.onnx": "half" });
    const options = { endpoint: hub.endpoint, cacheFolder: modelCache };
    await fetchModel({ model: name, revision: "main" }, "fp32", options);
    const settings = { ...defaults, model: name, modelCache, hubEndpoint: hub.endpoint };
    const cache = { kind: "folder", path: modelCache };
    assert.deepEqual(await modelNeeds(settings), [cache]);
    assert.deepEqual(await modelNeeds({ ...settings, modelDtype: "fp16" }), [
      cache,
      { kind: "host", host: new URL(hub.endpoint).host },
    ]);
  });
});
