/**
 * What an index of vectors finds of what comparing every row finds, and what both cost. Vectors are those of the shipped model over
 * texts of generated payments, or random ones around random centres.
 */
import process from "node:process";
import { recordTexts } from "../../jobs/wiring/generated_texts.ts";
import { paymentGenerators } from "../../lib/domain/payments/generators.ts";
import { paymentRows } from "../../lib/domain/payments/rows.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { createEmbedder } from "../../lib/embed/create_embedder.ts";
import { textBatch } from "../../lib/embed/embedder.ts";
import { indexTable } from "../../lib/query/similar/index_table.ts";
import { similar, type SimilarRows } from "../../lib/query/similar/similar.ts";
import { VectorIndex } from "../../lib/query/similar/vector_index.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { VectorLake } from "../../lib/testing/vector_lake.ts";
import { taken } from "./capture_bench.ts";
import type { Figures } from "./measure.ts";

const dimensions = 128;
const rowsPerCommit = 50_000;
const top = 10;
/** Queries by the index, and how many of them are compared with every row too. */
const queries = 200;
const comparedQueries = 25;
const threads = 2;

/** Vectors of rows from `first` on. */
type VectorSource = (first: number, count: number) => Promise<Float32Array<ArrayBuffer>>;

/** Question: how near does the index come to comparing every row, at which cost? */
export async function measureSimilar(rows: number, source: VectorSource): Promise<Figures> {
  return await withDatabase(async (fixture) => {
    const table = new VectorLake(fixture, { format: "iceberg" });
    for (let first = 0; first < rows; first += rowsPerCommit) {
      const count = Math.min(rowsPerCommit, rows - first);
      await table.writeVectors(first, { vectors: await source(first, count), dimensions });
    }
    const folder = `${fixture.folder}/index`;
    using index = new VectorIndex(folder);
    const before = process.memoryUsage().rss;
    const built = await taken(() => indexTable(table.lake, { table: table.place, index, threads }));
    const figures = {
      ...{ rows, dimensions, buildRowsPerSecond: Math.round(rows / built.ms * 1000) },
      buildCpuSeconds: Math.round(built.cpuSeconds),
      indexMB: Math.round((await index.load())!.graph.bytes / 2 ** 20),
      buildMemoryMB: Math.round((process.resourceUsage().maxRSS * 1024 - before) / 2 ** 20),
    };
    return { ...figures, ...await search(table, { index, rows }) };
  }, { threads });
}

async function search(
  table: VectorLake,
  { index, rows }: { readonly index: VectorIndex; readonly rows: number },
): Promise<Figures> {
  const find = (id: number, by: VectorIndex | undefined) =>
    similar(table.lake, { table: table.place, near: { key: { id } }, top, columns: ["id"], index: by });
  const [byIndex, byScan, byGraph]: [number[], number[], number[]] = [[], [], []];
  let [hits, scans] = [0, 0];
  await find(0, index);
  for (let query = 0; query < queries; query++) {
    const id = Math.floor((query + 0.5) * rows / queries);
    const started = performance.now();
    const found = await find(id, index);
    byIndex.push(performance.now() - started);
    if (found.index === undefined) scans++;
    if (query % (queries / comparedQueries) > 0) continue;
    const asked = performance.now();
    const exact = await find(id, undefined);
    byScan.push(performance.now() - asked);
    hits += hitsOf(found, exact);
  }
  await index.load();
  for (let query = 0; query < queries; query++) {
    const vector = randomVector(query);
    const started = performance.now();
    await index.nearest(vector, top);
    byGraph.push(performance.now() - started);
  }
  return {
    recallAt10: Number((hits / comparedQueries / top).toFixed(3)),
    ...{
      p50Ms: at(byIndex, 0.5),
      p95Ms: at(byIndex, 0.95),
      graphP50Ms: at(byGraph, 0.5),
      graphP95Ms: at(byGraph, 0.95),
    },
    ...{ scanP50Ms: at(byScan, 0.5), scanRowsPerSecond: Math.round(rows / at(byScan, 0.5) * 1000), scans },
  };
}

/** Rows as near as the last of the exact ones: of several equally near, any will do. */
function hitsOf(found: SimilarRows, exact: SimilarRows): number {
  const horizon = exact.rows.at(-1)!.similarity - 1e-6;
  return found.rows.filter(({ similarity }) => similarity >= horizon).length;
}

function at(times: readonly number[], share: number): number {
  const sorted = times.toSorted((left, right) => left - right);
  return Number((sorted[Math.floor(sorted.length * share)] ?? NaN).toFixed(1));
}

/** Vectors of the shipped model over the texts of generated payments. Its threads are the caller's to end. */
export async function paymentVectors(): Promise<VectorSource> {
  let nowMs = Date.UTC(2026, 0, 1);
  const { holders, pool, payments } = await paymentGenerators({ seed: 1, clock: () => nowMs += 30_000 });
  for (let id = 1n; id <= 5000n; id++) pool.offer(holders.holder(id));
  const embedder = await createEmbedder("weir");
  return async (first, count) => {
    const ids = Array.from({ length: count / 2 }, (_, index) => BigInt(first / 2 + index + 1));
    const rows = ids.flatMap((id) => paymentRows(payments.payment(id)));
    const texts = await withDatabase(({ connection }) =>
      recordTexts(connection, { dataset: transactions, rows, form: "compact" })
    );
    return (await embedder.embed(textBatch(texts))).vectors;
  };
}

/** Random vectors around random centres, some larger than others. */
export function clusteredVectors(centres = 2000): VectorSource {
  return (first, count) => {
    const vectors = new Float32Array(count * dimensions);
    for (let index = 0; index < count; index++) {
      const random = numbers(first + index + 1);
      const centre = numbers(1e9 + Math.floor(random() ** 2 * centres));
      for (let place = 0; place < dimensions; place++) {
        vectors[index * dimensions + place] = centre() - 0.5 + 0.6 * (random() - 0.5);
      }
      normalise(vectors.subarray(index * dimensions, (index + 1) * dimensions));
    }
    return Promise.resolve(vectors);
  };
}

function randomVector(seed: number): Float32Array {
  const random = numbers(seed + 77);
  const vector = Float32Array.from({ length: dimensions }, () => random() - 0.5);
  normalise(vector);
  return vector;
}

function normalise(vector: Float32Array): void {
  const length = Math.sqrt(vector.reduce((sum, number) => sum + number * number, 0));
  for (let place = 0; place < vector.length; place++) vector[place]! /= length;
}

/** Numbers from 0 to 1 (mulberry32), quick enough for hundreds of millions. */
function numbers(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 0;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}
