/** What a capturing job ends with: one object for machines, one short text for people. */
import process from "node:process";
import { renderTable } from "../../lib/cli/table.ts";
import { formatBytes, formatCount, formatSeconds } from "../../lib/cli/format.ts";
import type { Sink } from "../../lib/change/sink.ts";
import { formatPosition } from "../../lib/change/position.ts";
import type { JobResult } from "../../lib/cli/run_job.ts";
import type { EmbeddingModel } from "../../lib/embed/embedder.ts";
import type { CaptureRun } from "./capture_run.ts";
import { truncationNotes } from "./embedding_model.ts";
import type { UpkeepCounts } from "./lake_upkeep.ts";
import type { VerifiedTable } from "./verification.ts";

/** One lake table as the job left it. */
export interface WrittenTable {
  readonly format: string;
  readonly namespace: string;
  readonly name: string;
  readonly location: string;
  readonly snapshotId: bigint | null;
  /** Null for a table that was set aside and cannot be read. */
  readonly rows: bigint | null;
  readonly position: string | null;
}

/** A table that shows another one's files, as the job left it. */
export interface ShownTable extends Pick<WrittenTable, "format" | "namespace" | "name" | "location" | "position"> {
  /** Of the table whose files it shows; null where it shows nothing yet. */
  readonly mirroredSnapshotId: bigint | null;
  /** Whether it shows the newest snapshot. */
  readonly isCurrent: boolean;
}

/** The object that `--json` prints. */
export interface CaptureOutcome extends JobResult {
  readonly source: { readonly kind: "postgres"; readonly version: string; readonly position: string | null };
  readonly tables: readonly WrittenTable[];
  readonly mirrors: readonly ShownTable[];
  readonly verification: readonly Omit<VerifiedTable, "mismatches" | "rows">[];
  /** Datasets that were set aside, with the reason. */
  readonly failures: readonly { readonly dataset: string; readonly kind: string; readonly message: string }[];
  /** What was merged and expired beside the batches; null with `--upkeep off`. */
  readonly upkeep: UpkeepCounts | null;
  /** Null where no table has vectors. */
  readonly model: EmbeddingModel | null;
  /** Texts that were longer than the model reads: only their beginning is in their vectors. */
  readonly truncatedTexts: number;
  readonly deadLetters: number;
  /** Folder below which this run's dead letters lie. */
  readonly deadLetterFolder: string;
  /** Source rows that this run carried into the lake. */
  readonly rows: number;
  /** How long that took: until the last of them was in the lake, without waiting and verification after that. */
  readonly carriedMs: number;
  /** `rows` over `carriedMs`. */
  readonly rowsPerSecond: number;
  readonly peakMemoryBytes: number;
  readonly durationMs: number;
}

/** Collects the outcome of a run that has stopped. `ok` only if nothing was set aside and nothing differs. */
export async function captureOutcome(
  run: CaptureRun,
  ran: { readonly verified: readonly VerifiedTable[]; readonly startedMs: number },
): Promise<CaptureOutcome> {
  const durationMs = Math.round(performance.now() - ran.startedMs);
  const { rows } = run.pipeline;
  const carriedMs = Math.max(1, Math.round(run.carriedMs));
  const failures = [...run.pipeline.failures].map(([dataset, { kind, message }]) => ({ dataset, kind, message }));
  const tables = await writtenTables(run);
  const position = tables.map((table) => table.position).find((text) => text !== null) ?? null;
  return {
    ok: failures.length === 0 && ran.verified.every((table) => table.missing + table.extra + table.different === 0),
    source: { kind: "postgres", version: run.source.version, position },
    tables,
    mirrors: await shownTables(run, tables),
    verification: ran.verified.map(({ format, table, missing, extra, different, deadLettered }) => ({
      format,
      table,
      missing,
      extra,
      different,
      deadLettered,
    })),
    failures,
    upkeep: run.lake.upkeep?.counts ?? null,
    model: run.embedder?.model ?? null,
    truncatedTexts: run.embedder?.truncated ?? 0,
    deadLetters: run.deadLetters.count,
    deadLetterFolder: run.deadLetterFolder,
    rows,
    carriedMs,
    rowsPerSecond: Math.round(rows / (carriedMs / 1000)),
    peakMemoryBytes: peakMemoryBytes(),
    durationMs,
  };
}

async function writtenTables(run: CaptureRun): Promise<WrittenTable[]> {
  const written: WrittenTable[] = [];
  for (const { dataset, tables } of run.plans) {
    const failed = run.pipeline.failures.has(`${dataset.namespace}.${dataset.name}`);
    for (const sink of tables.flatMap((table) => table.sinks)) {
      written.push(
        await writtenTable(run, sink).catch((thrown) => {
          // What keeps the table from being written may keep it from being read: its error is told already.
          if (!failed) throw thrown;
          return { ...sink.table, snapshotId: null, rows: null, position: null };
        }),
      );
    }
  }
  return written;
}

