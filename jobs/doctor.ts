/** Whether the environment will do for the jobs, and what to do where it will not. */
import type { Progress } from "../lib/cli/progress.ts";
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import type { SettingValues } from "../lib/settings/setting.ts";
import { catalogSettings } from "../lib/settings/catalog_settings.ts";
import { modelSettings, placeSettings } from "./wiring/capture_settings.ts";
import { type Check, examine, type Finding, findingText } from "./wiring/doctor/finding.ts";
import { denoFinding, engineFinding, folderFinding, portFinding } from "./wiring/doctor/machine.ts";
import { toolFindings } from "./wiring/doctor/tools.ts";
import { requireReach } from "./wiring/reach.ts";
import { stateFolder } from "../lib/settings/state_folder.ts";

const own = {
  postgresUrl: declared.postgresUrl,
  postgresPort: declared.postgresPort,
  tables: {
    ...declared.tables,
    help: "Source tables that are to be captured, as capture takes them: what each of them lacks is told too",
  },
  slot: declared.slot,
  ...placeSettings,
  formats: declared.formats,
  ...catalogSettings,
  ...modelSettings,
  serveHost: declared.serveHost,
  servePort: declared.servePort,
};

export const job = declareJob({
  name: "doctor",
  summary: "Check what the jobs need on this machine, and say what to do where something is missing",
  stops: "after what is being looked at",
  settings: own,
  main: async ({ settings, signal, progress, print }) => {
    await requireReach("doctor", settings, { catalog: settings });
    const findings: Finding[] = [];
    for (const check of checks(settings, progress)) {
      if (signal.aborted) break;
      const found = await examine(check);
      for (const finding of found) print(findingText(finding));
      findings.push(...found);
    }
    const count = (verdict: Finding["verdict"]) => findings.filter((finding) => finding.verdict === verdict).length;
    const [wrong, notes] = [count("wrong"), count("note")];
    print(`\n${count("ok")} ok, ${notes} to note, ${wrong} wrong`);
    return { ok: wrong === 0 && !signal.aborted, findings };
  },
});

/** What needs a package is loaded when its turn comes: where that fails it is a finding, and the others are there. */
function checks(settings: SettingValues<typeof own>, progress: Pick<Progress, "note">): readonly Check[] {
  const { serveHost: hostname, servePort: port } = settings;
  const look = (what: string, found: () => Promise<readonly Finding[]>): Check => ({ what, look: found });
  return [
    look("deno", () => Promise.resolve([denoFinding(Deno.version.deno)])),
    look("engine", async () => [await engineFinding(stateFolder)]),
    look("state", async () => [await folderFinding("state", stateFolder)]),
    look("lake", async () => await (await import("./wiring/doctor/lake.ts")).lakeFindings(settings)),
    look("catalog", async () => await (await import("./wiring/doctor/lake.ts")).catalogFindings(settings)),
    look("source", async () => await (await import("./wiring/doctor/source.ts")).sourceFindings(settings, progress)),
    look("model", async () => await (await import("./wiring/doctor/model.ts")).modelFindings(settings)),
    look("port", () => Promise.resolve([portFinding({ what: "serve:embeddings", hostname, port, flag: "--port" })])),
    look("tools", toolFindings),
  ];
}

if (import.meta.main) await runJob(job);
