/** The generator's part in a run: half of the rows before capture starts, the rest while it streams. */
import { type PaymentPickLists, pickListNames } from "../../lib/domain/payments/pick_lists.ts";
import { type PaymentSettings, paymentSettings } from "../../lib/domain/payments/settings.ts";
import { WeirError } from "../../lib/errors.ts";
import type { Progress } from "../../lib/cli/progress.ts";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { loadPickLists } from "../../lib/generate/pick_list_sources.ts";
import { generatorSettings, pickListVariable } from "../../lib/settings/generator.ts";
import type { SettingValues } from "../../lib/settings/setting.ts";
import { PostgresConnection } from "../../lib/source/postgres/connection.ts";

/** Settings of a generation. */
export interface GenerationOptions {
  readonly url: string;
  readonly settings: SettingValues<typeof generatorSettings> & {
    readonly holders: number;
    readonly payments: number;
    readonly seed: number;
    readonly rate: number | undefined;
  };
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A generator at work on one server. */
export class Generation implements AsyncDisposable {
  readonly #options: GenerationOptions;
  readonly #writer: PaymentsWriter;

  private constructor(options: GenerationOptions, writer: PaymentsWriter) {
    this.#options = options;
    this.#writer = writer;
  }

  /** Connects and makes the tables where they are missing. */
  static async open(options: GenerationOptions): Promise<Generation> {
    const { url, settings } = options;
    const records = recordSettings(settings);
    const lists = await pickLists(options);
    return new Generation(options, await PaymentsWriter.open({ url, seed: settings.seed, settings: records, lists }));
  }

  /** Writes the holders and half of the payments. */
  async load(): Promise<void> {
    const { settings, signal, progress } = this.#options;
    const payments = Math.floor(settings.payments / 2);
    await this.#writer.load({
      holders: settings.holders,
      payments,
      signal,
      onProgress: (counts) =>
        progress.update({
          activity: "generating",
          rows: counts.holders + counts.paymentRows,
          totalRows: settings.holders + 2 * payments,
        }),
    });
  }

  /** Streams the other half with changes among the holders; with `follow` paced by the rate until the signal aborts. */
  async stream({ follow }: { readonly follow: boolean }): Promise<void> {
    const { settings, signal } = this.#options;
    const rate = rowsPerSecond(settings);
    if (follow) await this.#writer.stream({ ...(rate === undefined ? {} : { rate }), signal });
    else await this.#writer.stream({ payments: Math.ceil(settings.payments / 2), signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
  }
}

/** Rows a second while following where nobody says otherwise. */
const defaultRate = 1000;

/** Pace while following: a payment is two rows. Undefined: as fast as the server takes them. */
export function rowsPerSecond(
  { rate, sleepMs }: { readonly rate: number | undefined; readonly sleepMs: number | undefined },
): number | undefined {
  if (rate !== undefined || sleepMs === undefined) return rate ?? defaultRate;
  return sleepMs === 0 ? undefined : 2000 / sleepMs;
}

function recordSettings(settings: GenerationOptions["settings"]): PaymentSettings {
  try {
    return paymentSettings(settings);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new WeirError("configuration", `The generator's settings do not fit together: ${thrown.message}`, {
      cause: thrown,
    });
  }
}

async function pickLists({ url, settings }: GenerationOptions): Promise<PaymentPickLists> {
  const environment = Object.fromEntries(pickListNames.map((name) => [name, settings[pickListVariable(name)]]));
  const file = await pickListFile(settings.pickListFile);
  const { pickListTable: table } = settings;
  const sources = { environment, ...(file === undefined ? {} : { file }) };
  if (table === undefined) return await loadPickLists(sources);
  const connection = await PostgresConnection.open(url);
  try {
    return await loadPickLists({ ...sources, database: { connection, table } });
  } finally {
    await connection.close();
  }
}

/** Only a file that somebody named has to be there. */
async function pickListFile(path: string): Promise<string | undefined> {
  if (path !== generatorSettings.pickListFile.defaultText) return path;
  const found = await Deno.stat(path).catch(() => undefined);
  return found?.isFile ? path : undefined;
}
