/** Where one statement ends and the next begins, in text that arrives piece by piece. */

/** What was found in a text. */
export interface FoundStatements {
  /** Whole ones, without their `;`. */
  readonly statements: readonly string[];
  /** What stands behind the last `;`, which may be the beginning of a statement. */
  readonly rest: string;
}

/** A quoted text or name, a comment, a dollar-quoted text, a parameter-like `$`, or one character. An open one reaches to the end. */
const piece = new RegExp(
  [
    String.raw`[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)`,
    String.raw`'(?:[^']|'')*(?:'|$)`,
    String.raw`"(?:[^"]|"")*(?:"|$)`,
    String.raw`--[^\n]*`,
    String.raw`/\*[\s\S]*?(?:\*/|$)`,
    String.raw`\$(\w*)\$[\s\S]*?(?:\$\1\$|$)`,
    String.raw`\w+`,
    String.raw`[\s\S]`,
  ].join("|"),
  "gy",
);

/**
 * Parts a text at each `;` that is not inside of quotes or of a comment. Empty statements are left out.
 *
 * @example
 * ```ts
 * import { findStatements } from "./statement_text.ts";
 * import assert from "node:assert/strict";
 *
 * const { statements, rest } = findStatements("SELECT ';' -- ;\n; SELECT 2");
 * assert.deepEqual(statements, ["SELECT ';' -- ;\n"]);
 * assert.equal(rest, " SELECT 2");
 * ```
 */
export function findStatements(text: string): FoundStatements {
  const statements: string[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(piece)) {
    if (found !== ";") continue;
    const statement = text.slice(from, index);
    if (!isBlank(statement)) statements.push(statement);
    from = index + 1;
  }
  return { statements, rest: text.slice(from) };
}

/** Whether a text has nothing in it but space and comments. */
export function isBlank(text: string): boolean {
  return text.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, "").trim() === "";
}
