/** Settings of a job that is tried, given as values in place of flags. */
import { join } from "node:path";
import type { DeclaredJob } from "../cli/help.ts";
import { WeirError } from "../errors.ts";
import { projectFolder } from "../notebook/project.ts";
import { nearest } from "../settings/nearest.ts";
import { readEnvironmentFile, type SettingSources } from "../settings/resolve.ts";
import type { Declarations } from "../settings/setting.ts";

/** Values for some settings, by the names that the job uses: as a flag has them, or as plain numbers, booleans and lists. */
export type TriedSettings<Declared extends Declarations> = {
  readonly [Name in keyof Declared]?: string | number | boolean | readonly string[];
};

/** Where such a job's settings are found. Throws `configuration` for one that it has not. */
export async function trialSources(
  { name, settings }: DeclaredJob,
  given: TriedSettings<Declarations>,
): Promise<SettingSources> {
  const flags = new Map<string, readonly string[]>();
  const variables = new Map<string, string>();
  for (const [key, value] of Object.entries(given)) {
    const setting = settings[key];
    if (setting === undefined) throw unknown(key, name, Object.keys(settings));
    if (value === undefined) continue;
    const texts = Array.isArray(value) ? value.map(String) : [String(value)];
    if (setting.flag === undefined) variables.set(setting.environment, texts.join(","));
    else flags.set(setting.flag, texts);
  }
  return {
    flags,
    environment: (variable) => variables.get(variable) ?? Deno.env.get(variable),
    file: await readEnvironmentFile(join(projectFolder(), ".env")),
  };
}

function unknown(key: string, job: string, known: readonly string[]): WeirError {
  const meant = nearest(key, known);
  const all = known.length === 0 ? "It has none" : `It has ${known.join(", ")}`;
  return new WeirError("configuration", `the job ${job} has no setting ${key}`, {
    advice: meant === undefined ? all : `Did you mean ${meant}?`,
  });
}
