/**
 * The full soak: `deno task soak`. Prints what it finds while it runs, keeps the figures beside those of the benchmarks, and
 * exits non-zero where the promise is broken. `deno task soak 500 1000000`: so many commits on so many rows.
 */
import { keep } from "../bench/report.ts";
import { soak, soakPlan, type SoakSample } from "./soak.ts";
import { mostLiveFiles, verdict } from "./verdict.ts";

const [commits = 2000, rows = 200_000] = Deno.args.map(Number);
const plan = soakPlan({
  commits,
  rows,
  updates: 400,
  samples: 26,
  targetFileBytes: 8 * 2 ** 20,
  mergeFiles: 10,
  // In life an hour at a commit a second: a commit in fast motion takes a fraction of that.
  keepSnapshotsMs: 60_000,
});

console.log(`${commits} commits on ${rows} rows; at most ${mostLiveFiles(plan)} live files in a table`);
const outcome = await soak(plan, (sample) => console.log(line(sample)));
const { figures, broken } = verdict(plan, outcome);
const { merges, mergedFiles, expiredSnapshots, removedFiles } = outcome.upkeep;
const memoryGB = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
const soaked = {
  figures: { commits, rows, merges, mergedFiles, expiredSnapshots, removedFiles, ...figures },
  target: `live files ≤ ${mostLiveFiles(plan)}, growth ≤ 1.5, none differing`,
  date: new Date().toISOString().slice(0, 10),
  machine: `${navigator.hardwareConcurrency} cores, ${memoryGB} GB`,
};
console.log(await keep({ soak: soaked }));
for (const each of broken) console.error(`broken: ${each}`);
Deno.exit(broken.length === 0 ? 0 : 1);

function line({ commits, plainMs, commitCost, residentMB, tables }: SoakSample): string {
  const each = Object.entries(tables).map(([format, { liveFiles, readCost }]) =>
    `${format} ${liveFiles} files, read ${readCost.toFixed(2)}`
  );
  return `${commits} commits: ${each.join("; ")}; commit ${
    commitCost.toFixed(2)
  } (× ${plainMs} ms of CPU), ${residentMB} MB`;
}
