import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { ModelHub } from "../../testing/model_hub.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { fetchModel, type HubOptions } from "./hub_model.ts";
import { hubAttempts } from "./hub_request.ts";
import { hubName } from "./model_listing.ts";

const name = { model: "example/sentence-model", revision: "main" };
const weights = "weights ".repeat(40_000);
const files = {
  ".gitattributes": "*.onnx lfs",
  "README.md": "# A model",
  "config.json": `{"model_type": "bert"}`,
  "modules.json": "[]",
  "1_Pooling/config.json": "{}",
  "tokenizer.json": `{"model": "é"}`,
  "onnx/model.onnx": weights,
  "onnx/model_quantized.onnx": "small weights",
  "pytorch_model.bin": "not needed",
};

interface Scene {
  readonly hub: ModelHub;
  readonly options: HubOptions;
  readonly cacheFolder: string;
}

function withHub(body: (scene: Scene) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async (cacheFolder) => {
    await using hub = new ModelHub(name.model, files);
    await body({ hub, cacheFolder, options: { endpoint: `${hub.endpoint}/`, cacheFolder, retryMs: 1 } });
  });
}

async function contents(folder: string, from = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(join(folder, from))) {
    const path = join(from, entry.name);
    found.push(...entry.isDirectory ? await contents(folder, path) : [path]);
  }
  return found.toSorted();
}

Deno.test("what a model needs is downloaded, with its commit and checksums recorded, and nothing else", async () => {
  await withHub(async ({ hub, options }) => {
    const seen: number[] = [];
    const folder = await fetchModel(name, "fp32", { ...options, onProgress: ({ bytes }) => seen.push(bytes) });
    assert.deepEqual([folder.id, folder.revision], [name.model, hub.commit]);
    assert.deepEqual(await contents(folder.path), [
      "1_Pooling/config.json",
      "config.json",
      "modules.json",
      "onnx/model.onnx",
      "tokenizer.json",
      "weir_download.json",
    ]);
    assert.equal(await Deno.readTextFile(join(folder.path, "onnx/model.onnx")), weights);
    const manifest = JSON.parse(await Deno.readTextFile(join(folder.path, "weir_download.json")));
    assert.equal(manifest.commit, hub.commit);
    assert.equal(manifest.sha256["onnx/model.onnx"], createHash("sha256").update(weights).digest("hex"));
    assert.ok(seen.includes(weights.length));
  });
});

Deno.test("a model that is there is used without any request, also offline and when its branch has moved on", async () => {
  await withHub(async ({ hub, options }) => {
    const first = await fetchModel(name, "fp32", options);
    hub.takeVisits();
    hub.commit = "2".repeat(40);
    for (const offline of [false, true]) {
      assert.deepEqual(await fetchModel(name, "fp32", { ...options, offline }), first);
    }
    assert.deepEqual(hub.takeVisits(), []);
    const pinned = await fetchModel({ ...name, revision: hub.commit }, "fp32", options);
    assert.equal(pinned.revision, "2".repeat(40));
    assert.deepEqual(await fetchModel(name, "fp32", options), first);
  });
});

Deno.test("other weights of a model are fetched beside those that are there", async () => {
  await withHub(async ({ hub, options }) => {
    await fetchModel(name, "fp32", options);
    hub.takeVisits();
    await assert.rejects(fetchModel(name, "q8", { ...options, offline: true }), {
      kind: "configuration",
      message: /offline: onnx\/model_quantized\.onnx is missing/,
    });
    const { path } = await fetchModel(name, "q8", options);
    assert.equal(await Deno.readTextFile(join(path, "onnx/model_quantized.onnx")), "small weights");
    assert.deepEqual(hub.takeVisits().map(({ kind }) => kind), ["resolve", "file"]);
  });
});

Deno.test("a connection that is cut again and again is gone on from where it stood", async () => {
  await withHub(async ({ hub, options }) => {
    // More cuts than attempts: those that get on do not count.
    const cutAfter = Math.floor(weights.length / (hubAttempts + 3));
    hub.faults = { cutAfter: { "onnx/model.onnx": cutAfter } };
    const { path } = await fetchModel(name, "fp32", options);
    assert.equal(await Deno.readTextFile(join(path, "onnx/model.onnx")), weights);
    const ranges = hub.takeVisits().filter(({ kind }) => kind === "file").map(({ range }) => range);
    assert.ok(ranges.length > hubAttempts, String(ranges.length));
    assert.equal(ranges[0], null);
    assert.ok(ranges.slice(1).every((range) => range !== null));
  });
});

