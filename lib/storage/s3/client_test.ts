import assert from "node:assert/strict";
import type { WeirError } from "../../errors.ts";
import { type AskedRequest, refusal, withScriptedStore } from "../../testing/scripted_store.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { bucketUrl, ObjectClient } from "./client.ts";
import { objectLocation } from "./location.ts";
import { S3Storage } from "./s3_storage.ts";

const secretAccessKey = "wJalrXUtnFEMI/K7MDENG";
const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey, sessionToken: "a-temporary-token" };
const common = { region: "us-east-1", credentials, firstWaitMs: 1 };

function clientOf(endpoint: string, options: { readonly patienceMs?: number } = {}): ObjectClient {
  return new ObjectClient({ ...common, ...options, scheme: "s3", bucket: "lake", endpoint });
}

Deno.test("trouble that passes is asked through, and one that stays is told with its reason and without a secret", async () => {
  let left = 3;
  await withScriptedStore(
    () => left-- > 0 ? refusal(503, "SlowDown") : new Response("here"),
    async ({ endpoint, asked }) => {
      const client = clientOf(endpoint);
      assert.equal(await client.send({ method: "GET", key: "a" }, (response) => response.text()), "here");
      assert.equal(asked.length, 4);
      left = 1000;
      const error = await clientOf(endpoint, { patienceMs: 300 }).send({ method: "GET", key: "a" }, () => {}).catch((
        thrown,
      ) => thrown as WeirError);
      assert.ok(error);
      assert.equal(error.kind, "connection");
      assert.match(error.message, /failed \d+ times in a row: The store answered 503 SlowDown to GET a$/);
      for (const text of [error.message, error.advice, JSON.stringify(error.detail), Deno.inspect(error)]) {
        assert.ok(!text.includes(secretAccessKey) && !text.includes("a-temporary-token"));
      }
    },
  );
});

Deno.test("a store that is not there, or does not answer in time, is told as that", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const slow = new ObjectClient({
    ...common,
    scheme: "s3",
    bucket: "lake",
    endpoint: `http://127.0.0.1:${port}`,
    timeoutMs: 50,
    patienceMs: 80,
  });
  await assert.rejects(slow.send({ method: "GET", key: "a" }, () => {}), {
    kind: "connection",
    message: /failed \d times in a row: it did not answer in time$/,
  });
  listener.close();
  await assert.rejects(
    clientOf(`http://127.0.0.1:${port}`, { patienceMs: 300 }).send({ method: "GET", key: "a" }, () => {}),
    {
      kind: "connection",
      message: /failed \d+ times in a row: Connection refused$/i,
    },
  );
});

Deno.test("what a store refuses is asked once, and its error says what to do", async () => {
  const refusals: readonly [Response, Partial<WeirError> | { readonly advice: RegExp }][] = [
    [refusal(403, "SignatureDoesNotMatch"), { kind: "authentication", advice: /AWS_SECRET_ACCESS_KEY/ }],
    [refusal(403, "AccessDenied"), { kind: "authentication", advice: /list, read, write and delete below lake/ }],
    [refusal(403, "RequestTimeTooSkewed"), { kind: "precondition", advice: /clock/ }],
    [refusal(404, "NoSuchBucket"), { kind: "precondition", advice: /Make the bucket/ }],
    [refusal(301, "PermanentRedirect", { "x-amz-bucket-region": "eu-west-1" }), {
      kind: "configuration",
      advice: /--s3-region eu-west-1/,
    }],
    [refusal(507, "XMinioStorageFull"), { kind: "storageFull" }],
    [refusal(501, "NotImplemented"), { kind: "storage" }],
  ];
  let answer = refusals[0]![0];
  await withScriptedStore(() => answer, async ({ endpoint, asked }) => {
    for (const [given, expected] of refusals) {
      answer = given;
      const before = asked.length;
      await assert.rejects(clientOf(endpoint).send({ method: "PUT", key: "a" }, () => {}), expected);
      assert.equal(asked.length, before + 1);
    }
  });
});

Deno.test("a store that lets the second of two conditional puts through is refused before anything is written", async () => {
  const objects = new Map<string, AskedRequest>();
  const forgetful = (request: AskedRequest): Response => {
    const { method, path } = request;
    if (method === "PUT") objects.set(path, request);
    if (method === "DELETE") objects.delete(path);
    const found = objects.get(path);
    if (found === undefined) return new Response(null, { status: 404 });
    return new Response(found.body);
  };
  await withScriptedStore(forgetful, async ({ endpoint }) => {
    await withTemporaryFolder(async (cacheFolder) => {
      for (const [place, says] of [["s3://lake/x", /If-None-Match/i], ["gs://lake/x", /generation-match/]] as const) {
        const location = objectLocation(place)!;
        const storage = new S3Storage({ ...common, location, endpoint, cacheFolder });
        await assert.rejects(storage.probe(), { kind: "precondition", message: says });
      }
      assert.equal(objects.size, 0, "the probe leaves nothing behind");
    });
  });
});

Deno.test("Google's store is asked for a generation of 0, with no header of the other family", async () => {
  await withScriptedStore(() => new Response(), async ({ endpoint, asked }) => {
    await withTemporaryFolder(async (cacheFolder) => {
      const { sessionToken: _, ...key } = credentials;
      const location = objectLocation("gs://lake")!;
      const storage = new S3Storage({ ...common, credentials: key, location, endpoint, cacheFolder });
      assert.equal(await storage.putIfAbsent("a b", new Uint8Array(3)), true);
      const [{ method, path, headers, body } = assert.fail("nothing was asked")] = asked;
      assert.deepEqual([method, path, body.length], ["PUT", "/lake/a%20b", 3]);
      assert.equal(headers.get("x-goog-if-generation-match"), "0");
      assert.deepEqual([...headers.keys()].filter((name) => name.startsWith("x-amz-")), []);
      assert.match(headers.get("authorization") ?? "", /^GOOG4-HMAC-SHA256 /);
    });
  });
});

Deno.test("a bucket stands before the host's name at AWS, unless a dot in it would leave the certificate, elsewhere in the path", () => {
  const url = (options: Partial<Parameters<typeof bucketUrl>[0]>) =>
    bucketUrl({ scheme: "s3", bucket: "lake", region: "eu-west-1", ...options }).href;
  assert.equal(url({}), "https://lake.s3.eu-west-1.amazonaws.com/");
  assert.equal(url({ bucket: "my.lake" }), "https://s3.eu-west-1.amazonaws.com/my.lake");
  assert.equal(url({ scheme: "gs" }), "https://storage.googleapis.com/lake");
  assert.equal(url({ endpoint: "http://127.0.0.1:9000" }), "http://127.0.0.1:9000/lake");
  assert.equal(url({ endpoint: "https://s3.example.com", addressing: "virtual" }), "https://lake.s3.example.com/");
});

Deno.test("a place in a bucket has one spelling, and what is neither that nor a folder is refused", () => {
  assert.deepEqual(objectLocation("gs://lake//a//b/"), { scheme: "gs", bucket: "lake", prefix: "a/b" });
  assert.equal(objectLocation("/var/lake"), undefined);
  assert.equal(objectLocation("C:/lake"), undefined);
  for (const wrong of ["s3a://lake/x", "s3://", "s3://La_ke!/x", "https://lake/x", "s3://lake/../x"]) {
    assert.throws(() => objectLocation(wrong), { kind: "configuration" });
  }
});
