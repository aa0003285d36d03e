import assert from "node:assert/strict";
import { createEmbedder } from "../../embed/create_embedder.ts";
import { type Embedder, type TextBatch, textBatch, type VectorBatch } from "../../embed/embedder.ts";
import { EmbeddingService, type EmbeddingServiceOptions } from "./embedding_service.ts";

interface Answer {
  readonly data: readonly { readonly object: string; readonly index: number; readonly embedding: unknown }[];
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
  readonly error?: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: unknown;
  };
}

/** An embedder that works only when it is told to, and remembers how many texts came together. */
class HeldEmbedder implements Embedder {
  readonly model;
  readonly maxBatchesInFlight = 1;
  readonly batches: number[] = [];
  readonly #behind: Embedder;
  #gate = Promise.withResolvers<void>();

  constructor(behind: Embedder) {
    this.#behind = behind;
    this.model = behind.model;
  }

  async embed(texts: TextBatch): Promise<VectorBatch> {
    this.batches.push(texts.offsets.length - 1);
    await this.#gate.promise;
    return await this.#behind.embed(texts);
  }

  open(): void {
    this.#gate.resolve();
  }

  async close(): Promise<void> {}
}

async function withService(
  body: (service: EmbeddingService, embedder: Embedder) => Promise<void>,
  options: Partial<EmbeddingServiceOptions> = {},
): Promise<void> {
  const embedder = await createEmbedder("hash");
  try {
    await body(new EmbeddingService({ embedder, modelName: "hash", ...options }), embedder);
  } finally {
    await embedder.close();
  }
}

function post(
  body: unknown,
  headers: Record<string, string> = {},
  url = "http://127.0.0.1:8484/v1/embeddings",
): Request {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Request(url, { method: "POST", body: text, headers: { "content-type": "application/json", ...headers } });
}

async function ask(
  service: EmbeddingService,
  body: unknown,
): Promise<{ readonly status: number; readonly answer: Answer }> {
  const response = await service.handle(post(body));
  return { status: response.status, answer: await response.json() as Answer };
}

Deno.test("one text or several are answered in their order, as numbers or as bytes, with the vectors of the model itself", () =>
  withService(async (service, embedder) => {
    const { vectors } = await embedder.embed(textBatch(["Rent", "Größe 漢字"]));
    const rows = [vectors.subarray(0, 128), vectors.subarray(128)].map((vector) => Array.from(vector));
    const several = await ask(service, { model: "hash", input: ["Rent", "Größe 漢字"] });
    assert.equal(several.status, 200);
    assert.deepEqual(several.answer.data.map(({ embedding }) => embedding), rows);
    assert.deepEqual(several.answer.data.map(({ object, index }) => [object, index]), [["embedding", 0], [
      "embedding",
      1,
    ]]);
    assert.deepEqual([several.answer.model, several.answer.usage.total_tokens], ["hash", 1 + 4]);
    const one = await ask(service, {
      model: "weir-hash-nonsemantic@1",
      input: "Rent",
      encoding_format: "base64",
      dimensions: 128,
    });
    const asNull = await ask(service, { model: "hash", input: "Rent", encoding_format: null, dimensions: null });
    assert.deepEqual(asNull.answer.data.map(({ embedding }) => embedding), rows.slice(0, 1));
    const bytes = Uint8Array.from(atob(one.answer.data[0]!.embedding as string), (letter) => letter.charCodeAt(0));
    assert.deepEqual(Array.from(new Float32Array(bytes.buffer)), rows[0]);
    assert.deepEqual(service.counts, { requests: 3, refused: 0, texts: 4 });
  }));

Deno.test("a request that cannot be answered is refused with the field that is wrong", () =>
  withService(async (service) => {
    const wrong: [unknown, number, string | null, RegExp][] = [
      ["{", 400, null, /not a JSON object/],
      [[1], 400, null, /not a JSON object/],
      [{ input: "x" }, 400, "model", /missing.*hash/],
      [{ model: "text-embedding-3-small", input: "x" }, 404, "model", /no model "text-embedding-3-small"/],
      [{ model: "hash" }, 400, "input", /neither a text nor a list/],
      [{ model: "hash", input: [] }, 400, "input", /empty list/],
      [{ model: "hash", input: [1, 2] }, 400, "input", /token ids/],
      [{ model: "hash", input: [[1, 2]] }, 400, "input", /token ids/],
      [{ model: "hash", input: ["a", null] }, 400, "input[1]", /not a text/],
      [{ model: "hash", input: Array(2049).fill("a") }, 400, "input", /at most 2048/],
      [{ model: "hash", input: ["a", "é".repeat(2 ** 17 + 1)] }, 400, "input[1]", /262146 bytes.*at most 262144/],
      [{ model: "hash", input: "x".repeat(2 ** 18 + 1) }, 400, "input", /in pieces/],
      [{ model: "hash", input: "x", dimensions: 64 }, 400, "dimensions", /128 dimensions/],
      [{ model: "hash", input: "x", encoding_format: "hex" }, 400, "encoding_format", /neither float nor base64/],
      [
        { model: "hash", input: ["a", "b", "", "c"] },
        400,
        "input[2]",
        /input\[2\] cannot be embedded: the text is empty/,
      ],
    ];
    for (const [body, status, param, message] of wrong) {
      const refused = await ask(service, body);
      assert.equal(refused.status, status, String(message));
      const { error } = refused.answer;
      assert.deepEqual([error?.type, error?.param], ["invalid_request_error", param]);
      assert.match(error!.message, message);
    }
    assert.equal(service.counts.refused, wrong.length);
  }));

