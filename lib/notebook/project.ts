/** The project that this code belongs to: its folder, and what it is set to. A notebook's working directory is another folder. */
import { join, resolve } from "node:path";
import { readEnvironmentFile, resolveSettings } from "../settings/resolve.ts";
import type { Declarations, SettingValues } from "../settings/setting.ts";

/** Absolute: the folder that `deno.json` and `data` are in; for a binary, which belongs to no project, the one it is started in. */
export function projectFolder(): string {
  const { dirname } = import.meta;
  return Deno.build.standalone || dirname === undefined ? Deno.cwd() : resolve(dirname, "../..");
}

/** What the environment and the project's `.env` say. Throws `configuration` for a value that is wrong. */
export async function projectSettings<Declared extends Declarations>(
  declared: Declared,
): Promise<SettingValues<Declared>> {
  return resolveSettings(declared, {
    flags: new Map(),
    environment: (name) => Deno.env.get(name),
    file: await readEnvironmentFile(join(projectFolder(), ".env")),
  });
}
