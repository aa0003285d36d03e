/**
 * Micro-batches by hand: what a job would write, as results to look at, and nothing written.
 *
 * Promise: the source, the folding, the transforms and the texts are those of the jobs. At the source a slot and a publication of their
 * own are made, and dropped when the source is closed; what a killed process left of them is dropped when the next is opened. While
 * it is open the server keeps its log: close it once you have seen enough.
 */
import { join } from "node:path";
import type { Dataset } from "../dataset/dataset.ts";
import type { Embedder } from "../embed/embedder.ts";
import { datasetText, type TextDeclaration } from "../embed/text_declaration.ts";
import { Database } from "../engine/database.ts";
import { readPlace } from "../notebook/lake_place.ts";
import { DeadLetters } from "../pipeline/dead_letters.ts";
import { makeTemporaryFolder } from "../notebook/temporary_folder.ts";
import { PostgresSource } from "../source/postgres/source.ts";
import { LocalStorage } from "../storage/local.ts";
import { DatasetPull, type DatasetPullOptions } from "./dataset_pull.ts";
import { jobsServerUrl } from "./jobs_server.ts";
import { PulledSource } from "./pulled_source.ts";

/** Which source, and what its rows go through. */
export interface OpenSourceOptions {
  /**
   * Connection string of a PostgreSQL whose user may replicate. Default: the one that the jobs capture from, `POSTGRES_URL` or the embedded
   * server, which runs while a job does.
   */
  readonly url?: string;
  /** Declared contracts, such as `accountHolders` and `transactions`. */
  readonly datasets?: readonly Dataset[];
  /** Tables whose contract is inferred: `namespace.table`, with `*` and `?`. */
  readonly tables?: readonly string[];
  /** Makes the vectors, as `createEmbedder` gives it; it stays open. Default: no vectors. */
  readonly embedder?: Embedder;
  /** What a dataset's vectors are made from. Default: what its contract says; nothing for an inferred one. */
  readonly textOf?: (dataset: Dataset) => TextDeclaration | undefined;
  /** The lake that a job fills: its rows complete values that the source did not send again. Default: such values are NULL. */
  readonly lake?: string;
  /** Name of slot and publication; never that of a job. Default `weir_notebook`. */
  readonly slot?: string;
}

/** Bytes of a part of an initial copy: enough to look at. */
const copyPartBytes = 8 * 2 ** 20;

/**
 * Opens a source to pull batches from. Changes count from now on.
 *
 * Throws `precondition` naming what keeps a table from being captured, `fenced` while another notebook uses the same slot,
 * `connection`, `authentication`.
 */
export async function openSource(options: OpenSourceOptions): Promise<PulledSource> {
  const { url = await jobsServerUrl(), datasets = [], tables = [], slot = "weir_notebook" } = options;
  await using open = new AsyncDisposableStack();
  const folder = await makeTemporaryFolder();
  open.defer(() => Deno.remove(folder, { recursive: true }));
  const names = { slot, publication: slot };
  const source = new PostgresSource({ url, ...names, datasets, tables, folder, copyPartBytes, copyConnections: 1 });
  open.defer(() => source.close());
  const deadLetters = new DeadLetters(new LocalStorage(join(folder, "letters")), { share: 1 });
  const { database, pullOf } = await engineOf(options, { folder, deadLetters, open });
  const { datasets: captured } = await source.inspect();
  await source.teardown();
  open.defer(async () => void await source.teardown());
  await source.start([]);
  const pulls = new Map<string, DatasetPull>();
  for (const dataset of captured) {
    pulls.set(`${dataset.source.namespace}.${dataset.source.table}`, await pullOf(dataset));
  }
  const point = await source.verificationPoint();
  await point.close();
  return new PulledSource({ source, pulls, after: point.position, database, deadLetters, opened: open.move() });
}

interface EngineParts {
  readonly folder: string;
  readonly deadLetters: DeadLetters;
  readonly open: AsyncDisposableStack;
}

/** The engine that folds and transforms, and what a dataset goes through in it. */
async function engineOf(options: OpenSourceOptions, { folder, deadLetters, open }: EngineParts) {
  const place = options.lake === undefined ? undefined : await readPlace(options.lake, folder);
  const temporaryFolder = join(folder, "engine");
  await Deno.mkdir(temporaryFolder, { recursive: true });
  const database = open.adopt(
    await Database.open({ folders: [folder, ...place?.folders ?? []], temporaryFolder }),
    (opened) => opened.close(),
  );
  const connection = await database.connect();
  const { embedder, textOf = datasetText } = options;
  const context = { connection, deadLetters, signal: new AbortController().signal };
  const lake = place === undefined ? {} : { lake: { storage: place.storage, connection } };
  const pullOf = async (dataset: Dataset) => {
    const text = embedder === undefined ? undefined : textOf(dataset);
    const embedding: Pick<DatasetPullOptions, "embedding"> = text && embedder ? { embedding: { text, embedder } } : {};
    return await DatasetPull.open(dataset, { ...context, ...lake, ...embedding });
  };
  return { database, pullOf };
}
