/** What a pipeline is made of: which lake tables come out of which dataset, and where they are written. */
import type { Sink } from "../change/sink.ts";
import type { Transform } from "../change/transform.ts";
import type { Column } from "../dataset/column.ts";
import type { Dataset, TableDefinition } from "../dataset/dataset.ts";
import { sourceTable } from "../dataset/dataset.ts";

/** One lake table out of a dataset, written in one or more formats. */
export interface TablePlan {
  /** Applied in order to the folded changes of the dataset. */
  readonly transforms: readonly Transform[];
  /** `key`: a row per source row. `parent`: rows out of a source row's array, which leave or are replaced with it. */
  readonly rowsBelongTo: "key" | "parent";
  /** Columns of a step that was left out this time: a lake table that has them is copied again without. Default: none. */
  readonly leftOutColumns?: readonly Column[];
  readonly sinks: readonly Sink[];
}

/** One dataset and its lake tables. Exactly one of them has `rowsBelongTo: "key"`: the main table. */
export interface DatasetPlan {
  readonly dataset: Dataset;
  readonly tables: readonly TablePlan[];
}

/** The definition of a table plan's lake table, given the source's columns. */
export function lakeDefinition(plan: TablePlan, source: TableDefinition): TableDefinition {
  return plan.transforms.reduce((definition, transform) => transform.define(definition), source);
}

/** The lake definitions of a dataset as declared. */
export function declaredDefinition(plan: TablePlan, dataset: Dataset): TableDefinition {
  return lakeDefinition(plan, sourceTable(dataset));
}

/**
 * Tables in the order in which a batch commits them: children first. Unchanged values are read from the main table as of the
 * batch's start, so it must be the last to move (see `DatasetWriter`).
 */
export function commitOrder(plan: DatasetPlan): readonly TablePlan[] {
  return [...plan.tables].sort((left, right) =>
    Number(left.rowsBelongTo === "key") - Number(right.rowsBelongTo === "key")
  );
}
