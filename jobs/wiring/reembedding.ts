/** The embedding of a lake's tables with another model: their vectors go into a lake of their own below it. */
import { join, resolve } from "node:path";
import type { Scan } from "../../lib/change/sink.ts";
import type { Progress } from "../../lib/cli/progress.ts";
import type { Embedder } from "../../lib/embed/embedder.ts";
import { WeirError } from "../../lib/errors.ts";
import { DeadLetters } from "../../lib/pipeline/dead_letters.ts";
import type { TableFolder } from "../../lib/query/lake_folders.ts";
import type { LakePlace as QueryPlace } from "../../lib/query/lake_tables.ts";
import { openTable } from "../../lib/query/time_travel.ts";
import {
  type HeldVectors,
  holdsVectors,
  Reembed,
  type ReembedBudget,
  type ReembedOptions,
  type ReembedOutcome,
  vectorsDefinition,
} from "../../lib/reembed/reembed.ts";
import type { settings as declared } from "../../lib/settings/declarations.ts";
import type { SettingValues } from "../../lib/settings/setting.ts";
import type { CatalogSettings, PlaceSettings } from "./capture_settings.ts";
import { chosenTables } from "./chosen_tables.ts";
import { icebergCatalogOf } from "../../lib/table/iceberg/rest/configured_catalog.ts";
import { readPlace } from "./lake_place.ts";
import { textOf } from "./recorded_text.ts";
import { pause } from "./pause.ts";
import { stateFolder } from "../../lib/settings/state_folder.ts";
import type { UpkeepSettings } from "./upkeep_settings.ts";
import { lookAtVectors, openVectors, type VectorLake } from "./vector_lake.ts";

/** What it goes by. */
export type ReembeddingSettings =
  & Pick<
    SettingValues<typeof declared>,
    | "dryRun"
    | "embed"
    | "budgetRows"
    | "budgetMinutes"
    | "follow"
    | "formats"
    | "deadLetterShare"
    | "memoryLimitBytes"
    | "threads"
  >
  & PlaceSettings
  & CatalogSettings
  & UpkeepSettings
  & { readonly tables?: readonly string[] | undefined };

/** What {@linkcode Reembedding} works with. */
export interface ReembeddingOptions {
  readonly settings: ReembeddingSettings;
  readonly embedder: Embedder;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** What the vectors of a table will cost. */
export interface ReembedEstimate {
  readonly table: string;
  readonly format: string;
  /** Rows without a vector of this model and their present text. */
  readonly rows: number;
  /** Null where no row waits. */
  readonly rowsPerSecond: number | null;
  /** Of the vectors alone, before compression. */
  readonly bytes: number;
}

/** How the work on a table ended. */
export interface ReembeddedTable extends ReembedOutcome, HeldVectors {
  readonly table: string;
  readonly format: string;
  readonly location: string;
}

/** Rows that are embedded for the estimate. */
const measuredRows = 256;
/** How often a table is looked at with `--follow`. */
const followMs = 5_000;

interface Work {
  readonly place: TableFolder;
  readonly location: string;
  readonly reembed: Reembed;
}

/** An open lake and the one for its vectors. Disposing closes both. */
export class Reembedding implements AsyncDisposable {
  readonly #options: ReembeddingOptions;
  readonly #works: readonly Work[];
  readonly #opened: AsyncDisposable;

  private constructor(
    options: ReembeddingOptions,
    parts: { readonly works: readonly Work[]; readonly opened: AsyncDisposable },
  ) {
    this.#options = options;
    this.#works = parts.works;
    this.#opened = parts.opened;
  }

  /**
   * Opens both lakes; for a dry run both for reading alone.
   *
   * Throws `configuration` where no table has a text, `fenced` where another process writes the vectors.
   */
  static async open(options: ReembeddingOptions): Promise<Reembedding> {
    const { settings } = options;
    await using open = new AsyncDisposableStack();
    const icebergCatalog = icebergCatalogOf(settings);
    if (settings.formats.includes("iceberg")) await icebergCatalog?.connect();
    const workFolder = join(resolve(stateFolder), "embed", crypto.randomUUID());
    await Deno.mkdir(workFolder, { recursive: true });
    open.defer(() => Deno.remove(workFolder, { recursive: true }));
    const { storage, folders } = readPlace(settings, workFolder);
    const { formats, tables: wanted = [] } = settings;
    const places = await chosenTables({ lake: storage, icebergCatalog, formats, wanted });
    const vectors = open.use(
      await (settings.dryRun ? lookAtVectors : openVectors)({ ...options, readFolders: folders, workFolder }),
    );
    const from = { storage, connection: vectors.connection, icebergCatalog };
    const works: Work[] = [];
    for (const place of oneOfEach(places, formats)) {
      const work = await workOf(place, { ...options, vectors, from });
      if (work !== undefined) works.push(work);
    }
    if (works.length > 0) return new Reembedding(options, { works, opened: open.move() });
    throw new WeirError("configuration", "None of the tables says what its vectors are made from", {
      advice: "Name the columns with --embed TABLE:COLUMN,…",
    });
  }

