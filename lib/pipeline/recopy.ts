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

/**
 * Why the writer's tables must be copied again before anything is read; undefined where they need not: the steps of its main
 * table make other columns than those that filled the lake. The source's own columns are left to the stream.
 */
export async function otherStepsReason(writer: DatasetWriter): Promise<string | undefined> {
  const main = writer.plan.tables.find((table) => table.rowsBelongTo === "key");
  if (main === undefined) return undefined;
  const made = currentDefinition(writer, main).columns.filter((column) => !holds(writer.source.columns, column));
  const leftOut = main.leftOutColumns ?? [];
  for (const sink of main.sinks) {
    const { columns } = await sink.status();
    if (columns === undefined) continue;
    const missing = made.filter((column) => !holds(columns, column));
    if (missing.length > 0) return `its lake table lacks ${namesOf(missing)}, which it is declared with now`;
    const held = leftOut.filter((column) => holds(columns, column));
    if (held.length > 0) return `its lake table has ${namesOf(held)}, which it is declared without now`;
  }
  return undefined;
}

function holds(columns: readonly Column[], { name, type }: Column): boolean {
  return columns.some((column) => column.name === name && sameType(column.type, type));
}

function namesOf(columns: readonly Column[]): string {
  return columns.map(({ name }) => name).join(", ");
}

function sameColumns(left: readonly Column[], right: readonly Column[]): boolean {
  return left.length === right.length && left.every((column) => holds(right, column));
}
