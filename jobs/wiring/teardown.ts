/** Drops what a job made at the source: slot and publication, nothing else. */
import { join } from "node:path";
import type { JobContext, JobResult } from "../../lib/cli/run_job.ts";
import { settings as declared } from "../../lib/settings/declarations.ts";
import type { Declarations } from "../../lib/settings/setting.ts";
import { PostgresSource } from "../../lib/source/postgres/source.ts";
import type { CaptureSettings } from "./capture_settings.ts";
import type { CaptureRunOptions } from "./capture_run.ts";
import { sourceObjects } from "./source_objects.ts";
import { stateFolder } from "../../lib/settings/state_folder.ts";

/** What is to be dropped, and how to tell about it. */
export type TearDownOptions =
  & Pick<CaptureRunOptions, "job" | "url">
  & { readonly settings: Pick<CaptureSettings, "lake" | "slot">; readonly print: (text: string) => void };

/** Drops slot and publication; that they are gone already is no error. */
export async function tearDown(options: TearDownOptions): Promise<JobResult & { readonly dropped: readonly string[] }> {
  const { slot, publication } = sourceObjects(options);
  const source = new PostgresSource({ url: options.url, slot, publication, folder: join(stateFolder, "teardown") });
  try {
    const { hadSlot, otherSlots } = await source.teardown();
    options.print(
      hadSlot
        ? `dropped slot "${slot}" and publication "${publication}"; the lake stays as it is`
        : `there is no slot "${slot}": ${remaining(otherSlots)}`,
    );
    return { ok: true, dropped: hadSlot ? [slot, publication] : [] };
  } finally {
    await source.close();
  }
}

/** Who gives another lake or slot than its job did must not think that all is done. */
function remaining(slots: readonly string[]): string {
  return slots.length === 0
    ? "the database has none that a job reads"
    : `the database has ${slots.join(", ")}; --slot or --lake, as the job had them, says which is meant`;
}

/** What a slot costs while no job reads it. */
export function keptLogText(
  options: Pick<TearDownOptions, "job" | "settings"> & Pick<JobContext<Declarations>, "command">,
): string {
  const { slot } = sourceObjects(options);
  const command = options.command(options.job, {
    of: { lake: declared.lake, slot: declared.slot },
    more: ["--teardown"],
  });
  return `slot "${slot}" makes the source keep its log, without limit, until the next run or until: ${command}`;
}
