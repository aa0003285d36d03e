/** Tables that were captured once and are not at the source any more. */
import { tablesByOid } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import type { CaptureTable } from "./find_tables.ts";
import type { RelationMemory } from "./relation_memory.ts";

/**
 * Names `namespace.table` of remembered tables that were dropped, and forgets them: they are told of once. One that was made
 * again under its name and is captured is not among them.
 */
export async function takeDropped(
  memory: RelationMemory,
  { connection, captured }: { readonly connection: PostgresConnection; readonly captured: readonly CaptureTable[] },
): Promise<readonly string[]> {
  const remembered = memory.sources();
  const found = await tablesByOid(connection, [...remembered.keys()]);
  const isCaptured = (source: string) => captured.some(({ table }) => `${table.namespace}.${table.name}` === source);
  const dropped = [...remembered].filter(([oid, source]) =>
    !isCaptured(source) && found.every((table) => table.oid !== oid)
  );
  for (const [oid] of dropped) memory.forget(oid);
  await memory.save();
  return dropped.map(([, source]) => source);
}
