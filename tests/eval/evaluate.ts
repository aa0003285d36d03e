/** Every measure of a model, one after another. */
import {
  type GeneratedRecords,
  generatedRecords,
  recordDatasets,
  recordTexts,
} from "../../jobs/wiring/generated_texts.ts";
import { Random } from "../../lib/domain/random.ts";
import type { SourceRow } from "../../lib/domain/payments/rows.ts";
import type { Vectors } from "../../lib/embed/distil/principal_axes.ts";
import { keywordTexts } from "../../lib/embed/distil/keyword_texts.ts";
import { teacherVectors } from "../../lib/embed/distil/teacher_vectors.ts";
import type { Embedder } from "../../lib/embed/embedder.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { cosineRankCorrelation, neighbourOverlap, sharedRows } from "./agreement.ts";
import { averagePrecision, logisticScores } from "./classifier.ts";
import { plantRings } from "./look_alikes.ts";
import { holderSlips, paymentSlips, type Slip } from "./near_duplicates.ts";
import { nearest } from "./nearest.ts";
import { paymentFeatures } from "./payment_features.ts";

/** What is measured. */
export interface EvaluationOptions {
  readonly model: Embedder;
  /** Whom the model is to agree with. Default: agreement is not measured. */
  readonly teacher?: Embedder;
  readonly holders: number;
  readonly payments: number;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

/** One figure. */
export interface Dimension {
  readonly name: string;
  readonly value: number;
  readonly target: string;
}

/** No model is fitted to records of these seeds. */
const seeds = { heldOut: 9001, classifierTrain: 9101, classifierTest: 9102, queries: 7 };
const queries = 1000;
const pairs = 200_000;
const slippedRecords = 200;
const askedQuestions = 300;

type Kind = keyof GeneratedRecords;
const kinds = ["holders", "payments"] as const;

/** What the measures share. */
interface Bench {
  readonly connection: Connection;
  readonly model: Embedder;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

/** All figures, in a fixed order. */
export async function evaluate(options: EvaluationOptions): Promise<readonly Dimension[]> {
  const { model, teacher, holders, payments, signal, note } = options;
  return await withDatabase(async ({ connection }) => {
    const bench = { connection, model, signal, note };
    const records = await generatedRecords({ holders, payments, seed: seeds.heldOut });
    const found: Dimension[] = [];
    for (const kind of kinds) {
      const texts = await textsOf(bench, kind, records[kind]);
      const pool = await teacherVectors(texts, { teacher: model, signal });
      if (teacher !== undefined) found.push(...await agreement(bench, { kind, texts, pool, teacher }));
      found.push(...await duplicates(bench, { kind, rows: records[kind], pool }));
    }
    return [...found, ...await lookAlikes(bench)];
  });
}

function textsOf({ connection }: Bench, kind: Kind, rows: readonly SourceRow[]): Promise<readonly string[]> {
  return recordTexts(connection, { dataset: recordDatasets[kind], rows, form: "compact" });
}

async function agreement(
  { model, signal, note }: Bench,
  { kind, texts, pool, teacher }: {
    readonly kind: Kind;
    readonly texts: readonly string[];
    readonly pool: Vectors;
    readonly teacher: Embedder;
  },
): Promise<readonly Dimension[]> {
  note(`asking the teacher about ${texts.length} ${kind}`);
  const vectors = await teacherVectors(texts, { teacher, signal });
  const questions = questionsOf(texts);
  const answers = async (embedder: Embedder, rows: Vectors) =>
    nearest(rows, await teacherVectors(questions, { teacher: embedder, signal }), { count: 10 });
  return [
    {
      name: `${kind}: the teacher's ten nearest found again, of ${texts.length}`,
      value: neighbourOverlap(vectors, pool, { queries, seed: seeds.queries }),
      target: "≥ 0.7",
    },
    {
      name: `${kind}: Spearman's correlation with the teacher's cosines`,
      value: cosineRankCorrelation(vectors, pool, { pairs, seed: seeds.queries }),
      target: "≥ 0.85",
    },
    {
      name: `${kind}: the teacher's ten nearest to a question of one to three values`,
      value: sharedRows(await answers(teacher, vectors), await answers(model, pool)),
      target: "reported",
    },
  ];
}

function questionsOf(texts: readonly string[]): readonly string[] {
  const random = new Random(seeds.queries, "questions");
  const below = (bound: number) => random.below(bound);
  return keywordTexts(texts, { every: Math.ceil(texts.length / askedQuestions), below });
}

/** For each slip the share of slipped records whose original is the nearest of the pool. */
async function duplicates(
  bench: Bench,
  { kind, rows, pool }: { readonly kind: Kind; readonly rows: readonly SourceRow[]; readonly pool: Vectors },
): Promise<readonly Dimension[]> {
  const slips: Readonly<Record<string, Slip>> = kind === "holders" ? holderSlips : paymentSlips;
  const found: Dimension[] = [];
  for (const [slip, change] of Object.entries(slips)) {
    const random = new Random(seeds.queries, slip);
    const places = Array.from({ length: slippedRecords }, () => random.below(rows.length));
    const slipped = places.map((place) => change(rows[place]!, random));
    const vectors = await teacherVectors(await textsOf(bench, kind, slipped), {
      teacher: bench.model,
      signal: bench.signal,
    });
    const hits = nearest(pool, vectors, { count: 1 }).filter(([row], query) => row === places[query]).length;
    found.push({ name: `${kind}: found again with ${slip}`, value: hits / slippedRecords, target: "≥ 0.99" });
  }
  const mean = found.reduce((sum, { value }) => sum + value, 0) / found.length;
  return [...found, { name: `${kind}: near-duplicates found, all slips`, value: mean, target: "≥ 0.99" }];
}

const rings = { patternSeed: 17, patterns: 6, ringsPerPattern: 4, paymentsPerRing: 6 };
const ordinaryPayments = 8000;

/** The area under precision and recall of payments of rings, by columns, columns and vectors, and columns and others' vectors. */
async function lookAlikes(bench: Bench): Promise<readonly Dimension[]> {
  bench.note("looking for planted rings");
  const models = (await generatedRecords({ seed: seeds.heldOut, holders: 0, payments: 200 })).payments;
  const sides = [];
  for (const seed of [seeds.classifierTrain, seeds.classifierTest]) {
    const { payments } = await generatedRecords({ seed, holders: 0, payments: ordinaryPayments });
    const { rows, labels } = plantRings(payments, { ...rings, seed, models });
    const vectors = await teacherVectors(await textsOf(bench, "payments", rows), {
      teacher: bench.model,
      signal: bench.signal,
    });
    sides.push({
      columns: paymentFeatures(rows),
      vectors: split(vectors),
      labels,
      shuffled: shuffled(split(vectors), seed),
    });
  }
  const [train, test] = [sides[0]!, sides[1]!];
  const area = (features: (side: typeof train) => readonly Float64Array[]) =>
    averagePrecision(logisticScores({ features: features(train), labels: train.labels }, features(test)), test.labels);
  const share = test.labels.filter(Boolean).length / test.labels.length;
  const name = (by: string) => `rings: area under precision and recall, ${by}`;
  return [
    { name: name("in no order"), value: share, target: "reported" },
    { name: name("columns alone"), value: area(({ columns }) => columns), target: "reported" },
    {
      name: name("columns and vectors"),
      value: area((side) => joined(side.columns, side.vectors)),
      target: "reported",
    },
    {
      name: name("columns and vectors of other payments"),
      value: area((side) => joined(side.columns, side.shuffled)),
      target: "reported",
    },
  ];
}

function split({ dimensions, values }: Vectors): readonly Float64Array[] {
  return Array.from(
    { length: values.length / dimensions },
    (_, row) => Float64Array.from(values.subarray(row * dimensions, (row + 1) * dimensions)),
  );
}

function joined(left: readonly Float64Array[], right: readonly Float64Array[]): readonly Float64Array[] {
  return left.map((row, index) => Float64Array.of(...row, ...right[index]!));
}

function shuffled<Item>(items: readonly Item[], seed: number): readonly Item[] {
  const random = new Random(seed, "shuffle");
  const found = [...items];
  for (let place = found.length - 1; place > 0; place--) {
    const other = random.below(place + 1);
    [found[place], found[other]] = [found[other]!, found[place]!];
  }
  return found;
}
