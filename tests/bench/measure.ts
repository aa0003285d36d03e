/** One measurement in a process of its own, so that its memory and CPU are its own. Prints one line of JSON. */
import process from "node:process";
import pg from "pg";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { parseJson } from "../../lib/table/lossless_json.ts";
import { copyFirst, openCapture, takeBacklog, type Taken, taken, untilCarried } from "./capture_bench.ts";
import { mergeFiles } from "./merge_bench.ts";
import { clusteredVectors, measureSimilar, paymentVectors } from "./similar_bench.ts";
import { writeMadeUpModel } from "./static_bench.ts";
import { measureUpserts } from "./upsert_bench.ts";
import { createWide, insertWide, mixChanges, rawCopy, rawReceive } from "./wide_table.ts";

/** Figures of one measurement, by name with its unit. */
export type Figures = Readonly<Record<string, number | string>>;

interface Place {
  readonly url: string;
  readonly lake: string;
  readonly client: pg.Client;
}

/** Source commits that stand for all between two snapshots. */
const commitsPerSpan = 20;
const wide = { tables: ["public.wide"] };
const payments = { datasets: [accountHolders, transactions] };

const measurements: Readonly<Record<string, (place: Place, rows: number) => Promise<Figures>>> = {
  generate: measureGenerate,
  cdc: measureCdc,
  copy: measureCopy,
  job: (place, rows) => measureJob(place, { rows, dimensions: 128 }),
  job256: (place, rows) => measureJob(place, { rows, dimensions: 256 }),
  job384: (place, rows) => measureJob(place, { rows, dimensions: 384 }),
  updates: measureUpdates,
  merge: (_, rows) => measureMerge(rows),
  upsertsIceberg: (_, rows) => upsertFigures("iceberg", rows),
  upsertsPaimon: (_, rows) => upsertFigures("paimon", rows),
  upsertsDelta: (_, rows) => upsertFigures("delta", rows),
  mirror: measureMirror,
  latency: measureLatency,
  similar: async (_, rows) => measureSimilar(rows, await paymentVectors()),
  similarClustered: (_, rows) => measureSimilar(rows, clusteredVectors()),
};

if (import.meta.main) {
  const [name = "", url = "", lake = "", rows = "0"] = Deno.args;
  const measure = measurements[name];
  if (measure === undefined) throw new TypeError(`There is no measurement "${name}"`);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const figures = await measure({ url, lake, client }, Number(rows));
  console.log(JSON.stringify({ ...figures, peakMemoryMB: Math.round(process.resourceUsage().maxRSS / 1024) }));
  Deno.exit(0);
}

/** Question: how fast does the generator fill the embedded server? */
async function measureGenerate({ url }: Place, rows: number): Promise<Figures> {
  await using writer = await PaymentsWriter.open({ url });
  await writer.load({ holders: 2000, payments: 5000 });
  return { rows, ...rates(rows, await taken(() => writer.load({ holders: 0, payments: rows / 2 }))) };
}

/** Question: does one Iceberg table keep up with the walsender? Not measured: generating, the slot's creation. */
async function measureCdc({ url, lake, client }: Place, rows: number): Promise<Figures> {
  await createWide(client);
  const capture = { url, lake, tables: wide, formats: "iceberg" };
  await copyFirst(capture);
  const { rows: [publication] } = await client.query("SELECT pubname FROM pg_publication");
  await client.query("SELECT pg_create_logical_replication_slot('raw', 'pgoutput')");
  await insertWide(client, { from: 1, to: rows, commitRows: 1000 });
  const { rows: [end] } = await client.query("SELECT pg_current_wal_lsn()::text AS lsn");
  const rawMs = await rawReceive(url, { slot: "raw", publication: publication.pubname, endLsn: end.lsn });
  return { rows, ...against(rows, await takeBacklog(capture, rows), rawMs) };
}

/** Question: how far is the initial copy from what COPY alone takes? */
async function measureCopy({ url, lake, client }: Place, rows: number): Promise<Figures> {
  await createWide(client);
  await insertWide(client, { from: 1, to: rows, commitRows: 100_000 });
  const rawMs = await rawCopy(url);
  const own = await copyFirst({ url, lake, tables: wide, formats: "iceberg" });
  return { rows, ...against(rows, own, rawMs) };
}

