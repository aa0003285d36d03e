/** A lake table to be searched: which it is, the engine that reads it, and the folder of its index. */
import { join, resolve } from "node:path";
import { formatCount } from "../../lib/cli/format.ts";
import type { Progress } from "../../lib/cli/progress.ts";
import { Database } from "../../lib/engine/database.ts";
import { WeirError } from "../../lib/errors.ts";
import { type TableFolder, tableFolders } from "../../lib/query/lake_folders.ts";
import type { LakePlace } from "../../lib/query/lake_tables.ts";
import { indexFolder } from "../../lib/query/similar/index_folder.ts";
import type { IndexManifest } from "../../lib/query/similar/index_manifest.ts";
import type { IndexRefresh } from "../../lib/query/similar/index_refresh.ts";
import { indexTable } from "../../lib/query/similar/index_table.ts";
import { defaultIndexFromRows } from "../../lib/query/similar/similar.ts";
import { VectorIndex } from "../../lib/query/similar/vector_index.ts";
import { requireVectors } from "../../lib/query/similar/vector_rows.ts";
import { openTable } from "../../lib/query/time_travel.ts";
import { nearest } from "../../lib/settings/nearest.ts";
import { pause } from "./pause.ts";
import { stateFolder } from "../../lib/settings/state_folder.ts";
import type { CatalogSettings, PlaceSettings } from "./capture_settings.ts";
import { icebergCatalogOf } from "../../lib/table/iceberg/rest/configured_catalog.ts";
import { below, readPlace } from "./lake_place.ts";

/** What it goes by. */
export type SearchedTableSettings = PlaceSettings & CatalogSettings & {
  readonly table: string | undefined;
  readonly memoryLimitBytes: number;
  readonly threads: number;
};

/** How an index was brought up to its table. */
export type IndexOutcome = Pick<IndexRefresh, "how" | "added"> & Pick<IndexManifest, "texts">;

/** How often a table is looked at with `--follow`, at most; a graph is written whole, so large ones are given more time. */
const followMs = 5_000;
const restsPerRefresh = 4;

/** An open table. Disposing removes what it kept on disk, but not the index. */
export class SearchedTable implements AsyncDisposable {
  readonly lake: LakePlace;
  readonly place: TableFolder;
  readonly key: readonly string[];
  readonly index: VectorIndex;
  readonly #rows: bigint;
  readonly #threads: number;
  readonly #opened: AsyncDisposable;

  private constructor(
    parts: Pick<SearchedTable, "lake" | "place" | "key" | "index"> & {
      readonly rows: bigint;
      readonly threads: number;
      readonly opened: AsyncDisposable;
    },
  ) {
    this.lake = parts.lake;
    this.place = parts.place;
    this.key = parts.key;
    this.index = parts.index;
    this.#rows = parts.rows;
    this.#threads = parts.threads;
    this.#opened = parts.opened;
  }

  /**
   * Opens the table over a lake that is only read.
   *
   * @param formats Those to look for it in, the first first.
   *
   * Throws `configuration` where there is no such table, with the nearest name, and `precondition` where it has no vectors.
   */
  static async open(
    settings: SearchedTableSettings,
    formats: readonly TableFolder["format"][],
  ): Promise<SearchedTable> {
    await using open = new AsyncDisposableStack();
    const folder = join(resolve(stateFolder), "similar", crypto.randomUUID());
    const temporaryFolder = join(folder, "engine");
    await Deno.mkdir(temporaryFolder, { recursive: true });
    open.defer(() => Deno.remove(folder, { recursive: true }));
    const { storage, folders } = readPlace(settings, folder);
    const icebergCatalog = icebergCatalogOf(settings);
    if (formats.includes("iceberg")) await icebergCatalog?.connect();
    const { memoryLimitBytes, threads } = settings;
    const database = open.adopt(
      await Database.open({ folders: [...folders, folder], temporaryFolder, memoryLimitBytes, threads }),
      (opened) => opened.close(),
    );
    const lake = { storage, connection: await database.connect(), icebergCatalog };
    const tables = await tableFolders({ ...lake, formats });
    if (tables.length === 0) throw noTables(settings.lake, await vectorLakes(settings, folder));
    const place = tableNamed(settings, tables, formats);
    const opened = await openTable(place, lake);
    if (opened === undefined) throw noTables(settings.lake, []);
    requireVectors(place, opened.newest.columns);
    const index = open.use(new VectorIndex(indexFolder(resolve(stateFolder), { lake: settings.lake, table: place })));
    const { key, rows } = opened.newest;
    return new SearchedTable({ lake, place, key, rows, index, threads, opened: open.move() });
  }

