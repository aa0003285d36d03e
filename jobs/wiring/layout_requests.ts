/**
 * What `--partition-by` and `--sort-by` ask for, held against the lake tables there are: a misspelt name would do nothing in
 * silence.
 */
import type { Dataset, TableDefinition } from "../../lib/dataset/dataset.ts";
import { partitionColumns } from "../../lib/dataset/partition_columns.ts";
import { sortColumns } from "../../lib/dataset/sort_columns.ts";
import { WeirError } from "../../lib/errors.ts";
import { type DatasetPlan, declaredDefinition, type TablePlan } from "../../lib/pipeline/plan.ts";
import { nearest } from "../../lib/settings/nearest.ts";
import type { TableColumns } from "../../lib/settings/setting.ts";
import { createRowLayout } from "../../lib/transform/lay_out_rows.ts";
import type { CaptureSettings } from "./capture_settings.ts";

/** Columns that rows are to be partitioned and sorted by; some may be of other datasets' tables. */
export interface LayoutRequests {
  readonly partitionBy: readonly TableColumns[];
  readonly sortBy: readonly TableColumns[];
}

/** The flag that asks for each. */
const flags: Readonly<Record<keyof LayoutRequests, string>> = { partitionBy: "--partition-by", sortBy: "--sort-by" };

/**
 * A table's plan, laid out as it is asked for, if it is.
 *
 * @throws {WeirError} `configuration` for columns that the table lacks or cannot be partitioned or sorted by.
 */
export function withLayout<Plan extends Omit<TablePlan, "sinks">>(
  plan: Plan,
  { requests, dataset }: { readonly requests: LayoutRequests; readonly dataset: Dataset },
): Plan {
  const definition = declaredDefinition({ ...plan, sinks: [] }, dataset);
  const names = namesOf(definition, { plan, dataset });
  const asked = (kind: keyof LayoutRequests) => {
    const request = requests[kind].find(({ table }) => names.includes(table));
    return request && { [kind]: presentColumns(definition, request.columns, flags[kind]) };
  };
  const layout = { ...asked("partitionBy"), ...asked("sortBy") };
  if (Object.keys(layout).length === 0) return plan;
  partitionColumns({ ...definition, ...layout });
  sortColumns({ ...definition, ...layout });
  return { ...plan, transforms: [...plan.transforms, createRowLayout(layout)] };
}

function presentColumns(definition: TableDefinition, columns: readonly string[], flag: string): readonly string[] {
  const known = definition.columns.map(({ name }) => name);
  const absent = columns.find((name) => !known.includes(name));
  if (absent === undefined) return columns;
  const table = `${definition.namespace}.${definition.name}`;
  throw new WeirError("configuration", `${table} has no column "${absent}", which ${flag} names`, {
    detail: { table },
    advice: `Write columns as they are called in the lake table${meant(absent, known)}`,
  });
}

/** What a user may call a table: by its names in the lake, and where it has all columns of a source table by those there. */
function namesOf(
  { namespace, name }: Pick<TableDefinition, "namespace" | "name">,
  of: { readonly plan: Omit<TablePlan, "sinks">; readonly dataset: Dataset },
): readonly string[] {
  const { source } = of.dataset;
  const atSource = of.plan.rowsBelongTo === "key" ? [source.table, `${source.namespace}.${source.table}`] : [];
  return [name, `${namespace}.${name}`, ...atSource];
}

/** Throws `configuration` for a request that speaks of none of the tables, or of one again. */
export function requireKnownTables(requests: LayoutRequests, plans: readonly DatasetPlan[]): void {
  for (const kind of ["partitionBy", "sortBy"] as const) requireKnown(flags[kind], requests[kind], plans);
}

function requireKnown(flag: string, requests: readonly TableColumns[], plans: readonly DatasetPlan[]): void {
  const tables = plans.flatMap(({ dataset, tables }) =>
    tables.map((plan) => namesOf(declaredDefinition(plan, dataset), { plan, dataset }))
  );
  const seen = new Set<readonly string[]>();
  for (const { table } of requests) {
    const names = tables.find((each) => each.includes(table));
    if (names !== undefined && !seen.has(names)) {
      seen.add(names);
      continue;
    }
    const why = names === undefined ? "which is none of the captured tables" : "which it has named before";
    throw new WeirError("configuration", `${flag} names "${table}", ${why}`, {
      advice: names === undefined
        ? `Write it as table or namespace.table, and let --tables match it${meant(table, tables.flat())}`
        : "Give each table once, with all of its columns",
    });
  }
}

/** Throws `configuration` where an order is given and no format has one. */
export function requireSortable({ formats, sortBy }: Pick<CaptureSettings, "formats" | "sortBy">): void {
  if (sortBy.length === 0 || formats.includes("iceberg")) return;
  throw new WeirError("configuration", "--sort-by is about files of Iceberg tables: iceberg is missing in --formats", {
    advice: "Add iceberg to --formats, or leave --sort-by out",
  });
}

function meant(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? "" : `; perhaps "${near}" is meant`;
}
