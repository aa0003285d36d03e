/**
 * Many commits of an update-heavy table in fast motion, through the sinks and the upkeep of the jobs, in every format.
 *
 * Promise: the number of live files stays below a bound, reading takes about as long at the end as at the start, and so does a
 * commit; memory does not grow; what the tables hold is what was written.
 *
 * Times are CPU times over the time that DuckDB takes to read the same number of rows from one plain file in the same minute:
 * other work on the machine does not change them.
 */
import process from "node:process";
import { join } from "node:path";
import { Lake } from "../../jobs/wiring/lake.ts";
import { keptTable } from "../../jobs/wiring/kept_tables.ts";
import type { UpkeepCounts } from "../../jobs/wiring/lake_upkeep.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { literal } from "../../lib/engine/quote.ts";
import type { TableFolder } from "../../lib/query/lake_folders.ts";
import type { UpkeepPolicy, UpkeepTable } from "../../lib/table/upkeep.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { Churn, type ChurnSize } from "./churn.ts";
import { localPlace } from "./local_place.ts";

/** What is soaked. */
export interface SoakPlan extends ChurnSize {
  readonly commits: number;
  /** Looks at the tables from the start to the end. */
  readonly samples: number;
  readonly policy: UpkeepPolicy;
  readonly formats: readonly TableFolder["format"][];
}

/** In what soaks differ: how long they are, how large the table is, and how soon its files and snapshots are too many. */
export type SoakMeasure =
  & Pick<SoakPlan, "commits" | "rows" | "updates" | "samples">
  & Pick<UpkeepPolicy, "targetFileBytes" | "mergeFiles" | "keepSnapshotsMs">;

/** A soak of every format. */
export function soakPlan({ targetFileBytes, mergeFiles, keepSnapshotsMs, ...size }: SoakMeasure): SoakPlan {
  return {
    ...size,
    replaced: 50,
    formats: ["iceberg", "paimon", "delta"],
    policy: { targetFileBytes, mergeFiles, keepSnapshotsMs, keepSnapshots: 10, deletedShare: 0.3, orphanAgeMs: 0 },
  };
}

/** What one look found. */
export interface SoakSample {
  readonly commits: number;
  /** CPU of reading the plain file, milliseconds. */
  readonly plainMs: number;
  /** CPU of a commit of all formats with all that goes on beside it, by `plainMs`: the mean since the sample before. */
  readonly commitCost: number;
  readonly residentMB: number;
  readonly tables: Readonly<Record<string, TableSample>>;
}

/** What a look at one table found. */
export interface TableSample {
  readonly liveFiles: number;
  /** CPU of reading every value of every row, by that of reading the plain file. */
  readonly readCost: number;
}

/** What a soak ended with. */
export interface SoakOutcome {
  readonly samples: readonly SoakSample[];
  /** Rows in which each table differs from what was written. */
  readonly differing: Readonly<Record<string, number>>;
  /** What upkeep complained of. */
  readonly trouble: readonly string[];
  readonly upkeep: UpkeepCounts;
}

/** Runs a plan, telling of every sample. */
export async function soak(plan: SoakPlan, tell: (sample: SoakSample) => void = () => {}): Promise<SoakOutcome> {
  return await withTemporaryFolder(async (folder) => {
    const trouble: string[] = [];
    await using lake = await openLake(folder, plan, (table, { message }) => trouble.push(`${table}: ${message}`));
    const churn = new Churn(lake.connection, (definition) => lake.sinksFor(definition), plan);
    await churn.load();
    const plain = join(folder, "lake", "plain.parquet");
    await lake.connection.run(`COPY (${churn.expected()}) TO ${literal(plain)} (FORMAT parquet, COMPRESSION zstd)`);
    const reader = await Reader.open(lake, plan.formats);
    const samples: SoakSample[] = [];
    for (let number = 0; number < plan.samples; number++) {
      const startMs = cpuMs();
      const before = churn.commits;
      while (churn.commits < plan.commits * number / (plan.samples - 1)) await churn.commit();
      await lake.upkeep?.idle();
      const commitMs = (cpuMs() - startMs) / Math.max(1, churn.commits - before);
      samples.push(await look(reader, { plain, commits: churn.commits, commitMs }));
      tell(samples.at(-1)!);
    }
    reader.connection.close();
    await lake.upkeep?.close();
    const differing: Record<string, number> = {};
    for (const sink of churn.sinks) {
      using scan = (await sink.scan())!;
      differing[sink.table.format] = await churn.differing(scan.sql);
    }
    return { samples, differing, trouble, upkeep: lake.upkeep!.counts };
  });
}

async function openLake(
  folder: string,
  { formats, policy }: SoakPlan,
  onTrouble: (table: string, error: Error) => void,
): Promise<Lake> {
  return await Lake.open({
    place: localPlace(join(folder, "lake")),
    stateFolder: join(folder, "state"),
    formats,
    icebergVersion: 3,
    deltaDeletes: "vectors",
    memoryLimitBytes: 768 * 2 ** 20,
    threads: 1,
    upkeep: { isOn: true, policy, onTrouble },
  });
}

/** Somebody who reads the tables again and again. */
class Reader {
  readonly connection: Connection;
  readonly tables: readonly UpkeepTable[];

  private constructor({ storage }: Lake, formats: SoakPlan["formats"], connection: Connection) {
    this.connection = connection;
    const named = { namespace: "soak", name: "orders" };
    this.tables = formats.map((format) => keptTable({ format, ...named }, { storage, connection }));
  }

  static async open(lake: Lake, formats: SoakPlan["formats"]): Promise<Reader> {
    return new Reader(lake, formats, await lake.connect());
  }
}

async function look(
  reader: Reader,
  at: { readonly plain: string; readonly commits: number; readonly commitMs: number },
): Promise<SoakSample> {
  const tables: Record<string, TableSample> = {};
  const plainMs: number[] = [];
  for (const table of reader.tables) {
    const state = (await table.load())!;
    using scan = await table.scan(state);
    const [own, plain] = await readMs(reader.connection, [`(${scan.sql})`, literal(at.plain)]);
    plainMs.push(plain!);
    tables[table.format] = { liveFiles: table.liveFiles(state).files, readCost: rounded(own! / plain!) };
  }
  // What is not in use does not count: when V8 collects it is its own affair.
  (globalThis as { gc?: () => void }).gc?.();
  const [least = 1] = plainMs.sort((left, right) => left - right);
  return {
    commits: at.commits,
    plainMs: rounded(least),
    commitCost: rounded(at.commitMs / least),
    residentMB: Math.round(Deno.memoryUsage().rss / 1e6),
    tables,
  };
}

/** Turns of each reading. */
const turns = 7;

/** CPU of reading each, milliseconds: the median of several turns that are taken by turns. */
async function readMs(connection: Connection, from: readonly string[]): Promise<readonly number[]> {
  const times = from.map((): number[] => []);
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, each] of from.entries()) {
      const startMs = cpuMs();
      await connection.value(`SELECT bit_xor(hash(rows))::VARCHAR FROM ${each} AS rows`);
      times[index]!.push(cpuMs() - startMs);
    }
  }
  return times.map((each) => each.sort((left, right) => left - right)[Math.floor(turns / 2)]!);
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
