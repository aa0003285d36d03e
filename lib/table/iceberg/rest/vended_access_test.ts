import assert from "node:assert/strict";
import { vendedAccess } from "./vended_access.ts";

const keys = (id: string) => ({ "s3.access-key-id": id, "s3.secret-access-key": `secret of ${id}` });

Deno.test("the keys of the longest prefix win, over what the table's configuration says", () => {
  const answer = {
    config: { ...keys("table"), "s3.endpoint": "http://127.0.0.1:9000", "client.region": "eu-west-1" },
    "storage-credentials": [
      { prefix: "s3://lake/", config: keys("bucket") },
      {
        prefix: "s3://lake/bank/",
        config: { ...keys("bank"), "s3.session-token": "a token", "s3.session-token-expires-at-ms": "1800000000000" },
      },
      { prefix: "s3://other/bank/holders/data/", config: keys("other") },
    ],
  };
  assert.deepEqual(vendedAccess(answer, "s3://lake/bank/holders"), {
    credentials: { accessKeyId: "bank", secretAccessKey: "secret of bank", sessionToken: "a token" },
    expiresAtMs: 1_800_000_000_000,
    endpoint: "http://127.0.0.1:9000",
    region: "eu-west-1",
  });
  assert.equal(vendedAccess(answer, "s3://lake/shop/orders")?.credentials.accessKeyId, "bucket");
  assert.equal(vendedAccess(answer, "s3://elsewhere/orders")?.credentials.accessKeyId, "table");
});

Deno.test("half a key is none, and neither are those of another kind of store", () => {
  assert.equal(vendedAccess({ config: { "s3.access-key-id": "half" } }, "s3://lake/a"), undefined);
  assert.equal(vendedAccess({ config: { "gcs.oauth2.token": "token" } }, "gs://lake/a"), undefined);
  assert.equal(vendedAccess({}, "file:///lake/a"), undefined);
  const styled = vendedAccess({ config: { ...keys("a"), "s3.path-style-access": "true" } }, "s3://lake/a");
  assert.equal(styled?.addressing, "path");
});
