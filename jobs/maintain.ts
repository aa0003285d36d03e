/** Merges files, expires snapshots and finds orphans of lake tables, beside the job that fills them or while none runs. */
import { join, resolve } from "node:path";
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { Database } from "../lib/engine/database.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { UpkeepWorker } from "../lib/sink/upkeep_worker.ts";
import { catalogSettings } from "../lib/settings/catalog_settings.ts";
import { placeSettings } from "./wiring/capture_settings.ts";
import { chosenTables } from "./wiring/chosen_tables.ts";
import { icebergCatalogOf } from "../lib/table/iceberg/rest/configured_catalog.ts";
import { lakeId } from "../lib/storage/lake_name.ts";
import { maintainedPlace, openPlace } from "./wiring/lake_place.ts";
import { Maintenance } from "./wiring/maintenance.ts";
import { maintenanceOutcome, planText, workText } from "./wiring/maintenance_outcome.ts";
import { requireReach } from "./wiring/reach.ts";
import { policyOf, upkeepSettings } from "./wiring/upkeep_settings.ts";
import { stateFolder } from "../lib/settings/state_folder.ts";

const dayMs = 86_400_000;

export const job = declareJob({
  name: "maintain",
  summary: "Merge small files, expire old snapshots and find orphaned files of lake tables; beside a running job too",
  settings: {
    dryRun: declared.dryRun,
    tables: {
      ...declared.tables,
      help: "Lake tables, as namespace.table with * and ?, ! before one leaves it out; without it all",
    },
    ...placeSettings,
    formats: { ...declared.formats, help: "Table formats to maintain", defaultText: "iceberg,paimon,delta" },
    ...upkeepSettings,
    orphanDays: declared.orphanDays,
    removeOrphans: declared.removeOrphans,
    bucketBytes: declared.bucketBytes,
    rescale: declared.rescale,
    ...catalogSettings,
    memoryLimitBytes: declared.memoryLimitBytes,
    threads: declared.threads,
  },
  main: async ({ settings, signal, progress, print }) => {
    await requireReach("maintain", settings, { catalog: settings });
    const folderOf = (work: string) => join(resolve(stateFolder), work, lakeId(settings.lake));
    await using open = new AsyncDisposableStack();
    const place = await maintainedPlace(settings, { stateFolder: folderOf("maintain") });
    const { storage, folders, workFolder } = open.use(place);
    const icebergCatalog = icebergCatalogOf(settings);
    if (settings.formats.includes("iceberg")) await icebergCatalog?.connect();
    const { formats, tables: wanted } = settings;
    const places = await chosenTables({ lake: storage, icebergCatalog, formats, wanted });
    // A file so young may belong to a commit that is under way: then nobody may be writing.
    if (settings.removeOrphans && settings.orphanDays < 1 && !settings.dryRun) {
      open.use(await openPlace(settings, { stateFolder: folderOf("capture") }));
    }
    const temporaryFolder = join(workFolder, "engine");
    await Deno.mkdir(temporaryFolder, { recursive: true });
    open.defer(() => Deno.removeSync(temporaryFolder, { recursive: true }));
    const { memoryLimitBytes, threads } = settings;
    const database = open.adopt(
      await Database.open({ folders: [...folders, workFolder], temporaryFolder, memoryLimitBytes, threads }),
      (opened) => opened.close(),
    );
    const worker = new UpkeepWorker(await database.connect());
    signal.addEventListener("abort", () => worker.stop(), { once: true });
    const maintenance = new Maintenance({
      ...settings,
      storage,
      places,
      policy: policyOf(settings, { orphanAgeMs: settings.orphanDays * dayMs }),
      worker,
      tables: { connection: await database.connect(), icebergCatalog },
      signal,
      progress,
    });
    const planned = await maintenance.plan();
    print(planText(planned));
    if (settings.dryRun || signal.aborted) return maintenanceOutcome(planned, settings.dryRun);
    const worked = await maintenance.work();
    print(`\n${workText(worked, settings)}`);
    return maintenanceOutcome(worked, false);
  },
});

if (import.meta.main) await runJob(job);
