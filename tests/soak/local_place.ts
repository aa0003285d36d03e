/** A lake in a folder, as a user names it with `--lake`. */
import { type PlaceSettings, placeSettings } from "../../jobs/wiring/capture_settings.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";

/** The settings of its place, all others as they are by default. */
export function localPlace(folder: string): PlaceSettings {
  return resolveSettings(placeSettings, {
    flags: new Map([["lake", [folder]]]),
    environment: () => undefined,
    file: {},
  });
}