/** Question: what does the whole job carry: CDC, flatten, embed with the shipped model or a larger one, Iceberg and Paimon? */
async function measureJob(
  { url, lake }: Place,
  { rows, dimensions }: { readonly rows: number; readonly dimensions: number },
): Promise<Figures> {
  const model = dimensions === 128 ? "weir" : await widerModel(`${lake}-model`, dimensions);
  const capture = { url, lake, tables: payments, formats: "iceberg,paimon", model };
  await using writer = await PaymentsWriter.open({ url });
  await writer.load({ holders: 1000, payments: 100 });
  await copyFirst(capture);
  await writer.stream({ payments: rows / 2, churnShare: 0.02 });
  return { rows, dimensions, ...rates(rows, await takeBacklog(capture, rows)) };
}

/** The shipped model's tokens with longer vectors of made-up numbers: speed does not depend on them. */
async function widerModel(folder: string, dimensions: number): Promise<string> {
  await Deno.mkdir(folder);
  const tokenizer = await Deno.readTextFile(new URL("../../data/models/weir/tokenizer.json", import.meta.url));
  await writeMadeUpModel(folder, { tokenizer, dimensions });
  return folder;
}

/**
 * Question: what do two mirrors cost? The same inserts, updates and deletes are taken by a lake of Iceberg tables alone and by one whose
 * tables are shown as Delta and Paimon too, one after the other and then the other way round. A first round warms the process up.
 * Batches are small, so that there are many commits for the rows.
 */
async function measureMirror({ url, lake, client }: Place, seconds: number): Promise<Figures> {
  const rows = 200_000;
  await createWide(client);
  await insertWide(client, { from: 1, to: rows, commitRows: 100_000 });
  const alone = { url, lake: `${lake}/alone`, tables: wide, formats: "iceberg", batchRows: 5000 };
  const shown = { ...alone, lake: `${lake}/shown`, mirror: "delta,paimon" };
  for (const capture of [alone, shown]) await copyFirst(capture);
  const sums = new Map([alone, shown].map((capture) => [capture, { ms: 0, cpuSeconds: 0 }]));
  let [changes, next] = [0, rows];
  for (const [round, order] of [[alone, shown], [alone, shown], [shown, alone]].entries()) {
    const made = await mixChanges(client, { seconds: seconds / 2, rows: next, changesPerSecond: 20_000 });
    next += made;
    changes += round === 0 ? 0 : made;
    for (const capture of order) {
      const { ms, cpuSeconds } = await takeBacklog(capture, made);
      if (round === 0) continue;
      const sum = sums.get(capture)!;
      sums.set(capture, { ms: sum.ms + ms, cpuSeconds: sum.cpuSeconds + cpuSeconds });
    }
  }
  const [left, right] = [sums.get(alone)!, sums.get(shown)!];
  const ratio = (figure: "ms" | "cpuSeconds") => Number((right[figure] / left[figure]).toFixed(3));
  return { changes, aloneSeconds: Math.round(left.ms / 1000), timeRatio: ratio("ms"), cpuRatio: ratio("cpuSeconds") };
}

/**
 * Question: do half updates and a tenth deletes, on any key of a large table, keep up at the default settings, commit after
 * commit? The changes are made at a pace a third above the target while they are captured.
 */
async function measureUpdates({ url, lake, client }: Place, seconds: number): Promise<Figures> {
  const rows = 1_000_000;
  await createWide(client);
  await insertWide(client, { from: 1, to: rows, commitRows: 100_000 });
  const capture = { url, lake, tables: wide, formats: "iceberg" };
  await copyFirst(capture);
  await using run = await openCapture(capture);
  let made = 0;
  const own = await run.during(() =>
    taken(async () => {
      made = await mixChanges(client, { seconds, rows, changesPerSecond: 20_000 });
      await untilCarried(run, made);
    })
  );
  const { rowsPerSecond: changesPerSecond, ...rest } = rates(made, own);
  return { tableRows: rows, changes: made, seconds: Math.round(own.ms / 1000), changesPerSecond, ...rest };
}

