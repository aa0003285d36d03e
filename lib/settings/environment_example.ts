/** The text of `.env.example`, made from the declarations. */
import type { Declarations, Setting } from "./setting.ts";

const introduction = [
  "# Settings of the jobs. Copy this file to .env and uncomment what you want to change.",
  "# A flag goes before an environment variable, that before this file, and this file before the default.",
  "",
];

/** Every setting, commented out, at its default. */
export function environmentExample(declared: Declarations): string {
  return [...introduction, ...Object.values(declared).flatMap(entry)].join("\n");
}

function entry(setting: Setting<unknown>): string[] {
  const flag = setting.flag === undefined ? "" : ` (--${setting.flag})`;
  const value = setting.defaultText ?? "";
  const example = value === "" && setting.placeholder !== undefined ? ` For example ${setting.placeholder}.` : "";
  const form = setting.flag === undefined ? example : "";
  const other = setting.otherEnvironment === undefined ? "" : ` ${setting.otherEnvironment} is looked at next.`;
  return [`# ${setting.help}${flag}.${form}${other}`, `# ${setting.environment}=${value}`, ""];
}