  /** Builds the index, or adds what came since, and says so; with `follow` again and again until it is stopped. */
  async refreshIndex(
    options: { readonly signal: AbortSignal; readonly progress: Progress; readonly follow: boolean },
  ): Promise<IndexOutcome> {
    const { signal, progress, follow } = options;
    let all = await this.#refreshOnce(options);
    progress.note(indexText(all));
    if (this.#rows < defaultIndexFromRows) progress.note(unaskedText(this.#rows));
    while (follow && !signal.aborted) {
      await pause(Math.max(followMs, all.ms * restsPerRefresh), signal);
      if (signal.aborted) break;
      const next = await this.#refreshOnce(options);
      if (next.how !== "current") progress.note(indexText(next));
      all = { ...next, added: all.added + next.added };
    }
    const { how, added, texts } = all;
    return { how, added, texts };
  }

  async #refreshOnce(
    { signal, progress }: { readonly signal: AbortSignal; readonly progress: Progress },
  ): Promise<IndexOutcome & { readonly ms: number; readonly reason?: string }> {
    const { lake, place: table, index } = this;
    const startedMs = performance.now();
    const onRows = (rows: number, totalRows: number) => progress.update({ activity: "indexing", rows, totalRows });
    const refreshed = await indexTable(lake, { table, index, threads: this.#threads, signal, onRows });
    const { how, added, reason, manifest: { texts } } = refreshed;
    return { how, added, texts, ms: performance.now() - startedMs, ...(reason === undefined ? {} : { reason }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]();
  }
}

function indexText({ how, added, reason }: IndexOutcome & { readonly reason?: string }): string {
  const what = how === "current" ? "is current" : `was ${how}: ${formatCount(added)} texts came in`;
  return `the index ${what}${reason === undefined ? "" : `, because ${reason}`}`;
}

function unaskedText(rows: bigint): string {
  return `a search asks it once the table has ${formatCount(defaultIndexFromRows)} rows: all of its ` +
    `${formatCount(rows)} are compared until then, which takes a blink`;
}

function tableNamed(
  settings: SearchedTableSettings,
  tables: readonly TableFolder[],
  formats: readonly string[],
): TableFolder {
  const { table: wanted } = settings;
  const named = tables.filter(({ namespace, name }) => `${namespace}.${name}` === wanted || name === wanted)
    .toSorted((left, right) => formats.indexOf(left.format) - formats.indexOf(right.format));
  const [first] = named;
  if (first === undefined) throw noTable(settings, tables);
  const other = named.find(({ namespace }) => namespace !== first.namespace);
  if (other === undefined) return first;
  throw new WeirError("configuration", `${wanted} is ${first.namespace}.${wanted} and ${other.namespace}.${wanted}`, {
    advice: "Name the table with its namespace: --table NAMESPACE.TABLE",
  });
}

/** Lakes of the vectors of other models, where somebody may have meant one of them. */
async function vectorLakes(settings: PlaceSettings, workFolder: string): Promise<readonly string[]> {
  const lake = settings.lake.replace(/\/vectors(?:\/.*)?$/, "");
  const { storage } = readPlace({ ...settings, lake }, join(workFolder, "vectors"));
  // An advice is no reason to fail: what may not be looked at is not spoken of.
  const names = await storage.subfolders("vectors").catch(() => []);
  return names.map((name) => below(lake, `vectors/${name}`));
}

function noTables(lake: string, vectors: readonly string[]): WeirError {
  return new WeirError("configuration", `The lake in ${lake} has no tables`, {
    advice: vectors.length === 0
      ? "Give the place that a job writes to as --lake"
      : `Give the place that a job writes to as --lake, or, for vectors of another model, ${vectors.join(" or ")}`,
  });
}

function noTable({ table, lake }: SearchedTableSettings, tables: readonly TableFolder[]): WeirError {
  const names = [...new Set(tables.map(({ namespace, name }) => `${namespace}.${name}`))];
  const meant = table === undefined ? undefined : nearest(table, names);
  const message = table === undefined ? "No table is named" : `The lake in ${lake} has no table ${table}`;
  return new WeirError("configuration", message, {
    advice: meant === undefined ? `Give one of these as --table: ${names.join(", ")}` : `Did you mean ${meant}?`,
  });
}
