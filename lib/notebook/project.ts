/** The project that this code belongs to: its folder, and what it is set to. A notebook's working directory is another folder. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readEnvironmentFile, resolveSettings } from "../settings/resolve.ts";
import type { Declarations, SettingValues } from "../settings/setting.ts";

/** Absolute: the folder that `deno.json` and `data` are in. */
export function projectFolder(): string {
  return fileURLToPath(new URL("../..", import.meta.url));
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