Deno.test("what one run has downloaded the next one goes on from, and starts over where the hub knows no ranges", async () => {
  for (const ignoresRange of [false, true]) {
    await withHub(async ({ hub, options }) => {
      const stop = new AbortController();
      hub.faults = { cutAfter: { "onnx/model.onnx": 1000 } };
      const onProgress = ({ bytes }: { bytes: number }) => bytes >= 1000 ? stop.abort() : undefined;
      await assert.rejects(fetchModel(name, "fp32", { ...options, signal: stop.signal, onProgress }), {
        name: "WeirError",
      });
      hub.takeVisits();
      hub.faults = { ignoresRange };
      const { path } = await fetchModel(name, "fp32", options);
      assert.equal(await Deno.readTextFile(join(path, "onnx/model.onnx")), weights);
      const [visit] = hub.takeVisits().filter(({ kind }) => kind === "file");
      assert.match(visit?.range ?? "", /^bytes=\d{4,}-$/);
    });
  }
});

Deno.test("a file that is not what the hub lists is never used", async () => {
  for (const path of ["onnx/model.onnx", "config.json"] as const) {
    await withHub(async ({ hub, options, cacheFolder }) => {
      const content: string = files[path];
      hub.faults = { changed: { [path]: content.replace(/.$/, "x") } };
      await assert.rejects(fetchModel(name, "fp32", options), { kind: "connection", message: /has (?:not )?the/ });
      assert.ok(!(await contents(cacheFolder)).some((found) => found.includes(path)));
      hub.faults = {};
      await fetchModel(name, "fp32", options);
    });
  }
});

Deno.test("a file that was damaged or lost on disk is fetched anew", async () => {
  await withHub(async ({ options }) => {
    const { path } = await fetchModel(name, "fp32", options);
    await Deno.truncate(join(path, "onnx/model.onnx"), 10);
    await Deno.remove(join(path, "tokenizer.json"));
    await fetchModel(name, "fp32", options);
    assert.equal(await Deno.readTextFile(join(path, "onnx/model.onnx")), weights);
  });
});

Deno.test("the token goes to the hub and not to where it redirects to", async () => {
  await withHub(async ({ hub, options }) => {
    await fetchModel(name, "fp32", { ...options, token: "hf_secret" });
    const visits = hub.takeVisits();
    assert.ok(visits.some(({ kind }) => kind === "file"));
    for (const { kind, authorization } of visits) {
      assert.equal(authorization, kind === "file" ? null : "Bearer hf_secret");
    }
  });
});

Deno.test("a refusal is told with what to do, and not tried again", async () => {
  const refusals = [[401, "authentication", /HF_TOKEN/], [403, "authentication", /HF_TOKEN/], [
    404,
    "configuration",
    /revision/,
  ]] as const;
  for (const [status, kind, advice] of refusals) {
    await withHub(async ({ hub, options }) => {
      hub.faults = { status };
      const refused = await fetchModel(name, "fp32", options).catch((thrown) => thrown);
      assert.deepEqual([refused.kind, hub.takeVisits().length], [kind, 1]);
      assert.match(refused.message, new RegExp(`${name.model}.*${status}`));
      assert.match(refused.advice, advice);
    });
  }
});

Deno.test("a hub that is down, or has trouble, is named after some attempts, and offline is not asked", async () => {
  await withHub(async ({ hub, options }) => {
    hub.faults = { status: 503 };
    await assert.rejects(fetchModel(name, "fp32", options), { kind: "connection", message: /answers 503/ });
    assert.equal(hub.takeVisits().length, hubAttempts);
    await assert.rejects(fetchModel(name, "fp32", { ...options, offline: true }), { message: /offline: it was not/ });
    assert.deepEqual(hub.takeVisits(), []);
    const down = { ...options, endpoint: "http://127.0.0.1:1" };
    const refused = await fetchModel(name, "fp32", down).catch((thrown) => thrown);
    assert.match(refused.message, /Cannot reach the model hub at http:\/\/127\.0\.0\.1:1/);
    assert.match(refused.advice, /HF_ENDPOINT/);
  });
});

Deno.test("weights a model does not have are refused with those it has", async () => {
  await withHub(async ({ options }) => {
    await assert.rejects(fetchModel(name, "fp16", options), {
      kind: "configuration",
      message: /no model_fp16\.onnx/,
      advice: "Choose with --model-dtype from fp32, q8",
    });
  });
});

Deno.test("names of the hub are told from others", () => {
  assert.deepEqual(hubName("BAAI/bge-small-en-v1.5"), { model: "BAAI/bge-small-en-v1.5", revision: "main" });
  assert.deepEqual(hubName("a/b@refs/pr/1"), { model: "a/b", revision: "refs/pr/1" });
  for (const other of ["a", "a/b/c", "../b", "a/..", "a/b@", "a/b@../c", "/a/b", "a b/c", ""]) {
    assert.equal(hubName(other), undefined, other);
  }
});
