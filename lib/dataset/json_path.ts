/** Paths into JSON documents, as DuckDB's JSON functions read them. */

/**
 * Object keys from the document's root as a JSON path.
 *
 * @throws {TypeError} If a key is empty, an asterisk, or holds a quote, a backslash or a NUL: DuckDB's paths cannot name it safely.
 *
 * @example
 * ```ts
 * import { jsonPath } from "./json_path.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(jsonPath(["street address", "line"]), '$."street address"."line"');
 * assert.equal(jsonPath([]), "$");
 * ```
 */
export function jsonPath(keys: readonly string[]): string {
  return keys.reduce((path, key) => `${path}."${checkedKey(key)}"`, "$");
}

function checkedKey(key: string): string {
  if (key === "" || key === "*" || /["\\\0]/.test(key)) {
    throw new TypeError(
      `Cannot read the JSON key ${
        JSON.stringify(key)
      }: empty keys, a lone asterisk, quotes and backslashes have no path`,
    );
  }
  return key;
}