  /** What the vectors will cost, table by table, from a few rows of each. */
  async estimate(): Promise<readonly ReembedEstimate[]> {
    const { embedder, progress } = this.#options;
    const estimates: ReembedEstimate[] = [];
    for (const { place: { namespace, name, format }, reembed } of this.#works) {
      const table = `${namespace}.${name}`;
      progress.update({ activity: `looking at ${table}`, rows: 0 });
      const rows = await reembed.pending();
      const rowsPerSecond = await reembed.measure(measuredRows);
      const bytes = rows * embedder.model.dimensions * Float32Array.BYTES_PER_ELEMENT;
      estimates.push({ table, format, rows, bytes, rowsPerSecond: rowsPerSecond ?? null });
    }
    return estimates;
  }

  /** Embeds table after table until none waits or the budget is spent; with `--follow` until it is stopped. */
  async run(estimates: readonly ReembedEstimate[]): Promise<readonly ReembeddedTable[]> {
    const { settings, signal } = this.#options;
    const totals = this.#works.map(({ place: { namespace, name, format }, location }): ReembeddedTable => (
      { table: `${namespace}.${name}`, format, location, ...nothingDone }
    ));
    const endMs = performance.now() + (settings.budgetMinutes ?? Infinity) * 60_000;
    let rowsLeft = settings.budgetRows ?? Infinity;
    do {
      for (const [index, { reembed }] of this.#works.entries()) {
        if (signal.aborted) break;
        const done = await this.#embed(reembed, {
          total: estimates[index]!,
          budget: { rows: rowsLeft, ms: endMs - performance.now() },
        });
        rowsLeft -= done.embedded + done.failed;
        totals[index] = { ...totals[index]!, ...sum(totals[index]!, done) };
      }
      if (!settings.follow || rowsLeft <= 0 || performance.now() >= endMs) break;
      await pause(followMs, signal);
    } while (!signal.aborted);
    return await Promise.all(this.#works.map(async ({ reembed }, index) => (
      { ...totals[index]!, ...await reembed.held() }
    )));
  }

  async #embed(
    reembed: Reembed,
    { total, budget }: { readonly total: ReembedEstimate; readonly budget: ReembedBudget },
  ): Promise<ReembedOutcome> {
    const { progress } = this.#options;
    const activity = `embedding ${total.table}`;
    return await reembed.run(
      budget,
      (rows) => progress.update({ activity, rows, ...(rows <= total.rows ? { totalRows: total.rows } : {}) }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]();
  }
}

const nothingDone = { embedded: 0, failed: 0, removed: 0, complete: false, vectors: 0, withoutVector: 0 };

function sum(before: ReembedOutcome, done: ReembedOutcome): ReembedOutcome {
  return {
    embedded: before.embedded + done.embedded,
    failed: before.failed + done.failed,
    removed: before.removed + done.removed,
    complete: done.complete,
  };
}

/** Of a table that stands in several formats the first that is asked for: their rows are the same. */
function oneOfEach(places: readonly TableFolder[], formats: readonly string[]): readonly TableFolder[] {
  const byName = Map.groupBy(places, ({ namespace, name }) => `${namespace}.${name}`);
  return [...byName.values()].map((same) =>
    same.toSorted((left, right) => formats.indexOf(left.format) - formats.indexOf(right.format))[0]!
  );
}

/** Undefined for a table that nobody makes vectors from. Throws `configuration` for one without a key. */
async function workOf(
  place: TableFolder,
  options: ReembeddingOptions & { readonly vectors: VectorLake; readonly from: QueryPlace },
): Promise<Work | undefined> {
  const { vectors: { connection, storage, sinkFor }, from, settings, embedder, signal } = options;
  const { namespace, name, format } = place;
  const opened = await openTable(place, from);
  if (opened === undefined) return undefined;
  const { columns, key, position } = opened.newest;
  if (holdsVectors(position)) throw vectorsAlone(place);
  const table = { namespace, name, columns, key };
  const scan = () => newestScan(place, from);
  const text = await textOf(table, { requests: settings.embed, scan, connection });
  if (text === undefined) return undefined;
  if (key.length === 0) throw withoutKey(place);
  const sink = sinkFor(vectorsDefinition(table), format);
  const deadLetters = new DeadLetters(storage, { share: settings.deadLetterShare });
  const writeLetters: ReembedOptions["writeLetters"] = (drafts, batch) =>
    deadLetters.write(drafts, { ...batch, table: `${namespace}.${name}` });
  const reembed = new Reembed({ connection, embedder, text, table, scan, sink, signal, writeLetters });
  return { place, location: sink.table.location, reembed };
}

async function newestScan(place: TableFolder, from: QueryPlace): Promise<Scan> {
  const opened = await openTable(place, from);
  if (opened === undefined) throw new WeirError("tableUnreadable", `${place.namespace}.${place.name} is gone`);
  return await opened.table.scan(opened.newest);
}

function vectorsAlone({ namespace, name }: TableFolder): WeirError {
  const table = `${namespace}.${name}`;
  return new WeirError("configuration", `${table} holds vectors that were made beside a lake, and no texts`, {
    detail: { table },
    advice: "Give the lake that they stand below as --lake",
  });
}

function withoutKey({ namespace, name }: TableFolder): WeirError {
  const table = `${namespace}.${name}`;
  return new WeirError("configuration", `${table} has no key by which vectors could stand beside its rows`, {
    detail: { table },
    advice: `Leave it out: --tables '!${table}'`,
  });
}