/** Question: how old is a source commit when a reader can see it, at 1,000 rows/s and the default settings? */
async function measureLatency({ url, lake }: Place, seconds: number): Promise<Figures> {
  await using writer = await PaymentsWriter.open({ url });
  await writer.load({ holders: 1000, payments: 100 });
  await using run = await openCapture({ url, lake, tables: payments, formats: "iceberg,paimon", model: "weir" });
  const own = await run.during(() =>
    taken(async () => {
      await writer.stream({ rate: 1000, payments: 500 * seconds });
      await new Promise((resolve) => setTimeout(resolve, 2000));
    })
  );
  const agesMs = (await commitAgesMs(`${lake}/iceberg/payments/transactions/metadata`)).sort((left, right) =>
    left - right
  );
  const at = (share: number) => Math.round(agesMs[Math.floor(agesMs.length * share)] ?? NaN);
  const cpuSeconds = Math.round(own.cpuSeconds * 10) / 10;
  return { seconds, tableCommits: agesMs.length / commitsPerSpan, p50Ms: at(0.5), p95Ms: at(0.95), cpuSeconds };
}

/**
 * Ages of source commits at their snapshot. A snapshot names only its last source commit; those before it came evenly since the
 * previous snapshot's, because the rate is paced.
 */
async function commitAgesMs(folder: string): Promise<number[]> {
  const version = await Deno.readTextFile(`${folder}/version-hint.text`);
  const metadata = parseJson(await Deno.readTextFile(`${folder}/v${version}.metadata.json`)) as {
    readonly snapshots: readonly {
      readonly "timestamp-ms": number;
      readonly summary: Readonly<Record<string, string>>;
    }[];
  };
  const snapshots = metadata.snapshots.slice(1).map((snapshot) => ({
    visibleMs: snapshot["timestamp-ms"],
    commitMs: Number(snapshot.summary["weir.commit-time-ms"]),
  }));
  return snapshots.slice(1).flatMap(({ visibleMs, commitMs }, index) => {
    const spanMs = commitMs - (snapshots[index]?.commitMs ?? commitMs);
    return Array.from({ length: commitsPerSpan }, (_, part) => visibleMs - commitMs + spanMs * part / commitsPerSpan);
  });
}

/**
 * Question: how fast are files merged, and how long does a writer wait for the deletes that came meanwhile? The limit is DuckDB
 * reading and writing the same Parquet, by CPU time, which other work on the machine does not change.
 */
async function measureMerge(rows: number): Promise<Figures> {
  const { merge, mergeWithDeletes, rebase, raw } = await mergeFiles(rows);
  return {
    ...rates(rows, merge),
    withDeletesRowsPerCpuSecond: rates(rows, mergeWithDeletes).rowsPerCpuSecond,
    rawRowsPerCpuSecond: rates(rows, raw).rowsPerCpuSecond,
    ratio: Number((raw.cpuSeconds / merge.cpuSeconds).toFixed(2)),
    carriedDeletes: rows / 10,
    rebaseMs: Math.round(rebase.ms),
  };
}

/**
 * Question: what does it cost to replace 10,000 rows of a large table that is kept up, and how does that grow from a tenth of its
 * size? `recent` keys are those of the last 100,000 rows.
 */
async function upsertFigures(format: "iceberg" | "paimon" | "delta", rows: number): Promise<Figures> {
  const tenth = await measureUpserts(format, rows / 10);
  const { random, recent, peakMB, files } = await measureUpserts(format, rows);
  const growth = (large: number, small: number) => Number((large / small).toFixed(1));
  return {
    ...{ rows, files, randomMs: random.ms, randomCpuMs: random.cpuMs, randomReadMB: random.readMB },
    ...{ recentMs: recent.ms, recentCpuMs: recent.cpuMs, recentReadMB: recent.readMB },
    upkeepCpuMs: random.upkeepCpuMs,
    ...{ tenthRandomCpuMs: tenth.random.cpuMs, tenthRecentCpuMs: tenth.recent.cpuMs },
    randomGrowth: growth(random.cpuMs, tenth.random.cpuMs),
    recentGrowth: growth(recent.cpuMs, tenth.recent.cpuMs),
    upsertPeakMB: peakMB,
  };
}

function rates(rows: number, own: Taken): { readonly rowsPerSecond: number; readonly rowsPerCpuSecond: number } {
  return {
    rowsPerSecond: Math.round(rows / own.ms * 1000),
    rowsPerCpuSecond: Math.round(rows / own.cpuSeconds),
  };
}

function against(rows: number, own: Taken, rawMs: number | undefined): Figures {
  const figures = rates(rows, own);
  if (rawMs === undefined) return { ...figures, raw: "postgresql-client is not installed" };
  return {
    ...figures,
    rawRowsPerSecond: Math.round(rows / rawMs * 1000),
    ratio: Math.round(rawMs / own.ms * 100) / 100,
  };
}
