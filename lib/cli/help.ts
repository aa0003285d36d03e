/** The text of `--help`, made from the declarations. */
import type { Declarations, Setting } from "../settings/setting.ts";
import { startOf } from "./start.ts";

/** What a job says about itself. */
export interface JobDescription {
  /** As in `deno task <name>`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** One word of the command line that stands without a flag, if the job takes one. Default: none. */
  readonly operand?: Operand;
}

/** A word without a flag, quoted where it holds spaces. */
export interface Operand {
  /** What the help shows in its place, such as `STATEMENT`. */
  readonly placeholder: string;
  readonly help: string;
}

/** A job as far as it is declared: what can be known of it without running it. */
export interface DeclaredJob extends JobDescription {
  /** Its own, in the order `--help` shows them. */
  readonly settings: Declarations;
}

/** Every setting with its flag, meaning, default and environment name. */
export function helpText(job: JobDescription, declared: Declarations): string {
  const entries = Object.values(declared);
  const flags = entries.filter(({ flag }) => flag !== undefined);
  const others = entries.filter(({ flag }) => flag === undefined);
  const { operand } = job;
  const word = operand === undefined ? "" : ` ["${operand.placeholder}"]`;
  const lines = [job.summary, "", `Usage: ${startOf(job.name)}${word} [flags]`, ""];
  if (operand !== undefined) lines.push(...entry(operand.placeholder, { help: operand.help }), "");
  lines.push("Flags:");
  lines.push(...flags.flatMap((setting) => entry(head(setting), setting)));
  lines.push(...entry("--help", { help: "Show this text" }));
  if (others.length > 0) {
    lines.push("", "Environment only:", ...others.flatMap((setting) => entry(setting.environment, setting)));
  }
  lines.push("", "A flag goes before its environment variable, that before the same name in .env.");
  return lines.join("\n");
}

function head({ flag, placeholder }: Setting<unknown>): string {
  return placeholder === undefined ? `--${flag}` : `--${flag} ${placeholder}`;
}

type Described =
  & Partial<Pick<Setting<unknown>, "flag" | "environment" | "otherEnvironment" | "defaultText" | "placeholder">>
  & { readonly help: string };

function entry(title: string, setting: Described): string[] {
  const value = setting.placeholder === undefined ? "off" : setting.defaultText ?? "none";
  const facts = setting.environment === undefined ? [] : [`default ${value}`];
  if (setting.flag !== undefined) facts.push(`environment ${setting.environment}`);
  if (setting.otherEnvironment !== undefined) facts.push(`or else ${setting.otherEnvironment}`);
  if (setting.flag === undefined && value === "none") facts.push(`such as ${setting.placeholder}`);
  return [`  ${title}`, `      ${setting.help}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`];
}
