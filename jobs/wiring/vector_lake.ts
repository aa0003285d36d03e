/** The lake of a model's vectors, below that of the rows they are of: to be written, or for a look alone. */
import { join } from "node:path";
import type { Sink } from "../../lib/change/sink.ts";
import type { Progress } from "../../lib/cli/progress.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Embedder, EmbeddingModel } from "../../lib/embed/embedder.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { Database } from "../../lib/engine/database.ts";
import type { TableFolder } from "../../lib/query/lake_folders.ts";
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import type { settings as declared } from "../../lib/settings/declarations.ts";
import type { SettingValues } from "../../lib/settings/setting.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { upkeepNote } from "./capture_run.ts";
import type { PlaceSettings } from "./capture_settings.ts";
import { keptTable } from "./kept_tables.ts";
import { Lake } from "./lake.ts";
import { below, readPlace } from "./lake_place.ts";
import { vectorFolder } from "./recorded_text.ts";
import { stateFolder } from "../../lib/settings/state_folder.ts";
import { policyOf, type UpkeepSettings } from "./upkeep_settings.ts";

/** Which vectors, and what is read beside them. */
export interface VectorLakeOptions {
  readonly settings:
    & Pick<SettingValues<typeof declared>, "formats" | "memoryLimitBytes" | "threads">
    & PlaceSettings
    & UpkeepSettings;
  readonly embedder: Embedder;
  readonly progress: Progress;
  /** Folders of the lake of the rows. */
  readonly readFolders: readonly string[];
  /** A folder of this process's own, absolute. */
  readonly workFolder: string;
}

/** The open lake. Its connection reads that of the rows too. Disposing closes it. */
export interface VectorLake extends AsyncDisposable {
  readonly storage: Storage;
  readonly connection: Connection;
  readonly sinkFor: (definition: TableDefinition, format: TableFolder["format"]) => Sink;
}

/** Opens it for writing; what keeps tables up keeps its up too. Throws `fenced` where another process writes to it. */
export async function openVectors(options: VectorLakeOptions): Promise<VectorLake> {
  const { settings, progress, readFolders, workFolder } = options;
  const lake = await Lake.open({
    place: placeOf(options),
    stateFolder,
    readFolders: [...readFolders, workFolder],
    formats: settings.formats,
    icebergVersion: 3,
    deltaDeletes: "vectors",
    memoryLimitBytes: settings.memoryLimitBytes,
    threads: settings.threads,
    upkeep: {
      isOn: true,
      policy: policyOf(settings),
      onTrouble: (table, error) => progress.note(upkeepNote(table, error)),
    },
  });
  return {
    storage: lake.storage,
    connection: lake.connection,
    sinkFor: (definition, format) => lake.sinksFor(definition).find(({ table }) => table.format === format)!,
    [Symbol.asyncDispose]: async () => {
      await lake.upkeep?.close();
      await lake[Symbol.asyncDispose]();
    },
  };
}

/** Opens it for reading, whoever writes to it meanwhile; one that is not there is not made. Nobody may commit to its sinks. */
export async function lookAtVectors(options: VectorLakeOptions): Promise<VectorLake> {
  const { settings: { memoryLimitBytes, threads }, readFolders, workFolder } = options;
  const { storage, folders } = readPlace(placeOf(options), join(workFolder, "vectors"));
  const temporaryFolder = join(workFolder, "engine");
  await Deno.mkdir(temporaryFolder);
  const reached = [...readFolders, ...folders, workFolder];
  const database = await Database.open({ folders: reached, temporaryFolder, memoryLimitBytes, threads });
  const connection = await database.connect();
  return {
    storage,
    connection,
    sinkFor: ({ namespace, name }, format) =>
      new LakeSink(keptTable({ format, namespace, name }, { storage, connection })),
    [Symbol.asyncDispose]: () => {
      connection.close();
      database.close();
      return Promise.resolve();
    },
  };
}

/** What `--lake` is given to find the vectors of a model beside those of a lake. */
export function vectorLakeName(lake: string, model: EmbeddingModel): string {
  return below(lake, vectorFolder(model));
}

function placeOf({ settings, embedder }: VectorLakeOptions): PlaceSettings {
  return { ...settings, lake: vectorLakeName(settings.lake, embedder.model) };
}
