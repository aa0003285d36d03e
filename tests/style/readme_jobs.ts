/** The part of the README that tells what each job takes, made from the declarations. */
import { modelSettings, placeSettings } from "../../jobs/wiring/capture_settings.ts";
import { catalogSettings } from "../../lib/settings/catalog_settings.ts";
import { upkeepSettings } from "../../jobs/wiring/upkeep_settings.ts";
import type { DeclaredJob } from "../../lib/cli/help.ts";
import { frameSettings } from "../../lib/cli/run_job.ts";
import type { Declarations } from "../../lib/settings/setting.ts";

/** What stands around that part. */
export const marks = ["<!-- jobs: written by deno task readme-jobs -->", "<!-- end of jobs -->"] as const;

/** Settings that several jobs take together, told once. */
export const groups: Readonly<Record<string, Declarations>> = {
  "the lake": placeSettings,
  "the catalog": catalogSettings,
  "the model": modelSettings,
  "upkeep": upkeepSettings,
};

/** A section for each job: its sentence, its flags, and which groups it takes. */
export function jobSections(jobs: readonly DeclaredJob[]): string {
  const shared = Object.entries(groups).map(([name, settings]) => `- Flags of ${name}: ${flagList(settings)}.`);
  const everywhere = `- Flags of every job: ${flagList(frameSettings)}, \`--help\`.`;
  return [...jobs.map(section), [...shared, everywhere].join("\n")].join("\n\n");
}

function section(job: DeclaredJob): string {
  const taken = Object.entries(groups).filter(([, group]) => takesAll(job.settings, group));
  const own = Object.fromEntries(Object.entries(job.settings).filter(([name]) => !taken.some(([, of]) => name in of)));
  const named = taken.map(([name]) => `those of ${name}`);
  const flags = [flagList(own), ...named].filter((part) => part !== "").join(", ");
  return `### \`deno task ${job.name}\`\n\n${job.summary}. Flags: ${flags}.`;
}

function takesAll(settings: Declarations, group: Declarations): boolean {
  return Object.entries(group).every(([name, { flag }]) =>
    settings[name] !== undefined && settings[name].flag === flag
  );
}

/** Without defaults: one of them is the number of this machine's cores, and `--help` has them all. */
function flagList(settings: Declarations): string {
  const flags = Object.values(settings).filter(({ flag }) => flag !== undefined);
  return flags.map(({ flag, placeholder }) => `\`--${flag}${placeholder === undefined ? "" : ` ${placeholder}`}\``)
    .join(", ");
}
