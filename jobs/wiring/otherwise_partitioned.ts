/** Tables that cannot be partitioned as a user asks now. */
import type { Sink } from "../../lib/change/sink.ts";
import { type DatasetPlan, declaredDefinition } from "../../lib/pipeline/plan.ts";
import { choosePartition } from "../../lib/table/paimon/partitioning.ts";

/** A table that was made otherwise than it would be now. */
export interface OtherwisePartitioned {
  readonly sink: Sink;
  /** By which it stays partitioned; none for a table that is not. */
  readonly partition: readonly string[];
}

/** Tables that cannot follow what is asked for, because how they are partitioned was settled when they were made. */
export async function otherwisePartitioned(plans: readonly DatasetPlan[]): Promise<readonly OtherwisePartitioned[]> {
  const found: OtherwisePartitioned[] = [];
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
