/**
 * Many commits of an update-heavy table in fast motion, through the sinks and the upkeep that the jobs use, in every format.
 *
 * Promise: the number of live files stays below a bound, reading takes about as long at the end as at the start, and so does a
 * commit; memory does not grow; what the tables hold is what was written.
 */
import process from "node:process";
import { Lake } from "../../jobs/wiring/lake.ts";
import type { WeirError } from "../../lib/errors.ts";
import { lakeTable } from "../../lib/query/lake_tables.ts";
import type { TableFolder } from "../../lib/query/lake_folders.ts";
import { mostSmallFiles } from "../../lib/table/merging/merge_plan.ts";
import type { UpkeepPolicy } from "../../lib/table/upkeep.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary.ts";
import { Churn, type ChurnSize } from "./churn.ts";

/** What is soaked. */
export interface SoakPlan extends ChurnSize {
  readonly commits: number;
  readonly policy: UpkeepPolicy;
  readonly formats: readonly TableFolder["format"][];
}

/** What one look at the tables found. */
export interface SoakSample {
  readonly commits: number;
  /** CPU of one commit of all formats with all that goes on beside it, milliseconds, since the sample before. */
  readonly commitCpuMs: number;
  readonly rssMB: number;
  readonly liveFiles: Readonly<Record<string, number>>;
  /** CPU of reading every column of every row, milliseconds; the median of several. */
  readonly readCpuMs: Readonly<Record<string, number>>;
}

/** Runs a plan, telling of every sample. */
export async function soak(plan: SoakPlan, tell: (sample: SoakSample) => void) {
  return await withTemporaryFolder(async (folder) => {
    const trouble: string[] = [];
    using lake = await Lake.open({
      folder: `${folder}/lake`,
      stateFolder: `${folder}/state`,
      formats: plan.formats,
      icebergVersion: 3,
      deltaDeletes: "vectors",
      memoryLimitBytes: 768 * 2 ** 20,
      threads: 1,
      upkeep: {
        isOn: true,
        policy: plan.policy,
        onTrouble: (table, { message }: WeirError) => trouble.push(`${table}: ${message}`),
      },
    });
    const churn = new Churn(lake.connection, (definition) => lake.sinksFor(definition), plan);
    await churn.load();
    const samples: SoakSample[] = [];
    const every = Math.ceil(plan.commits / 20);
    let cpuMs = cpuNowMs();
    const sample = async (commits: number) => {
      const commitCpuMs = (cpuNowMs() - cpuMs) / Math.max(1, commits);
      const found = {
        commits: churn.commits,
        commitCpuMs,
        rssMB: Deno.memoryUsage().rss / 1e6,
        heap: Deno.memoryUsage().heapUsed / 1e6,
        ext: Deno.memoryUsage().external / 1e6,
        duck: Number(await lake.connection.value("SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()")) / 1e6,
        ...await look(lake, plan),
      };
      samples.push(found);
      tell(found);
      cpuMs = cpuNowMs();
    };
    await sample(0);
    while (churn.commits < plan.commits) {
      await churn.commit();
      if (churn.commits % every === 0) await sample(every);
    }
    await lake.upkeep?.close();
    const differing: Record<string, number> = {};
    for (const sink of churn.sinks) differing[sink.table.format] = await churn.differing((await sink.scan())!);
    return { samples, differing, trouble, counts: lake.upkeep!.counts };
  });
}

async function look(lake: Lake, { formats }: SoakPlan): Promise<Pick<SoakSample, "liveFiles" | "readCpuMs">> {
  const connection = await lake.connect();
  const liveFiles: Record<string, number> = {};
  const readCpuMs: Record<string, number> = {};
  for (const format of formats) {
    const table = lakeTable({ format, namespace: "soak", name: "orders" }, { folder: lake.folder, connection });
    const state = (await table.load())! as unknown as { files: ReadonlyMap<string, unknown> | readonly unknown[] };
    liveFiles[format] = "size" in state.files ? state.files.size : state.files.length;
    const scan = await table.scan(state as never);
    const times: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const start = cpuNowMs();
      await connection.run(
        `CREATE OR REPLACE TEMP TABLE read AS SELECT bit_xor(hash(rows)) AS hash FROM (${scan}) AS rows`,
      );
      times.push(cpuNowMs() - start);
    }
    readCpuMs[format] = Math.round(times.sort((a, b) => a - b)[2]!);
  }
  connection.close();
  return { liveFiles, readCpuMs };
}

function cpuNowMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

if (import.meta.main) {
  const [commits = "200", rows = "200000", formats = "iceberg,paimon,delta"] = Deno.args;
  const policy: UpkeepPolicy = {
    targetFileBytes: 8 * 2 ** 20,
    mergeFiles: 10,
    deletedShare: 0.3,
    keepSnapshotsMs: 4000,
    keepSnapshots: 10,
    orphanAgeMs: 0,
  };
  console.log(mostSmallFiles(policy));
  const out = await soak({
    commits: Number(commits),
    rows: Number(rows),
    updates: 400,
    replaced: 50,
    policy,
    formats: formats.split(",") as TableFolder["format"][],
  }, (s) => console.log(JSON.stringify(s)));
  console.log(JSON.stringify({ ...out, samples: undefined }));
}