Deno.test("models and health are told, everything else is not there", () =>
  withService(async (service) => {
    const get = (path: string) => service.handle(new Request(`http://localhost:8484${path}`));
    const listed = await (await get("/v1/models")).json() as { readonly data: readonly { readonly id: string }[] };
    assert.deepEqual(listed.data.map(({ id }) => id), ["hash"]);
    const statuses: [string, number][] = [
      ["/health", 200],
      ["/v1/models/hash", 200],
      ["/v1/models/weir-hash-nonsemantic%401", 200],
      ["/v1/models/other", 404],
      ["/v1/models/%", 404],
      ["/v1/modelsx", 404],
      ["/v1/embeddings", 405],
      ["/", 404],
    ];
    for (const [path, status] of statuses) assert.equal((await get(path)).status, status, path);
    const plain = post({ model: "hash", input: "x" }, { "content-type": "text/plain" });
    assert.equal((await service.handle(plain)).status, 415);
  }));

Deno.test("with a token nobody is answered without it; without one, only who asks this machine by its own names", async () => {
  const body = { model: "hash", input: "x" };
  await withService(async (service) => {
    const status = async (headers: Record<string, string>) => (await service.handle(post(body, headers))).status;
    assert.equal(await status({}), 401);
    assert.equal(await status({ authorization: "Bearer wrong" }), 401);
    assert.equal(await status({ authorization: "Bearer s3cret" }), 200);
    assert.equal((await service.handle(new Request("http://x/health"))).status, 200);
  }, { token: "s3cret" });
  await assert.rejects(withService(async () => {}, { token: " " }), RangeError);
  await withService(async (service) => {
    const rebound = post(body, {}, "http://evil.example:8484/v1/embeddings");
    assert.equal((await service.handle(rebound)).status, 403);
    assert.equal((await service.handle(post(body, {}, "http://[::1]:8484/v1/embeddings"))).status, 200);
  });
});

Deno.test("a body that is too large is refused before it is read whole", () =>
  withService(async (service) => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1024;
        controller.enqueue(new Uint8Array(1024).fill(32));
      },
    });
    const headers = { "content-type": "application/json" };
    const request = new Request("http://127.0.0.1/v1/embeddings", { method: "POST", body: endless, headers });
    assert.equal((await service.handle(request)).status, 413);
    assert.ok(sent < 100_000);
  }, { bodyBytes: 10_000 }));

Deno.test("what comes while the model works goes to it together; too much is refused, and who has gone is left out", () =>
  withService(async (_, behind) => {
    const embedder = new HeldEmbedder(behind);
    const service = new EmbeddingService({ embedder, modelName: "hash", waitingTexts: 5, textsPerBatch: 4 });
    const gone = new AbortController();
    const first = ask(service, { model: "hash", input: "a" });
    await settled();
    const waiting = [["b", "c"], ["d", ""]].map((input) => ask(service, { model: "hash", input }));
    await settled();
    const leaving = service.handle(new Request(post({ model: "hash", input: "e" }), { signal: gone.signal }));
    await settled();
    const refused = await service.handle(post({ model: "hash", input: "f" }));
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    gone.abort();
    embedder.open();
    const answers = await Promise.all([first, ...waiting]);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 400]);
    assert.equal((await leaving).status, 500);
    assert.deepEqual(embedder.batches, [1, 4]);
    const direct = await behind.embed(textBatch(["c"]));
    assert.deepEqual(answers[1]!.answer.data[1]!.embedding, Array.from(direct.vectors));
  }));

Deno.test("the bytes of requests under way are bounded, whoever sends them, and free again once those are answered", () =>
  withService(async (_, behind) => {
    const embedder = new HeldEmbedder(behind);
    const service = new EmbeddingService({ embedder, modelName: "hash", pendingBytes: 1000 });
    const large = { model: "hash", input: "x".repeat(2000) };
    const first = ask(service, large);
    await settled();
    const refused = await service.handle(post({ model: "hash", input: "y" }));
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    embedder.open();
    assert.equal((await first).status, 200);
    assert.equal((await ask(service, large)).status, 200);
  }));

/** Lets what is under way go as far as it can. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
}
