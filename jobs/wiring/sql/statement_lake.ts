/** The lake that statements ask, with the folders whose files they may read and a folder for what they leave on disk. */
import { join, resolve } from "node:path";
import { type Need, requirePermissions } from "../../../lib/cli/permission.ts";
import type { Progress } from "../../../lib/cli/progress.ts";
import { WeirError } from "../../../lib/errors.ts";
import { readPoint } from "../../../lib/sql/point_text.ts";
import { SourceTables } from "../../../lib/sql/source_tables.ts";
import { SqlSession } from "../../../lib/sql/session.ts";
import { icebergCatalogOf } from "../../../lib/table/iceberg/rest/configured_catalog.ts";
import { catalogNeeds } from "../catalog_needs.ts";
import { ignoreMissing, needOf, readPlace } from "../lake_place.ts";
import { stateFolder } from "../../../lib/settings/state_folder.ts";
import { AskedServer } from "./source_server.ts";
import type { StatementSettings } from "./statement_settings.ts";

/** An open lake. Disposing removes what statements left on disk. */
export interface StatementLake extends AsyncDisposable {
  readonly session: SqlSession;
  /** Absolute, and of this process alone. */
  readonly workFolder: string;
}

/** Where input files of ours are; of the folders in it statements read all but that of run-time state. */
const inputFolder = "data";

/**
 * Opens it.
 *
 * Throws `configuration` where it is not there, or where the job's permissions do not reach what is named, with the command that does.
 */
export async function openStatementLake(
  settings: StatementSettings,
  { progress }: { readonly progress: Progress },
): Promise<StatementLake> {
  const at = readPoint(settings.at);
  requirePermissions("sql", needs(settings));
  await using open = new AsyncDisposableStack();
  const workFolder = join(resolve(stateFolder), "sql", crypto.randomUUID());
  const temporaryFolder = join(workFolder, "engine");
  await Deno.mkdir(temporaryFolder, { recursive: true });
  open.defer(() => Deno.remove(workFolder, { recursive: true }));
  const { storage, folders } = readPlace(settings, workFolder);
  for (const folder of settings.folders) await requireFolder(folder);
  const readable = settings.folders.length === 0 ? await inputFolders() : settings.folders.map((each) => resolve(each));
  const { memoryLimitBytes, threads, sourceRows: mostRows } = settings;
  const server = open.use(new AskedServer(settings, { progress }));
  const source = new SourceTables({
    url: () => server.url(),
    folder: workFolder,
    mostRows,
    note: (text) => progress.note(text),
  });
  const session = open.use(
    await SqlSession.open({
      storage,
      icebergCatalog: icebergCatalogOf(settings),
      folders: [...folders, ...readable, workFolder],
      temporaryFolder,
      at,
      memoryLimitBytes,
      threads,
      bringTables: (parts, connection, signal) => source.bring(parts, connection, signal),
    }),
  );
  for (const note of session.notes) progress.note(note);
  if (session.tables.length === 0) progress.note(noTablesText(settings));
  const opened = open.move();
  return { session, workFolder, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function noTablesText({ lake, at }: StatementSettings): string {
  return `the lake in ${lake} has no tables${
    at === "newest" ? ": deno task pipeline and deno task capture fill one" : " at this point"
  }`;
}

/** A lake is only read: unlike jobs that write to it, nobody has to be allowed that. */
function needs(settings: StatementSettings): readonly Need[] {
  const lake = needOf(settings);
  const files = settings.folders.map((folder): Need => ({ kind: "file", path: resolve(folder) }));
  return [lake.kind === "folder" ? { kind: "file", path: lake.path } : lake, ...catalogNeeds(settings), ...files];
}

async function requireFolder(folder: string): Promise<void> {
  if ((await Deno.stat(folder).catch(ignoreMissing))?.isDirectory) return;
  throw new WeirError("configuration", `there is no folder ${folder}`, {
    detail: { path: resolve(folder) },
    advice: "Give folders that exist as --folders",
  });
}

async function inputFolders(): Promise<readonly string[]> {
  const state = resolve(stateFolder);
  const names = await Array.fromAsync(Deno.readDir(inputFolder));
  return names.filter(({ isDirectory }) => isDirectory).map(({ name }) => resolve(inputFolder, name))
    .filter((folder) => folder !== state);
}
