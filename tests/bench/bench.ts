/**
 * Throughput, memory and latency against the limits of this machine, as ratios taken in one run (design §4). Each measurement
 * has a server, a lake and a process of its own. Prints a table and writes `results.json` and `results.md` beside this file.
 *
 * Not measured here: reading, and anything with a model that has to be downloaded.
 *
 * `deno task bench cdc latency` runs the named ones, `--full` the long ones (3 million rows).
 */
import { fileURLToPath } from "node:url";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import type { Figures } from "./measure.ts";
import { keep, type Outcome } from "./report.ts";

interface Measurement {
  readonly name: string;
  /** Rows, changes or seconds. */
  readonly size: number;
  readonly fullSize: number;
  readonly target: string;
}

const measurements: readonly Measurement[] = [
  { name: "generate", size: 300_000, fullSize: 1_000_000, target: "rowsPerSecond ≥ 20000" },
  { name: "cdc", size: 500_000, fullSize: 3_000_000, target: "ratio ≥ 1.0" },
  { name: "copy", size: 1_000_000, fullSize: 3_000_000, target: "ratio ≥ 0.45" },
  { name: "job", size: 200_000, fullSize: 3_000_000, target: "rowsPerSecond ≥ 25000, peakMemoryMB ≤ 1500" },
  { name: "job256", size: 100_000, fullSize: 200_000, target: "reported" },
  { name: "job384", size: 100_000, fullSize: 200_000, target: "reported" },
  { name: "updates", size: 60, fullSize: 60, target: "changesPerSecond ≥ 15000" },
  { name: "merge", size: 1_000_000, fullSize: 3_000_000, target: "ratio ≥ 0.7" },
  { name: "upsertsIceberg", size: 1_000_000, fullSize: 10_000_000, target: "recentGrowth ≤ 1.5, upsertPeakMB ≤ 1000" },
  { name: "upsertsPaimon", size: 1_000_000, fullSize: 10_000_000, target: "randomGrowth ≤ 1.5, upsertPeakMB ≤ 1000" },
  { name: "upsertsDelta", size: 1_000_000, fullSize: 10_000_000, target: "recentGrowth ≤ 1.5, upsertPeakMB ≤ 1000" },
  { name: "mirror", size: 20, fullSize: 60, target: "cpuRatio ≤ 1.15, timeRatio ≤ 1.15" },
  { name: "similar", size: 1_000_000, fullSize: 1_000_000, target: "recallAt10 ≥ 0.95" },
  { name: "similarClustered", size: 1_000_000, fullSize: 1_000_000, target: "recallAt10 ≥ 0.95" },
  { name: "latency", size: 30, fullSize: 60, target: "p95Ms ≤ 2000" },
];

const full = Deno.args.includes("--full");
const wanted = Deno.args.filter((name) => !name.startsWith("--"));
const chosen = measurements.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const memoryGB = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
const machine = `${navigator.hardwareConcurrency} cores, ${memoryGB} GB`;
const outcomes: Record<string, Outcome> = {};
for (const { name, size, fullSize, target } of chosen) {
  console.error(`measuring ${name}`);
  const figures = await measure(name, full ? fullSize : size);
  outcomes[name] = { figures, target, date: new Date().toISOString().slice(0, 10), machine };
}
console.log(await keep(outcomes));

async function measure(name: string, size: number): Promise<Figures> {
  return await withTemporaryFolder((folder) =>
    withPostgres(async ({ url }) => {
      const script = fileURLToPath(new URL("./measure.ts", import.meta.url));
      const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
      const args = ["run", "-q", "-A", "--config", config, script, name, url, `${folder}/lake`, String(size)];
      // As the jobs' tasks have it: glibc otherwise keeps memory of its own for every thread, a tenth of all.
      const env = { MALLOC_ARENA_MAX: "2" };
      const { code, stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: folder, env, stderr: "inherit" })
        .output();
      if (code !== 0) throw new Error(`The measurement "${name}" failed`);
      return JSON.parse(new TextDecoder().decode(stdout));
    }, { settings: { max_wal_size: "8GB" } })
  );
}
