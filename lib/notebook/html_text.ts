/** Texts inside of HTML. */

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * A text that is nothing but a text wherever HTML has one, attributes in quotes included. Control characters, which could not be
 * seen, are shown as `�`.
 *
 * @example
 * ```ts
 * import { escaped } from "./html_text.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(escaped("<b>&'"), "&lt;b&gt;&amp;&#39;");
 * ```
 */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
    .replace(/(?![\t\n\r])\p{Cc}/gu, "\ufffd");
}
