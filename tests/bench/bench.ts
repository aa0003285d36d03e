/**
 * Throughput, memory and latency against the limits of this machine, as ratios taken in one run (design §4). Each measurement
 * has a server, a lake and a process of its own. Prints a table and writes `tests/bench/results.json`.
 *
 * Not measured here: reading, and anything with a model that has to be downloaded.
 *
 * `deno task bench cdc latency` runs the named ones, `--full` the long ones (3 million rows).
 */
import { fileURLToPath } from "node:url";
import { renderTable } from "../../lib/cli/table.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import type { Figures } from "./measure.ts";

interface Measurement {
  readonly name: string;
  /** Rows, changes or seconds. */
  readonly size: number;
  readonly fullSize: number;
  readonly target: string;
}

const measurements: readonly Measurement[] = [
  { name: "cdc", size: 500_000, fullSize: 3_000_000, target: "ratio ≥ 1.0" },
  { name: "copy", size: 1_000_000, fullSize: 3_000_000, target: "ratio ≥ 0.45" },
  { name: "job", size: 200_000, fullSize: 3_000_000, target: "rowsPerSecond ≥ 25000, peakMemoryMB ≤ 1500" },
  { name: "updates", size: 300_000, fullSize: 1_500_000, target: "changesPerSecond ≥ 15000" },
  { name: "latency", size: 30, fullSize: 60, target: "p95Ms ≤ 2000" },
];

const full = Deno.args.includes("--full");
const wanted = Deno.args.filter((name) => !name.startsWith("--"));
const chosen = measurements.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const results: Record<string, Figures & { readonly target: string }> = {};
for (const { name, size, fullSize, target } of chosen) {
  console.error(`measuring ${name}`);
  results[name] = { ...await measure(name, full ? fullSize : size), target };
}
const machine = { cores: navigator.hardwareConcurrency, memoryGB: Math.round(Deno.systemMemoryInfo().total / 2 ** 30) };
const file = fileURLToPath(new URL("./results.json", import.meta.url));
const before = JSON.parse(await Deno.readTextFile(file).catch(() => "{}"));
const measured = { date: new Date().toISOString().slice(0, 10), machine };
const entries = Object.entries(results).map(([name, figures]) => [name, { ...figures, ...measured }]);
await Deno.writeTextFile(file, `${JSON.stringify({ ...before, ...Object.fromEntries(entries) }, null, 2)}\n`);
const rows = Object.entries(results).map(([name, { target, ...figures }]) => [
  name,
  Object.entries(figures).map(([figure, value]) => `${figure} ${value}`).join(", "),
  target,
]);
console.log(renderTable([{ title: "measurement" }, { title: "measured" }, { title: "target" }], rows));

async function measure(name: string, size: number): Promise<Figures> {
  return await withTemporaryFolder((folder) =>
    withPostgres(async ({ url }) => {
      const script = fileURLToPath(new URL("./measure.ts", import.meta.url));
      const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
      const args = ["run", "-q", "-A", "--config", config, script, name, url, `${folder}/lake`, String(size)];
      const { code, stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: folder, stderr: "inherit" })
        .output();
      if (code !== 0) throw new Error(`The measurement "${name}" failed`);
      return JSON.parse(new TextDecoder().decode(stdout));
    }, { settings: { max_wal_size: "8GB" } })
  );
}
