/** The settings by which tables are kept up, beside batches or by a job of its own. */
import { settings } from "../../lib/settings/declarations.ts";
import type { SettingValues } from "../../lib/settings/setting.ts";
import type { UpkeepPolicy } from "../../lib/table/upkeep.ts";

/** Declarations, in the order `--help` shows them. */
export const upkeepSettings = {
  targetFileBytes: settings.targetFileBytes,
  mergeFiles: settings.mergeFiles,
  deletedShare: settings.deletedShare,
  keepHours: settings.keepHours,
  keepSnapshots: settings.keepSnapshots,
  mostSnapshots: settings.mostSnapshots,
};

/** Their values. */
export type UpkeepSettings = SettingValues<typeof upkeepSettings>;

const hourMs = 3_600_000;

/** The policy that settings stand for. Without an age nothing counts as an orphan. */
export function policyOf(settings: UpkeepSettings, { orphanAgeMs = Infinity } = {}): UpkeepPolicy {
  const { targetFileBytes, mergeFiles, deletedShare, keepHours, keepSnapshots, mostSnapshots } = settings;
  const least = Math.min(keepSnapshots, mostSnapshots ?? keepSnapshots);
  const kept = { keepSnapshotsMs: keepHours * hourMs, keepSnapshots: least, mostSnapshots };
  return { targetFileBytes, mergeFiles, deletedShare, ...kept, orphanAgeMs };
}