async function shownTables(run: CaptureRun, tables: readonly WrittenTable[]): Promise<ShownTable[]> {
  return (await run.lake.mirrors.stands()).map(({ snapshotId = null, position = null, ...mirror }) => {
    const { namespace, name } = mirror;
    const primary = tables.find((table) =>
      table.format === "iceberg" && table.namespace === namespace && table.name === name
    );
    const isCurrent = primary?.snapshotId === snapshotId && primary.position === position;
    return { ...mirror, mirroredSnapshotId: snapshotId, position, isCurrent };
  });
}

async function writtenTable(run: CaptureRun, sink: Sink): Promise<WrittenTable> {
  const { position, snapshotId } = await sink.status();
  return {
    ...sink.table,
    snapshotId: snapshotId ?? null,
    rows: await countedRows(run, sink),
    position: position === undefined ? null : formatPosition(position),
  };
}

/** Rows a reader sees: a table's own totals also count rows that a later version replaced (Paimon's level 0). */
async function countedRows(run: CaptureRun, sink: Sink): Promise<bigint> {
  using scan = await sink.scan();
  return scan === undefined ? 0n : await run.lake.connection.value(`SELECT count(*) FROM (${scan.sql})`) as bigint;
}

/** Largest resident size of this process so far; Node's `maxRSS` is in KiB. */
function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** A command that may come next, and what it does. */
export type NextStep = readonly [command: string, effect: string];

/** The outcome as people read it, with what they should know of it and commands that may come next. */
export function outcomeText(
  outcome: CaptureOutcome,
  { notes = [], next = [] }: { readonly notes?: readonly string[]; readonly next?: readonly NextStep[] } = {},
): string {
  const checks = new Map(outcome.verification.map((check) => [`${check.format} ${check.table}`, check]));
  const rows = outcome.tables.map((table) => {
    const check = checks.get(`${table.format} ${table.namespace}.${table.name}`);
    const counts = check === undefined
      ? ["not checked", "", ""]
      : [check.missing, check.extra, check.different].map((count) => formatCount(count));
    return [
      `${table.namespace}.${table.name}`,
      table.format,
      table.rows === null ? "unreadable" : formatCount(table.rows),
      ...counts,
    ];
  });
  const right = (title: string) => ({ title, align: "right" as const });
  const columns = [
    { title: "table" },
    { title: "format" },
    right("rows"),
    right("missing"),
    right("extra"),
    right("different"),
  ];
  return [
    renderTable(columns, rows),
    "",
    summaryText(outcome),
    ...(outcome.model === null ? [] : truncationNotes({ model: outcome.model, truncated: outcome.truncatedTexts })),
    ...upkeepText(outcome.upkeep),
    ...mirrorText(outcome.mirrors),
    ...outcome.failures.map(({ dataset, message }) => `${dataset} was set aside: ${message}`),
    ...notes,
    ...nextLines(next),
  ].join("\n");
}

/** Commands that may come next, below a blank line; nothing where there are none. */
export function nextLines(next: readonly NextStep[]): readonly string[] {
  return next.length === 0 ? [] : ["", "Next:", ...next.map((step) => nextText(step, next))];
}

function mirrorText(mirrors: readonly ShownTable[]): string[] {
  const nameOf = ({ format, namespace, name }: ShownTable) => `${format} ${namespace}.${name}`;
  const behind = mirrors.filter(({ isCurrent }) => !isCurrent).map(nameOf);
  if (mirrors.length === 0) return [];
  const formats = [...new Set(mirrors.map(({ format }) => format))].join(" and ");
  const said = `The Iceberg tables are shown as ${formats} too, out of the same files`;
  return behind.length === 0 ? [said] : [`${said}; behind, and to be caught up by the next run: ${behind.join(", ")}`];
}

function upkeepText(upkeep: UpkeepCounts | null): string[] {
  if (upkeep === null || upkeep.merges + upkeep.expiredSnapshots + upkeep.expiredPartitions === 0) return [];
  const { merges, mergedFiles, mergedBytes, expiredSnapshots, expiredPartitions } = upkeep;
  const left = expiredPartitions === 0 ? "" : `, partitions that left: ${formatCount(expiredPartitions)}`;
  const [files, into, expired] = [mergedFiles, merges, expiredSnapshots].map(formatCount);
  return [
    `Upkeep: ${files} files (${formatBytes(mergedBytes)}) merged in ${into} steps, ${expired} snapshots expired${left}`,
  ];
}

function nextText([command, effect]: NextStep, all: readonly NextStep[]): string {
  const width = Math.max(...all.map(([command]) => command.length));
  return `  ${command.padEnd(width)}   ${effect}`;
}

function summaryText(outcome: CaptureOutcome): string {
  const { rows, carriedMs, rowsPerSecond, durationMs, peakMemoryBytes, deadLetters, deadLetterFolder } = outcome;
  const [carried, all] = [carriedMs, durationMs].map((ms) => formatSeconds(ms / 1000));
  const letters = `${formatCount(deadLetters)} dead letter${deadLetters === 1 ? "" : "s"}`;
  const where = deadLetters === 0 ? "" : ` in ${deadLetterFolder}`;
  return `${formatCount(rows)} rows in ${carried} (${formatCount(rowsPerSecond)} rows/s), ${all} in all, ` +
    `${Math.round(peakMemoryBytes / 1e6)} MB of memory at most, ${letters}${where}`;
}
