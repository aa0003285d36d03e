import assert from "node:assert/strict";
import { dialects, percentEncoded, signedHeaders, type Signing, type UnsignedRequest } from "./sign.ts";

/** The example key of AWS's documentation ("Authenticating Requests: Using the Authorization Header"). */
const signing: Signing = {
  dialect: dialects.aws,
  credentials: {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  },
  region: "us-east-1",
};

const get: UnsignedRequest = {
  method: "GET",
  host: "examplebucket.s3.amazonaws.com",
  path: "/test.txt",
  query: {},
  headers: {},
  body: new Uint8Array(),
  at: new Date("2013-05-24T00:00:00Z"),
};

function signatureOf(request: UnsignedRequest, by = signing): string | undefined {
  return /Signature=([0-9a-f]{64})$/.exec(signedHeaders(request, by).authorization ?? "")?.[1];
}

Deno.test("signatures are those of AWS's documented examples: a range, a body with an encoded path, a query", () => {
  assert.equal(
    signatureOf({ ...get, headers: { range: "bytes=0-9" } }),
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
  assert.equal(
    signatureOf({
      ...get,
      method: "PUT",
      path: `/${percentEncoded("test$file.text")}`,
      headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
      body: new TextEncoder().encode("Welcome to Amazon S3."),
    }),
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  );
  assert.equal(
    signatureOf({ ...get, path: "/", query: { prefix: "J", "max-keys": "2" } }),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  );
});

Deno.test("temporary credentials send their token, and it is signed", () => {
  const temporary = { ...signing, credentials: { ...signing.credentials, sessionToken: "a-token" } };
  const headers = signedHeaders(get, temporary);
  assert.equal(headers["x-amz-security-token"], "a-token");
  assert.match(headers.authorization ?? "", /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/);
});

Deno.test("Google's form names itself, its service and its headers, and no header of the other family", () => {
  const headers = signedHeaders(get, { ...signing, dialect: dialects.google, region: "auto" });
  const scope = "AKIAIOSFODNN7EXAMPLE/20130524/auto/storage/goog4_request";
  assert.ok(headers.authorization?.startsWith(`GOOG4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-goog-`));
  assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith("x-")), [
    "x-goog-content-sha256",
    "x-goog-date",
  ]);
});
