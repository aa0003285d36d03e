/** The verification of a lake by a process of its own: its engine, its folder, and one capture after the other. */
import { join, resolve } from "node:path";
import type { Progress } from "../../lib/cli/progress.ts";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { Database } from "../../lib/engine/database.ts";
import { WeirError } from "../../lib/errors.ts";
import { tableFolders } from "../../lib/query/lake_folders.ts";
import type { LakePlace } from "../../lib/query/lake_tables.ts";
import { openTable } from "../../lib/query/time_travel.ts";
import { holdsVectors } from "../../lib/reembed/reembed.ts";
import type { SettingValues } from "../../lib/settings/setting.ts";
import type { settings as declared } from "../../lib/settings/declarations.ts";
import { sourceObjects } from "./source_objects.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import type { CatalogSettings, PlaceSettings } from "./capture_settings.ts";
import { comparedTables } from "./compared_tables.ts";
import { icebergCatalogOf } from "../../lib/table/iceberg/rest/configured_catalog.ts";
import { readPlace } from "./lake_place.ts";
import { type ComparedResult, uncompared, verifyCapture } from "./lake_verification.ts";
import { stateFolder } from "../../lib/settings/state_folder.ts";

/** What it goes by. */
export type BesideSettings =
  & Pick<
    SettingValues<typeof declared>,
    "sample" | "waitSeconds" | "formats" | "slot" | "maxValueBytes" | "memoryLimitBytes" | "threads"
  >
  & PlaceSettings
  & CatalogSettings
  & { readonly tables?: readonly string[] | undefined };

/** What {@linkcode BesideVerification} works with. */
export interface BesideVerificationOptions {
  readonly url: string;
  readonly settings: BesideSettings;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Jobs whose slots are looked for where none is named. */
const jobs = ["pipeline", "capture"];

/** One verification. Disposing removes what it kept on disk. */
export class BesideVerification implements AsyncDisposable {
  readonly #options: BesideVerificationOptions;
  readonly #folder: string;
  readonly #database: Database;
  readonly #lake: Storage;

  private constructor(
    options: BesideVerificationOptions,
    parts: { readonly folder: string; readonly database: Database; readonly lake: Storage },
  ) {
    this.#options = options;
    this.#folder = parts.folder;
    this.#database = parts.database;
    this.#lake = parts.lake;
  }

  /** Opens the engine over the lake, which it only reads. */
  static async open(options: BesideVerificationOptions): Promise<BesideVerification> {
    const { memoryLimitBytes, threads } = options.settings;
    // Of its own: several may run at once, beside the job that fills the lake.
    const folder = join(resolve(stateFolder), "verify", crypto.randomUUID());
    const temporaryFolder = join(folder, "engine");
    await Deno.mkdir(temporaryFolder, { recursive: true });
    const { storage, folders } = readPlace(options.settings, folder);
    const reached = [...folders, folder];
    const database = await Database.open({ folders: reached, temporaryFolder, memoryLimitBytes, threads });
    return new BesideVerification(options, { folder, database, lake: storage });
  }

  /** Compares every table that is asked for. */
  async run(): Promise<readonly ComparedResult[]> {
    const { url, settings, progress, signal } = this.#options;
    const { slot } = settings;
    const captures = slot === undefined ? jobs.map((job) => sourceObjects({ job, settings }).slot) : [slot];
    const lake = this.#lake;
    const icebergCatalog = icebergCatalogOf(settings);
    const connection = await this.#database.connect();
    const results: ComparedResult[] = [];
    try {
      await refuseVectors({ storage: lake, connection, icebergCatalog }, settings);
      const tables = await comparedTables({
        lake,
        icebergCatalog,
        url,
        formats: settings.formats,
        wanted: settings.tables ?? [],
        declared: [accountHolders, transactions],
        captures,
      });
      for (const [capture, ofOne] of Map.groupBy(tables, ({ capture }) => capture)) {
        if (capture === undefined) {
          results.push(...ofOne.map((table) => uncompared(table, "no job captures its source any more")));
          continue;
        }
        results.push(
          ...await verifyCapture({
            url,
            lake,
            icebergCatalog,
            capture,
            tables: ofOne,
            connection,
            folder: this.#folder,
            maxValueBytes: settings.maxValueBytes,
            share: settings.sample,
            waitMs: settings.waitSeconds * 1000,
            signal,
            note: (text) => progress.note(text),
            onTable: (table) => progress.update({ activity: `verifying ${table}`, rows: 0 }),
          }),
        );
      }
      return results;
    } finally {
      connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Throws `configuration` for a lake of vectors, which no source has. */
async function refuseVectors(lake: LakePlace, { formats, lake: place }: BesideSettings): Promise<void> {
  const [first] = await tableFolders({ ...lake, formats });
  // Whether it can be read is told where it is asked for.
  const opened = first && await openTable(first, lake).catch(() => undefined);
  if (!holdsVectors(opened?.newest.position)) return;
  throw new WeirError("configuration", `The lake in ${place} holds vectors that were made beside another lake`, {
    detail: { table: `${first!.namespace}.${first!.name}` },
    advice:
      "Give the lake that they stand below as --lake; deno task embed --dry-run says which of its rows wait for a vector",
  });
}
