/** Reads a command line. The only place that knows how flags are parsed. */
import { parseArgs } from "node:util";
import { WeirError } from "../errors.ts";
import { nearest } from "../settings/nearest.ts";
import type { Declarations, Setting } from "../settings/setting.ts";
import type { Operand } from "./help.ts";

/** A command line, read. */
export interface Arguments {
  /** The texts given per flag, in order. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** The word that stood without a flag. */
  readonly operand?: string;
  /** Whether `--help` or `-h` was among them. */
  readonly help: boolean;
}

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];

/**
 * Reads the arguments of a job with these settings. A switch also has its `--no-` form.
 *
 * Throws `configuration` for an unknown flag (naming the nearest known one), a flag without its value, and a stray word: any, or with an
 * `operand` every one but the first.
 */
export function readArguments(args: readonly string[], declared: Declarations, operand?: Operand): Arguments {
  const byFlag = new Map(Object.values(declared).flatMap((setting) => setting.flag ? [[setting.flag, setting]] : []));
  const { tokens } = parseArgs({
    // `deno task job -- --flag` hands over the dashes too.
    args: args[0] === "--" ? args.slice(1) : [...args],
    options: Object.fromEntries([...byFlag].map(([flag, setting]) => [flag, { type: kindOf(setting) }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<string, readonly string[]>();
  const isHelp = (token: Token) => token.kind === "option" && (token.name === "help" || token.name === "h");
  let word: string | undefined;
  for (const token of tokens.filter((token) => !isHelp(token))) {
    if (operand !== undefined && token.kind === "positional") {
      word = onlyWord(word, token.value, operand);
      continue;
    }
    const [flag, text] = readToken(token, byFlag);
    const earlier = byFlag.get(flag)?.repeatable ? flags.get(flag) ?? [] : [];
    flags.set(flag, [...earlier, text]);
  }
  return { flags, ...(word === undefined ? {} : { operand: word }), help: tokens.some(isHelp) };
}

function onlyWord(first: string | undefined, word: string, { placeholder }: Operand): string {
  if (first === undefined) return word;
  throw misuse(`${JSON.stringify(word)} is one word too many`, `Write it in quotes: "${placeholder}"`);
}

function kindOf(setting: Setting<unknown>): "string" | "boolean" {
  return setting.placeholder === undefined ? "boolean" : "string";
}

function readToken(token: Token, byFlag: ReadonlyMap<string, Setting<unknown>>): [flag: string, text: string] {
  if (token.kind !== "option") {
    const word = token.kind === "positional" ? token.value : "--";
    throw misuse(`${JSON.stringify(word)} stands alone`, "Every value follows a flag; run with --help to see them");
  }
  const setting = byFlag.get(token.name);
  if (setting !== undefined && kindOf(setting) === "boolean") return [token.name, token.value ?? "true"];
  if (setting === undefined) return readNegation(token.name, token.rawName, byFlag);
  // `--rate --follow` is a forgotten value, not a value named "--follow".
  if (token.value === undefined || (!token.inlineValue && token.value.startsWith("--"))) {
    throw misuse(`${token.rawName} needs a value`, `Write it as ${token.rawName} ${setting.placeholder}`);
  }
  return [token.name, token.value];
}

function readNegation(
  name: string,
  rawName: string,
  byFlag: ReadonlyMap<string, Setting<unknown>>,
): [flag: string, text: string] {
  const positive = name.startsWith("no-") ? byFlag.get(name.slice(3)) : undefined;
  if (positive !== undefined && kindOf(positive) === "boolean") return [name.slice(3), "false"];
  const meant = nearest(name, [...byFlag.keys(), "help"]);
  const advice = meant === undefined ? "Run with --help to see every flag" : `Did you mean --${meant}?`;
  throw misuse(`${rawName} is not a flag of this job`, advice);
}

function misuse(message: string, advice: string): WeirError {
  return new WeirError("configuration", message, { advice });
}
