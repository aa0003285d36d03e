/** What the embedding job ends with: one object for machines, short texts for people. */
import { formatBytes, formatCount, formatSeconds } from "../../lib/cli/format.ts";
import type { JobResult } from "../../lib/cli/run_job.ts";
import { renderTable } from "../../lib/cli/table.ts";
import { type Embedder, type EmbeddingModel, modelVersion } from "../../lib/embed/embedder.ts";
import { keptVectorBytes } from "../../lib/embed/vector_cache.ts";
import { nextLines, type NextStep } from "./outcome.ts";
import type { ReembeddedTable, ReembedEstimate } from "./reembedding.ts";

/** The object that `--json` prints. */
export interface ReembeddingOutcome extends JobResult {
  /** Model as `id@revision`. */
  readonly model: string;
  readonly dimensions: number;
  /** As it was before the run. */
  readonly estimates: readonly ReembedEstimate[];
  /** Empty with `--dry-run`. */
  readonly tables: readonly ReembeddedTable[];
}

/** A run that spent its budget is a success: the next one goes on. A table of which no text could be embedded is none. */
export function reembeddingOutcome(
  tables: readonly ReembeddedTable[],
  { estimates, model }: { readonly estimates: readonly ReembedEstimate[]; readonly model: EmbeddingModel },
): ReembeddingOutcome {
  const ok = tables.every(({ vectors, withoutVector }) => vectors > 0 || withoutVector === 0);
  return { ok, model: modelVersion(model), dimensions: model.dimensions, estimates, tables };
}

const right = (title: string) => ({ title, align: "right" as const });

/** What the run will cost, before it begins. */
export function estimateText(estimates: readonly ReembedEstimate[], model: EmbeddingModel): string {
  const columns = [
    { title: "table" },
    { title: "format" },
    ...["rows to embed", "rows/s", "time", "vectors"].map(right),
  ];
  const rows = estimates.map(({ table, format, rows, rowsPerSecond, bytes }) => [
    table,
    format,
    formatCount(rows),
    rowsPerSecond === null ? "" : formatCount(Math.round(rowsPerSecond)),
    rowsPerSecond === null ? "" : `about ${formatSeconds(rows / rowsPerSecond)}`,
    rows === 0 ? "" : formatBytes(bytes),
  ]);
  return `model ${modelVersion(model)}, ${model.dimensions} dimensions\n\n${renderTable(columns, rows)}`;
}

/** What to say where vectors that are kept for their texts to come again will not be kept for long enough; nothing where they will. */
export function cacheNotes(
  estimates: readonly ReembedEstimate[],
  { embedder: { model, anew }, mostBytes }: {
    readonly embedder: Pick<Embedder, "model" | "anew">;
    readonly mostBytes: number;
  },
): readonly string[] {
  const bytes = keptVectorBytes(model.dimensions);
  const rows = estimates.reduce((sum, table) => sum + table.rows, 0);
  if (anew === undefined || rows * bytes <= mostBytes) return [];
  return [
    `--vector-cache holds about ${
      formatCount(Math.floor(mostBytes / bytes))
    } of these vectors: a job that is given this model ` +
    `later may compute them all again, unless both have ${formatBytes(rows * bytes)} or more`,
  ];
}

/** The outcome as people read it, with commands that may come next. */
export function reembeddingText({ tables }: ReembeddingOutcome, next: readonly NextStep[] = []): string {
  const columns = [
    { title: "table" },
    { title: "format" },
    ...["embedded", "dead letters", "removed"].map(right),
    { title: "every row has its vector" },
  ];
  const rows = tables.map((outcome) => [
    outcome.table,
    outcome.format,
    ...[outcome.embedded, outcome.failed, outcome.removed].map((count) => formatCount(count)),
    completeness(outcome),
  ]);
  const places = tables.map(({ table, location }) => `vectors of ${table}: ${location}`);
  return [renderTable(columns, rows), "", ...places, ...nextLines(next)].join("\n");
}

function completeness({ complete, withoutVector }: ReembeddedTable): string {
  if (!complete) return "not yet; run again to go on";
  return withoutVector === 0 ? "yes" : `no: ${formatCount(withoutVector)} have none, their dead letters say why`;
}
