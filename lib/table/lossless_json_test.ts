import assert from "node:assert/strict";
import fc from "fast-check";
import { parseJson, stringifyJson } from "./lossless_json.ts";

Deno.test("64-bit integers survive reading and writing", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (id) => {
      const text = `{"id":${id},"list":[${id}]}`;
      assert.equal(stringifyJson(parseJson(text)), text);
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("only integers beyond 2^53 become bigint", () => {
  assert.deepEqual(parseJson("[9007199254740991, 9007199254740993, 1.5, 1e300, -0]"), [
    9007199254740991,
    9007199254740993n,
    1.5,
    1e300,
    -0,
  ]);
});

Deno.test("damaged text is refused", () => {
  assert.throws(() => parseJson('{"a":'), SyntaxError);
});
