/** What `--partition-by` asks for, held against the lake tables there are: a misspelt name would part nothing in silence. */
import type { Sink } from "../../lib/change/sink.ts";
import type { Dataset, TableDefinition } from "../../lib/dataset/dataset.ts";
import { partitionColumns } from "../../lib/dataset/partition_columns.ts";
import { WeirError } from "../../lib/errors.ts";
import { type DatasetPlan, declaredDefinition, type TablePlan } from "../../lib/pipeline/plan.ts";
import { nearest } from "../../lib/settings/nearest.ts";
import type { TableColumns } from "../../lib/settings/setting.ts";
import { choosePartition } from "../../lib/table/paimon/partitioning.ts";
import { createPartedRows } from "../../lib/transform/part_rows.ts";

/**
 * A table's plan with the columns that its rows are to be parted by, if any.
 *
 * @throws {WeirError} `configuration` for columns that the table lacks or cannot be parted by.
 */
export function withPartition<Plan extends Omit<TablePlan, "sinks">>(
  plan: Plan,
  { requests, dataset }: { readonly requests: readonly TableColumns[]; readonly dataset: Dataset },
): Plan {
  const definition = declaredDefinition({ ...plan, sinks: [] }, dataset);
  const request = requests.find(({ table }) => namesOf(definition, { plan, dataset }).includes(table));
  if (request === undefined) return plan;
  const known = definition.columns.map(({ name }) => name);
  const absent = request.columns.find((name) => !known.includes(name));
  if (absent !== undefined) {
    const table = `${definition.namespace}.${definition.name}`;
    throw new WeirError("configuration", `There is no column "${absent}" to part ${table} by`, {
      detail: { table },
      advice: `Write the columns of --partition-by as they are called in the lake table${meant(absent, known)}`,
    });
  }
  partitionColumns({ ...definition, partitionBy: request.columns });
  return { ...plan, transforms: [...plan.transforms, createPartedRows(request.columns)] };
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
export function requireParted(requests: readonly TableColumns[], plans: readonly DatasetPlan[]): void {
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
    throw new WeirError("configuration", `--partition-by names "${table}", ${why}`, {
      advice: names === undefined
        ? `Write it as table or namespace.table, and let --tables match it${meant(table, tables.flat())}`
        : "Give each table once, with all of its columns",
    });
  }
}

function meant(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? "" : `; perhaps "${near}" is meant`;
}

/** A table that was made otherwise than it would be now. */
export interface OtherwiseParted {
  readonly sink: Sink;
  /** By which it stays parted; none for a table that is not. */
  readonly partition: readonly string[];
}

/** Tables that cannot follow what is asked for, because how they are parted was settled when they were made. */
export async function otherwiseParted(plans: readonly DatasetPlan[]): Promise<readonly OtherwiseParted[]> {
  const found: OtherwiseParted[] = [];
  for (const { dataset, tables } of plans) {
    for (const plan of tables) {
      const definition = declaredDefinition(plan, dataset);
      const { partitionBy } = definition;
      if (partitionBy === undefined) continue;
      for (const sink of plan.sinks) {
        const wanted = sink.table.format === "paimon" ? choosePartition(definition).columns : partitionBy;
        const { fixedPartition } = await sink.status();
        if (fixedPartition === undefined || fixedPartition.join() === wanted.join()) continue;
        found.push({ sink, partition: fixedPartition });
      }
    }
  }
  return found;
}
