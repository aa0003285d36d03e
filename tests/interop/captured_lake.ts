/** A lake filled by the jobs' own wiring from a real server, for independent readers to open. */
import { type CapturedTables, CaptureRun } from "../../jobs/wiring/capture_run.ts";
import { captureSettings } from "../../jobs/wiring/capture_settings.ts";
import { TextProgress } from "../../lib/cli/progress_text.ts";
import type { Dataset, TableDefinition } from "../../lib/dataset/dataset.ts";
import { datasetText } from "../../lib/embed/text_declaration.ts";
import { declaredDefinition } from "../../lib/pipeline/plan.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";

/** What to capture, and into what. */
export interface CaptureIntoLake {
  readonly url: string;
  readonly lake: string;
  readonly tables: CapturedTables;
  /** With it goes how rows leave Delta tables: 3 and deletion vectors, or 2 and files written anew for older readers. */
  readonly icebergVersion: "2" | "3";
  /** Whether Paimon and Delta are shown out of Iceberg's files instead of written. Default false. */
  readonly isMirrored?: boolean;
  /** Other settings by flag, over those of the tests. */
  readonly flags?: Readonly<Record<string, string>>;
}

/** A lake table and the dataset it comes from, with the columns the source had when the capture ended. */
export interface CapturedTable {
  readonly dataset: Dataset;
  readonly definition: TableDefinition;
}

/** Waits until the lake holds all that the server does, and says what its tables are then. */
export type CatchUp = () => Promise<readonly CapturedTable[]>;

/**
 * Captures everything the server holds when `work` is done, which runs while rows stream, and says what the lake's tables are.
 * Throws what any dataset failed with.
 */
export async function captureIntoLake(
  options: CaptureIntoLake,
  work: (catchUp: CatchUp) => Promise<void> = () => Promise.resolve(),
): Promise<readonly CapturedTable[]> {
  await using run = await openRun(options);
  return await run.during(async () => {
    await work(() => caughtUp(run));
    return await caughtUp(run);
  });
}

async function caughtUp(run: CaptureRun): Promise<readonly CapturedTable[]> {
  const point = await run.pipeline.verificationPoint(() => {});
  await point.close();
  await run.lake.mirrors.settled();
  for (const error of run.pipeline.failures.values()) throw error;
  return run.plans.flatMap(({ dataset: declared, tables }) => {
    const dataset = run.source.datasets.find(({ name }) => name === declared.name) ?? declared;
    return tables.map((plan) => ({ dataset, definition: declaredDefinition(plan, dataset) }));
  });
}

/** What a lake in a bucket and a catalog need; nothing else of the environment has a say. */
function ownVariable(name: string): string | undefined {
  return /^(AWS|ICEBERG_REST)_/.test(name) ? Deno.env.get(name) : undefined;
}

async function openRun(
  { url, lake, tables, icebergVersion, isMirrored = false, flags: more = {} }: CaptureIntoLake,
): Promise<CaptureRun> {
  const flags = new Map([
    ...[["lake", [lake]], ["batch-seconds", ["0.2"]]] as const,
    ...isMirrored
      ? [["formats", ["iceberg"]], ["mirror", ["paimon,delta"]]] as const
      : [["formats", ["iceberg,paimon,delta"]]] as const,
    ...[["iceberg-version", [icebergVersion]]] as const,
    ["delta-deletes", [icebergVersion === "3" ? "vectors" : "rewrite"]],
    ...Object.entries(more).map(([name, value]) => [name, [value]] as const),
  ]);
  return await CaptureRun.open({
    job: "interop",
    url,
    settings: resolveSettings(captureSettings, { flags, environment: ownVariable, file: {} }),
    tables,
    textOf: datasetText,
    signal: new AbortController().signal,
    progress: new TextProgress({ write: () => {} }),
  });
}
