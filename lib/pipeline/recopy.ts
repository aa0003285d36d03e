/** Whether row events can tell what happened to a table, or it must be copied again. */
import type { DatasetChanges } from "../change/micro_batch.ts";
import type { Column } from "../dataset/column.ts";
import { sameType } from "../dataset/column_type.ts";
import { currentDefinition, type DatasetWriter } from "./dataset_writer.ts";

/**
 * Why the writer's tables must be copied again; undefined where they need not. On the first changes after a start the
 * source's columns are held against the lake's: what changed while nobody listened cannot be replayed as row events.
 */
export async function recopyReason(
  writer: DatasetWriter,
  options: { readonly changes: DatasetChanges; readonly first: boolean },
): Promise<string | undefined> {
  const { changes, first } = options;
  if (changes.recopyReason !== undefined) return changes.recopyReason;
  const [segment] = changes.segments;
  if (!first || segment === undefined) return undefined;
  writer.adopt(segment);
  if (segment.schemaChanges.length > 0) return undefined;
  const main = writer.plan.tables.find((table) => table.rowsBelongTo === "key");
  if (main === undefined) return undefined;
  const wanted = currentDefinition(writer, main).columns;
  for (const sink of main.sinks) {
    const { columns } = await sink.status();
    if (columns !== undefined && !sameColumns(columns, wanted)) {
      return "its columns changed at the source while the job was not running";
    }
  }
  return undefined;
}

function sameColumns(left: readonly Column[], right: readonly Column[]): boolean {
  const find = (name: string) => right.find((column) => column.name === name);
  return left.length === right.length && left.every((column) => {
    const other = find(column.name);
    return other !== undefined && sameType(other.type, column.type);
  });
}
