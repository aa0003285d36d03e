/** The settings of statements over a lake. */
import { settings } from "../../../lib/settings/declarations.ts";
import type { SettingValues } from "../../../lib/settings/setting.ts";
import { catalogSettings } from "../../../lib/settings/catalog_settings.ts";
import { placeSettings } from "../capture_settings.ts";

const cores = String(Math.min(navigator.hardwareConcurrency, 8));

/** Declarations, in the order `--help` shows them. */
export const statementSettings = {
  at: settings.at,
  output: settings.output,
  out: settings.out,
  folders: settings.folders,
  ...placeSettings,
  ...catalogSettings,
  postgresUrl: { ...settings.postgresUrl, help: "Server of source.NAMESPACE.TABLE in place of the embedded one" },
  sourceRows: settings.sourceRows,
  memoryLimitBytes: settings.memoryLimitBytes,
  threads: { ...settings.threads, help: "Threads of one statement", defaultText: cores },
};

/** Values of {@linkcode statementSettings}. */
export type StatementSettings = SettingValues<typeof statementSettings>;
