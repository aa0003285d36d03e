/** Which formats mirrors are wanted in. */
import { WeirError } from "../../lib/errors.ts";
import type { CaptureSettings } from "./capture_settings.ts";
import type { MirrorFormat } from "./lake_mirrors.ts";

/** The formats of `--mirror`. Throws `configuration` where they do not fit those that are written. */
export function mirrorFormats(
  { formats, mirror }: Pick<CaptureSettings, "formats" | "mirror">,
): readonly MirrorFormat[] {
  const wanted = mirror.filter((format) => format !== "none");
  const written = wanted.find((format) => formats.includes(format));
  if (written !== undefined) {
    throw new WeirError("configuration", `--formats and --mirror both name ${written}`, {
      advice: `Leave ${written} out of one of them: --formats writes its own files, --mirror shows those of Iceberg`,
    });
  }
  if (wanted.length > 0 && !formats.includes("iceberg")) {
    throw new WeirError("configuration", "--mirror shows Iceberg tables, and --formats does not write any", {
      advice: "Add iceberg to --formats",
    });
  }
  return wanted;
}
