/** Where one statement ends and the next begins, in text that arrives piece by piece. */

/** What was found in a text. */
export interface FoundStatements {
  /** Whole ones, without their `;`. A command is its line. */
  readonly statements: readonly string[];
  /** What stands behind the last of them, which may be the beginning of a statement. */
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
  "y",
);
const isAside = /^(?:\s|--|\/\*)/;

/**
 * Parts a text at each `;` that is not inside of quotes or of a comment. Empty statements are left out. A line that begins with a dot where
 * a statement could begin is a command.
 *
 * @example
 * ```ts
 * import { findStatements } from "./statement_text.ts";
 * import assert from "node:assert/strict";
 *
 * const { statements, rest } = findStatements("SELECT ';' -- ;\n;\n.tables\nSELECT 2");
 * assert.deepEqual(statements, ["SELECT ';' -- ;\n", ".tables"]);
 * assert.equal(rest, "SELECT 2");
 * ```
 */
export function findStatements(text: string): FoundStatements {
  const statements: string[] = [];
  let [from, hasBegun] = [0, false];
  for (let at = 0; at < text.length;) {
    piece.lastIndex = at;
    const [found = ""] = piece.exec(text) ?? [];
    const lineEnd = found === "." && !hasBegun ? text.indexOf("\n", at) : -1;
    if (found === ";" || lineEnd >= 0) {
      if (lineEnd >= 0) statements.push(text.slice(at, lineEnd).trimEnd());
      else if (hasBegun) statements.push(text.slice(from, at));
      from = at = Math.max(lineEnd, at) + 1;
      hasBegun = false;
      continue;
    }
    hasBegun ||= !isAside.test(found);
    at += found.length;
  }
  return { statements, rest: text.slice(from) };
}

/** Whether what was found, or what is left at the end, is a command. */
export function isCommand(statement: string): boolean {
  return statement.trimStart().startsWith(".");
}

/** Whether a text has nothing in it but space and comments. */
export function isBlank(text: string): boolean {
  return text.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, "").trim() === "";
}
