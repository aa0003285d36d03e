/** Looks a lake over again and again beside the run that fills it, as any other reader would. */
import type { SinkTable } from "../../../lib/change/sink.ts";
import type { TableFolder } from "../../../lib/query/lake_folders.ts";
import type { LakePlace } from "../../../lib/query/lake_tables.ts";
import { openTable } from "../../../lib/query/time_travel.ts";
import type { CaptureRun } from "../capture_run.ts";
import { pause } from "../pause.ts";
import type { DemoFigures, TableFigures } from "./figures.ts";
import { latestPayments } from "./latest_payments.ts";

/** What is found. */
export type LakeFigures = Partial<Pick<DemoFigures, "tables" | "payments" | "similar">>;

/** So long it rests at least, and so many times as long as it looked: what it shows is not to slow down what it is about. */
const restMs = 1_000;
const restsPerLook = 2;

/** As many as any screen has room for. */
const most = { payments: 30, similar: 30 };

/** Looks until it is disposed, which waits for the look under way. */
export class LakeWatch implements AsyncDisposable {
  readonly #run: CaptureRun;
  readonly #lake: LakePlace;
  readonly #found: (figures: LakeFigures) => void;
  readonly #stop = new AbortController();
  readonly #looking: Promise<void>;

  private constructor(run: CaptureRun, lake: LakePlace, found: (figures: LakeFigures) => void) {
    this.#run = run;
    this.#lake = lake;
    this.#found = found;
    this.#looking = this.#look();
  }

  /**
   * @param options.signal Ends it sooner.
   * @param options.found Told what each look finds.
   */
  static async start(
    run: CaptureRun,
    { signal, found }: { readonly signal: AbortSignal; readonly found: (figures: LakeFigures) => void },
  ): Promise<LakeWatch> {
    const watch = new LakeWatch(run, await run.lake.reader(), found);
    signal.addEventListener("abort", () => watch.#stop.abort(), { once: true });
    return watch;
  }

  async #look(): Promise<void> {
    const { signal } = this.#stop;
    const known = new Map<string, TableFigures>();
    while (!signal.aborted) {
      const startedMs = performance.now();
      for (const table of this.#sinkTables()) {
        // It may be made, or its files merged and removed, while it is looked at: the next look will do.
        const figures = await this.#figuresOf(table).catch(() => undefined);
        if (figures !== undefined) known.set(table.location, figures);
      }
      this.#found({ tables: [...known.values()] });
      this.#found(await this.#payments().catch(() => ({})));
      await pause(Math.max(restMs, (performance.now() - startedMs) * restsPerLook), signal);
    }
  }

  async #figuresOf(table: SinkTable): Promise<TableFigures> {
    const { storage, connection } = this.#lake;
    let [files, bytes, rows] = [0, 0, 0n];
    for await (const object of storage.list(storage.path(table.location))) {
      files++;
      bytes += object.bytes;
    }
    const opened = await openTable(placeOf(table), this.#lake);
    if (opened !== undefined) {
      using scan = await opened.table.scan(opened.newest);
      rows = await connection.value(`SELECT count(*) FROM (${scan.sql})`) as bigint;
    }
    const commits = this.#run.lake.commits.get(table.location) ?? 0;
    return { name: table.name, format: table.format, rows, files, bytes, commits };
  }

  async #payments(): Promise<LakeFigures> {
    const table = this.#sinkTables().find(({ name }) => name === "transactions");
    return table === undefined ? {} : await latestPayments(placeOf(table), this.#lake, most);
  }

  #sinkTables(): readonly SinkTable[] {
    return this.#run.plans.flatMap(({ tables }) => tables.flatMap(({ sinks }) => sinks.map(({ table }) => table)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#looking;
    this.#lake.connection.close();
  }
}

function placeOf({ format, namespace, name }: SinkTable): TableFolder {
  return { format: format as TableFolder["format"], namespace, name };
}
