/** How a captured table is copied as it is now: much may have happened to it since the start. */
import { WeirError } from "../../errors.ts";
import type { CapturedTable } from "./captured_table.ts";
import type { CatalogueTable } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import { planCopy } from "./copy_plan.ts";
import type { TableCopy } from "./initial_copy.ts";
import { sourceNameOf } from "./lake_names.ts";
import { assertReady, type ServerState } from "./preflight.ts";
import type { RelationMemory } from "./relation_memory.ts";
import { versionOfTable } from "./relation_version.ts";
import { completeDataset, inferDataset, tableProblems } from "./source_table.ts";
import { spoolColumn } from "./special_values.ts";

/** What a copy is prepared from. */
export interface TableCopyPreparation {
  readonly captured: CapturedTable;
  /** As the catalogue has it now; undefined where it was dropped. */
  readonly table: CatalogueTable | undefined;
  /** The point that the copy shows. */
  readonly lsn: bigint;
  readonly server: ServerState;
  readonly memory: RelationMemory;
  readonly maxValueBytes: number;
}

/**
 * Notes the table's version at the point, and plans its copy.
 *
 * Throws `precondition` for a table that was dropped, or that can be captured no more.
 */
export async function prepareTableCopy(
  connection: PostgresConnection,
  { captured, table, lsn, server, memory, maxValueBytes }: TableCopyPreparation,
): Promise<TableCopy> {
  if (table === undefined) throw new WeirError("precondition", `Table ${captured.source} was dropped`);
  assertReady(tableProblems(table, { user: server.user }));
  const { namespace, name, source } = captured.dataset;
  const dataset = captured.isDeclared
    ? completeDataset(captured.dataset, table)
    : { ...inferDataset(table), namespace, name, source };
  const version = versionOfTable(table, { source: captured.source, key: dataset.key });
  memory.add(version, lsn, { fromCopy: true });
  captured.copied();
  await memory.save();
  const columns = version.columns.map(({ name, type, listText }) =>
    spoolColumn(name, { type, ...(listText === undefined ? {} : { listText }) })
  );
  const plan = await planCopy(connection, {
    table,
    key: dataset.columns.filter(({ name }) => dataset.key.includes(name)).map(sourceNameOf),
    lakeName: (name) => dataset.columns.find((column) => sourceNameOf(column) === name)?.name ?? name,
    maxValueBytes,
    serverVersion: server.version,
    encoding: server.encoding,
  });
  return { table, dataset, columns, plan };
}
