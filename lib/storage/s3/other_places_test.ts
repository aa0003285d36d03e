import assert from "node:assert/strict";
import { refusal, withScriptedStore } from "../../testing/scripted_store.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import type { Credentials } from "../other_place.ts";
import { objectLocation } from "./location.ts";
import { S3Storage } from "./s3_storage.ts";

const own = { accessKeyId: "OWN", secretAccessKey: "own" };
const given = { accessKeyId: "GIVEN", secretAccessKey: "given", sessionToken: "token" };

async function withStorage(
  body: (storage: S3Storage, asked: () => readonly (readonly string[])[]) => Promise<void>,
): Promise<void> {
  await withScriptedStore(
    ({ headers }) =>
      headers.get("authorization")!.includes("REFUSED") ? refusal(403, "ExpiredToken") : new Response("x"),
    async ({ endpoint, asked }) => {
      await withTemporaryFolder(async (cacheFolder) => {
        const location = objectLocation("s3://lake/shop")!;
        const common = { endpoint, region: "us-east-1", firstWaitMs: 1, patienceMs: 300 };
        // Of each request: its path, and under which key it was asked.
        const told = () =>
          asked.map(({ path, headers }) => [path, /Credential=(\w+)/.exec(headers.get("authorization")!)![1]!]);
        await body(new S3Storage({ ...common, location, credentials: own, cacheFolder }), told);
      });
    },
  );
}

Deno.test("a place beside the lake is reached by its URI, under its own keys or the lake's", () =>
  withStorage(async (storage, asked) => {
    assert.throws(() => storage.path("s3://other/bank/holders/data/a"), { kind: "tableUnreadable" });
    const access = { credentials: () => Promise.resolve(given) };
    assert.equal(storage.reach({ uri: "s3a://other/bank/holders/", access }), "s3://other/bank/holders/");
    assert.equal(storage.reach({ uri: "s3://third/x" }), "s3://third/x");
    const path = storage.path("s3://other/bank/holders/data/a");
    assert.equal(storage.uri(path), "s3://other/bank/holders/data/a");
    assert.throws(() => storage.path("s3://other/bank/holders2/a"), { kind: "tableUnreadable" });
    assert.throws(() => storage.path("s3://other/bank/holders/../../a"), { kind: "tableUnreadable" });
    for (const each of [path, "s3://third/x/a", "a"]) await storage.read(each);
    assert.deepEqual(asked(), [
      ["/other/bank/holders/data/a", "GIVEN"],
      ["/third/x/a", "OWN"],
      ["/lake/shop/a", "OWN"],
    ]);
    using _file = await storage.readable([path]);
  }));

Deno.test("a place below the lake may have keys of its own, and loses them", () =>
  withStorage(async (storage, asked) => {
    const uri = "s3://lake/shop/iceberg/bank/holders";
    assert.equal(storage.reach({ uri, access: { credentials: () => Promise.resolve(given) } }), "iceberg/bank/holders");
    for (const path of ["iceberg/bank/holders/a", "iceberg/bank/other/a"]) await storage.read(path);
    storage.reach({ uri });
    await storage.read("iceberg/bank/holders/a");
    assert.deepEqual(asked().map(([, key]) => key), ["GIVEN", "OWN", "OWN"]);
  }));

Deno.test("keys that are refused are asked for anew, once", () =>
  withStorage(async (storage, asked) => {
    const late = { ...given, accessKeyId: "REFUSED" };
    const told: (Credentials | undefined)[] = [];
    const credentials = (refused?: Credentials) => {
      told.push(refused);
      return Promise.resolve(refused === undefined ? late : given);
    };
    storage.reach({ uri: "s3://other/a", access: { credentials } });
    await storage.read("s3://other/a/x");
    assert.deepEqual(told, [undefined, late]);
    storage.reach({ uri: "s3://other/b", access: { credentials: () => Promise.resolve(late) } });
    await assert.rejects(storage.read("s3://other/b/x"), {
      kind: "authentication",
      advice: /came from the table's catalog/,
    });
    assert.equal(asked().length, 4);
  }));

Deno.test("a lake in one kind of store does not reach into another, nor where this process may not go", () =>
  withStorage((storage) => {
    for (const uri of ["gs://lake/a", "file:///a", "abfss://a@b/c"]) {
      assert.throws(() => storage.reach({ uri }), { kind: "precondition" });
    }
    const access = { credentials: () => Promise.resolve(given), endpoint: "http://store.example:9000" };
    assert.throws(() => storage.reach({ uri: "s3://other/a", access }), {
      kind: "configuration",
      advice: /store.example:9000/,
    });
    return Promise.resolve();
  }));
