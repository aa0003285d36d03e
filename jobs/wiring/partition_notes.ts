/** What users should hear of partitions that their Paimon tables do not get, or that stay although they were to leave. */
import type { Sink } from "../../lib/change/sink.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { WeirError } from "../../lib/errors.ts";
import { type DatasetPlan, declaredDefinition } from "../../lib/pipeline/plan.ts";
import { retentionOptions } from "../../lib/table/paimon/partition_expiry.ts";
import { choosePartition } from "../../lib/table/paimon/partitioning.ts";
import type { CaptureSettings } from "./capture_settings.ts";

type PartitionSettings = Pick<CaptureSettings, "formats" | "partitionBy" | "partitionKeepDays">;

/** Throws `configuration` where days are given and there is nothing that they could be about. */
export function requirePartitions({ formats, partitionBy, partitionKeepDays }: PartitionSettings): void {
  const lacking = [
    ...(formats.includes("paimon") ? [] : [["paimon in --formats", "Add paimon to --formats"]]),
    ...(partitionBy.length > 0
      ? []
      : [["--partition-by", "Name a table and its date column with --partition-by table=column"]]),
  ];
  const [first] = lacking;
  if (partitionKeepDays === undefined || first === undefined) return;
  const [what, remedy] = first;
  throw new WeirError(
    "configuration",
    `--partition-keep-days is about partitions of Paimon tables: ${what} is missing`,
    {
      advice: `${remedy}, or leave --partition-keep-days out`,
    },
  );
}

/** One line for each of the Paimon tables that has any. */
export async function partitionNotes(
  plans: readonly DatasetPlan[],
  { partitionKeepDays }: PartitionSettings,
): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const { dataset, tables } of plans) {
    for (const plan of tables) {
      const sink = plan.sinks.find(({ table }) => table.format === "paimon");
      const note = sink && await noteOf(sink, declaredDefinition(plan, dataset), partitionKeepDays);
      if (note !== undefined) notes.push(note);
    }
  }
  return notes;
}

const dayMs = 86_400_000;

async function noteOf(sink: Sink, definition: TableDefinition, keepDays?: number): Promise<string | undefined> {
  const table = `the Paimon table ${definition.namespace}.${definition.name}`;
  const { columns, objection } = choosePartition(definition);
  if (objection !== undefined) return `${table} has no partitions: ${objection}`;
  if (columns.length === 0 || keepDays === undefined) return undefined;
  const isDated = Object.keys(retentionOptions(definition, keepDays)).length > 0;
  if (!isDated) return `${table} keeps its partitions for good: none is by a date`;
  const { columns: held, retention } = await sink.status();
  if (held === undefined || retention?.keepMs === keepDays * dayMs) return undefined;
  const kept = retention === undefined ? "for good" : `for ${retention.keepMs / dayMs} days`;
  return `${table} keeps its partitions ${kept}, as its option partition.expiration-time says`;
}
