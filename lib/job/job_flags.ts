/** A job's flags as a program gives them. */
import { settings } from "../settings/declarations.ts";

/**
 * By the flag's name (`batch-seconds` or `batchSeconds`): `true` and `false` are a switch and its negation; of a list each is given, as
 * the flag takes it.
 */
export type JobFlags = Readonly<Record<string, string | number | boolean | readonly (string | number)[] | undefined>>;

/**
 * The words of a command line.
 *
 * @example
 * ```ts
 * import { flagWords } from "./job_flags.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(
 *   flagWords({ follow: true, batchSeconds: 0.5, formats: ["iceberg", "delta"], embed: ["a:b", "c:d"], resync: undefined }),
 *   ["--follow", "--batch-seconds=0.5", "--formats=iceberg,delta", "--embed=a:b", "--embed=c:d"],
 * );
 * ```
 */
export function flagWords(flags: JobFlags): readonly string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (typeof value === "boolean") return [value ? `--${flag}` : `--no-${flag}`];
    const isList = typeof value === "object";
    if (isList && isRepeatable(flag)) return value.map((each) => `--${flag}=${each}`);
    return [`--${flag}=${isList ? value.join(",") : value}`];
  });
}

function isRepeatable(flag: string): boolean {
  return Object.values(settings).some((setting) => setting.flag === flag && setting.repeatable);
}
