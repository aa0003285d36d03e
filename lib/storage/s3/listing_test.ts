import assert from "node:assert/strict";
import { parseListing } from "./listing.ts";

Deno.test("a page's names are decoded, of a store that encodes them and of one that does not", () => {
  const page = (encoding: string, key: string) =>
    `<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>${encoding}
    <NextContinuationToken>a&amp;b</NextContinuationToken><Contents><Key>${key}</Key>
    <LastModified>2026-11-21T10:00:00.000Z</LastModified><Size>12345678901</Size></Contents>
    <CommonPrefixes><Prefix>${key}/</Prefix></CommonPrefixes></ListBucketResult>`;
  const expected = (key: string) => ({
    objects: [{ key, bytes: 12345678901, modifiedMs: Date.UTC(2026, 10, 21, 10) }],
    prefixes: [`${key}/`],
    continuation: "a&b",
  });
  const encoded = page("<EncodingType>url</EncodingType>", "x%3D1/a+b%2B%C3%A4");
  assert.deepEqual(parseListing(encoded), expected("x=1/a b+ä"));
  assert.deepEqual(parseListing(page("", "a&#x26;b&lt;&#233;+%20")), expected("a&b<é+%20"));
});

Deno.test("the last page asks for no other, and an empty one holds nothing", () => {
  const xml = "<ListBucketResult><IsTruncated>false</IsTruncated><Prefix>t/</Prefix></ListBucketResult>";
  assert.deepEqual(parseListing(xml), { objects: [], prefixes: [] });
});
