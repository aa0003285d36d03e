/** How folders are named in which the files of a partition stand: for people, as the metadata of every format says the values. */

/** Of a name or value: what is written for it may be longer, and a file system takes 255 bytes. */
const mostCharacters = 100;

/**
 * A folder for each column inside that of the one before, with a slash behind each. Long values share one.
 *
 * @example
 * ```ts
 * import { partitionFolder } from "./partition_folder.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(partitionFolder([["land", "a/b"], ["seen_day", null]]), "land=a%2Fb/seen_day=null/");
 * ```
 */
export function partitionFolder(values: Iterable<readonly [column: string, value: string | null]>): string {
  return [...values].map(([column, value]) => `${short(column)}=${short(value ?? "null")}/`).join("");
}

/** deltalake looks for a file whose path holds any of these under another one. */
const misspelt = /[~*]/g;

function short(text: string): string {
  const safe = encodeURIComponent(text).replace(
    misspelt,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return safe.slice(0, mostCharacters);
}
