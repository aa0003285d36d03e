/** What a capture makes at its source, by name. */
import { lakeId } from "../../lib/storage/lake_name.ts";
import type { CaptureSettings } from "./capture_settings.ts";

/** What a job makes at the source. By default named after job and lake: two lakes each go their own pace. */
export function sourceObjects(
  { job, settings }: { readonly job: string; readonly settings: Pick<CaptureSettings, "lake" | "slot"> },
): { readonly slot: string; readonly publication: string } {
  const name = settings.slot ?? `weir_${job}_${lakeId(settings.lake)}`;
  return { slot: name, publication: name };
}
