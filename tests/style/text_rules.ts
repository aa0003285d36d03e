/** What no file of the repository may hold or be called. */
import type { SourceFile } from "./source_tree.ts";

const longestFileLines = 500;
const longestTestLines = 600;
const drawers = /(^|\/)(utils?|common|helpers?|types?|misc|shared)(\.ts$|\/)/;
const snakeCase = /^[a-z0-9_.]+$/;

/** A rule on a file: what is wrong with it, or undefined. */
type TextRule = (file: SourceFile) => string | undefined;

/** Patterns are put together from parts so that this file does not hold what it looks for. */
const forbidden: readonly (readonly [RegExp, string])[] = [
  [new RegExp("(?<![\\w.$])/(?:" + "home/|Users/|root/|work/)[\\w.]"), "a path of one machine"],
  [new RegExp("[\"'`]" + "js" + "r:"), "an import from JSR, which may be unreachable"],
  [new RegExp("https?://(?:" + "registry\\.|[\\w.-]*artifactory|[\\w.-]*nexus)"), "a registry's address"],
  [new RegExp("deno-lint-ignore(?:-file)?\\s+[^\\n]*" + "no-explicit-any"), "a way around the ban on any"],
  [new RegExp("@ts-" + "(?:ignore|nocheck)"), "a way around the type checker"],
  [new RegExp("\\b" + "(?:TO" + "DO|FIX" + "ME)\\b"), "work put off"],
];

const textRules: readonly TextRule[] = [
  ({ text }) => forbidden.find(([pattern]) => pattern.test(text))?.[1],
  ({ path }) => drawers.test(path) ? "a drawer: name it after what is in it" : undefined,
  ({ path, text }) => path.endsWith(".ts") ? tooLong(path, text) : undefined,
  ({ path }) => path.endsWith(".ts") && !snakeCase.test(path.split("/").at(-1) ?? "") ? "not snake_case" : undefined,
  ({ path, text }) => path.startsWith("lib/") && path.endsWith(".ts") ? exampleWithoutAssertion(text) : undefined,
];

/** Everything that is wrong with a file. */
export function complaints(file: SourceFile): string[] {
  return textRules.map((rule) => rule(file)).filter((complaint) => complaint !== undefined)
    .map((complaint) => `${file.path}: ${complaint}`);
}

/** The `ts` blocks of doc comments and of Markdown. */
export function examples(text: string): string[] {
  return [...text.matchAll(/^[ \t]*(?:\* ?)?```(?:ts|typescript)\b[^\n]*\n([\s\S]*?)^[ \t]*(?:\* ?)?```/gm)]
    .map(([, body = ""]) => body);
}

function tooLong(path: string, text: string): string | undefined {
  const lines = text.split("\n").length - 1;
  const most = path.endsWith("_test.ts") ? longestTestLines : longestFileLines;
  return lines > most ? `${lines} lines; ${most} are allowed` : undefined;
}

function exampleWithoutAssertion(text: string): string | undefined {
  const silent = examples(text).some((example) => !/\bassert\b/.test(example));
  return silent || /```(?:ts|typescript)[^\n]*\bignore\b/.test(text)
    ? "an example that shows nothing to be true"
    : undefined;
}
