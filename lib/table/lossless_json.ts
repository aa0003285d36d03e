/**
 * JSON without loss of 64-bit integers: table metadata holds ids beyond 2^53 as plain JSON numbers.
 *
 * Promise: what {@linkcode parseJson} reads, {@linkcode stringifyJson} writes back with every digit of every integer.
 */

declare global {
  interface JSON {
    /** ECMAScript proposal "JSON.parse source text access", present in the runtime but not yet in its declarations. */
    rawJSON(text: string): unknown;
  }
}

/** Third argument of a reviver, of the same proposal. */
interface ReviverContext {
  readonly source?: string;
}

/**
 * Reads JSON. An integer that a double cannot hold exactly becomes a `bigint`; every other number stays a `number`.
 *
 * @throws {SyntaxError} If the text is not JSON.
 *
 * @example
 * ```ts
 * import { parseJson } from "./lossless_json.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseJson('{"snapshot-id":3051729675574597004}'), { "snapshot-id": 3051729675574597004n });
 * ```
 */
export function parseJson(text: string): unknown {
  return JSON.parse(
    text,
    ((_key: string, value: unknown, context: ReviverContext) => {
      if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
      return /^-?\d+$/.test(context.source ?? "") ? BigInt(context.source!) : value;
    }) as (key: string, value: unknown) => unknown,
  );
}

/**
 * Writes JSON with `bigint` as a number. Indented by nothing: machines read it.
 *
 * @example
 * ```ts
 * import { stringifyJson } from "./lossless_json.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(stringifyJson({ id: 3051729675574597004n }), '{"id":3051729675574597004}');
 * ```
 */
export function stringifyJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry) => typeof entry === "bigint" ? JSON.rawJSON(entry.toString()) : entry);
}
