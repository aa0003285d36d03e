/** What a search ends with: one object for machines, one table for people. */
import type { DuckDBValue } from "@duckdb/node-api";
import { formatCount } from "../../lib/cli/format.ts";
import type { JobResult } from "../../lib/cli/run_job.ts";
import { renderTable } from "../../lib/cli/table.ts";
import { searchText } from "../../lib/notebook/similar_rows.ts";
import type { TableFolder } from "../../lib/query/lake_folders.ts";
import type { SimilarRows } from "../../lib/query/similar/similar.ts";
import { maskedColumns } from "./masked_columns.ts";

type ShownValue = string | number | bigint | boolean | null;

/** The object that `--json` prints. */
export interface SimilarOutcome extends JobResult {
  readonly table: string;
  readonly format: string;
  readonly snapshotId: bigint | null;
  readonly model: string;
  readonly dimensions: number;
  /** Rows that could have been found. */
  readonly comparable: bigint;
  readonly leftOut: { readonly otherModels: bigint; readonly withoutVector: bigint };
  readonly searchedBy: "scan" | "index";
  /** Why an index that is there was not asked. */
  readonly scanReason: string | null;
  readonly index: NonNullable<SimilarRows["index"]> | null;
  readonly rows: readonly { readonly similarity: number; readonly row: Readonly<Record<string, ShownValue>> }[];
}

/** Which columns are shown. */
export interface ShownColumns {
  readonly place: TableFolder;
  readonly key: readonly string[];
  /** Those shown beside the key. Empty: a few that tell people most. */
  readonly columns: readonly string[];
}

/** What tells most of rows that we know. */
const knownTelling: Readonly<Record<string, readonly string[]>> = {
  "payments.account_holders": ["gender", "children", "bank_account_count", "credit_card_count"],
  "payments.transactions": ["eventtime", "direction", "eventtype", "value", "currency"],
};
/** Columns of other tables that are shown beside the key where none are asked for. */
const mostTellingColumns = 5;
/** Longer values tell a machine more than a person. */
const longestTellingText = 32;

/** Values of people are masked, as everywhere. */
export function similarOutcome(found: SimilarRows, shown: ShownColumns): SimilarOutcome {
  const { place, key } = shown;
  const personal = maskedColumns(place);
  const known = knownTelling[`${place.namespace}.${place.name}`];
  const telling = known?.every((name) => name in (found.rows[0]?.row ?? {}))
    ? known
    : tellingColumns(found, { key, personal });
  const beside = shown.columns.length > 0 ? shown.columns : telling;
  const wanted = [...new Set([...key, ...beside])];
  const all = found.census.spaces.reduce((sum, { rows }) => sum + rows, 0n);
  const valueOf = (name: string, value: DuckDBValue | undefined) =>
    personal.has(name) && value !== null ? "***" : shownValue(value);
  return {
    ok: true,
    table: `${place.namespace}.${place.name}`,
    format: place.format,
    snapshotId: found.snapshotId ?? null,
    ...found.space,
    comparable: found.comparable,
    leftOut: { otherModels: all - found.comparable, withoutVector: found.census.withoutVector },
    searchedBy: found.index === undefined ? "scan" : "index",
    scanReason: found.scanReason ?? null,
    index: found.index ?? null,
    rows: found.rows.map(({ similarity, row }) => ({
      similarity,
      row: Object.fromEntries(wanted.map((name) => [name, valueOf(name, row[name])])),
    })),
  };
}

/** The outcome as people read it. */
export function similarText(outcome: SimilarOutcome): string {
  const { rows, leftOut: { otherModels, withoutVector } } = outcome;
  const names = Object.keys(rows[0]?.row ?? {});
  const isNumber = (name: string) => rows.every(({ row }) => /^(-?\d+(\.\d+)?)?$/.test(String(row[name] ?? "")));
  const columns = [
    { title: "similarity", align: "right" as const },
    ...names.map((title) => ({ title, align: isNumber(title) ? "right" as const : "left" as const })),
  ];
  const cells = rows.map((
    { similarity, row },
  ) => [similarity.toFixed(4), ...names.map((name) => String(row[name] ?? ""))]);
  const leftOut = [
    ...(otherModels > 0n ? [`${formatCount(otherModels)} rows with vectors of other models`] : []),
    ...(withoutVector > 0n ? [`${formatCount(withoutVector)} rows without a vector`] : []),
  ];
  return [
    rows.length === 0 ? "no row was found" : renderTable(columns, cells),
    "",
    `${outcome.format} ${outcome.table}, ${formatCount(outcome.comparable)} vectors of ${outcome.model} ` +
    `(${outcome.dimensions} dimensions), ${searchText(outcome)}`,
    ...(leftOut.length === 0 ? [] : [`left out: ${leftOut.join(", ")}`]),
    ...(outcome.model.includes("nonsemantic") ? ["this model carries no meaning: near are rows that share words"] : []),
  ].join("\n");
}

/** Short values that rows differ in tell most; then short ones that are the same everywhere. */
function tellingColumns(
  { rows }: SimilarRows,
  { key, personal }: { readonly key: readonly string[]; readonly personal: ReadonlySet<string> },
): readonly string[] {
  const names = Object.keys(rows[0]?.row ?? {}).filter((name) => !key.includes(name) && !personal.has(name));
  const texts = (name: string) => rows.map(({ row }) => shownValue(row[name])).map((value) => String(value ?? ""));
  const short = names.filter((name) => texts(name).every((text) => text.length <= longestTellingText));
  const told = short.filter((name) => texts(name).filter((text) => text !== "").length * 2 >= rows.length);
  const differing = new Set(told.filter((name) => new Set(texts(name)).size > 1));
  const chosen = new Set([...differing, ...told].slice(0, mostTellingColumns));
  return names.filter((name) => chosen.has(name));
}

function shownValue(value: DuckDBValue | undefined): ShownValue {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return value;
  return String(value);
}
