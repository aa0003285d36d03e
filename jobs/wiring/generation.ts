/** The generator's part in a run: half of the rows before capture starts, the rest while it streams. */
import type { Progress } from "../../lib/cli/progress.ts";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { loadPickLists } from "../../lib/generate/pick_list_sources.ts";

/** Settings of a generation. */
export interface GenerationOptions {
  readonly url: string;
  readonly settings: {
    readonly holders: number;
    readonly payments: number;
    readonly seed: number;
    readonly rate: number;
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
    const lists = await loadPickLists();
    return new Generation(options, await PaymentsWriter.open({ url: options.url, seed: options.settings.seed, lists }));
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
    if (follow) await this.#writer.stream({ rate: settings.rate, signal });
    else await this.#writer.stream({ payments: Math.ceil(settings.payments / 2), signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
  }
}
