/**
 * Values of declared settings, from where the user gave them.
 *
 * Promise: flag before environment before `.env` before default; a value that is given and wrong is an error wherever it came
 * from, and an error never shows a secret.
 */
import { parseEnv } from "node:util";
import { WeirError } from "../errors.ts";
import { type Declarations, displayName, InvalidValue, type Setting, type SettingValues } from "./setting.ts";

/** Where settings are looked for, first to last. */
export interface SettingSources {
  /** Texts given per flag, without dashes. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** One environment variable. */
  readonly environment: (name: string) => string | undefined;
  /** The variables of a `.env` file. */
  readonly file: Readonly<Record<string, string | undefined>>;
}

/** Resolves every declared setting. Throws `configuration` for the first value that is wrong. */
export function resolveSettings<Declared extends Declarations>(
  declared: Declared,
  sources: SettingSources,
): SettingValues<Declared> {
  const values = Object.entries(declared).map(([name, setting]) => [name, resolve(setting, sources)]);
  return Object.fromEntries(values) as SettingValues<Declared>;
}

/**
 * The flags that give these settings what the user gave them. A variable of the environment counts, for it may have been set
 * for one command only; `.env` does not, for it holds the next time too.
 */
export function givenFlags(declared: Declarations, sources: SettingSources): readonly string[] {
  return Object.values(declared).flatMap((setting) => {
    const { flag, placeholder } = setting;
    const given = find(setting, { ...sources, file: {} });
    if (flag === undefined || given === undefined) return [];
    if (placeholder === undefined) return [setting.parse(given.texts) === true ? `--${flag}` : `--no-${flag}`];
    return given.texts.flatMap((text) => text.startsWith("-") ? [`--${flag}=${text}`] : [`--${flag}`, text]);
  });
}

/** The texts of all secrets given, for redaction. */
export function givenSecrets(declared: Declarations, sources: SettingSources): string[] {
  return Object.values(declared).filter(({ secret }) => secret).flatMap((setting) =>
    find(setting, sources)?.texts ?? []
  );
}

/** Reads a `.env` file; a missing one is empty. */
export async function readEnvironmentFile(path: string): Promise<Record<string, string | undefined>> {
  try {
    return parseEnv(await Deno.readTextFile(path)) as Record<string, string | undefined>;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return {};
    const advice = "Let this user read it, or remove it";
    throw new WeirError("configuration", `${path} cannot be read`, { cause: thrown, detail: { path }, advice });
  }
}

interface Given {
  readonly texts: readonly string[];
  readonly origin: string;
}

function resolve(setting: Setting<unknown>, sources: SettingSources): unknown {
  const given = find(setting, sources);
  if (given === undefined) return defaultValue(setting);
  const value = setting.parse(given.texts);
  if (!(value instanceof InvalidValue)) return value;
  const shown = setting.secret ? "" : ` ${JSON.stringify(given.texts.join(","))}`;
  throw new WeirError("configuration", `${displayName(setting)}${shown}${given.origin} ${value.reason}`, {
    advice: value.remedy,
  });
}

/** An empty environment variable counts as not given, the way shells and compose files write "nothing". */
function find(setting: Setting<unknown>, sources: SettingSources): Given | undefined {
  const flag = setting.flag === undefined ? undefined : sources.flags.get(setting.flag);
  if (flag !== undefined) return { texts: flag, origin: "" };
  const names = [setting.environment, ...setting.otherEnvironment === undefined ? [] : [setting.otherEnvironment]];
  for (const name of names) {
    const environment = sources.environment(name);
    if (environment) return { texts: [environment], origin: ` (environment ${name})` };
  }
  for (const name of names) {
    const file = sources.file[name];
    if (file) return { texts: [file], origin: ` (${name} in .env)` };
  }
  return undefined;
}

function defaultValue(setting: Setting<unknown>): unknown {
  if (setting.defaultText === undefined) return setting.repeatable ? [] : undefined;
  const value = setting.parse([setting.defaultText]);
  if (value instanceof InvalidValue) throw new RangeError(`the default of ${displayName(setting)} ${value.reason}`);
  return value;
}
