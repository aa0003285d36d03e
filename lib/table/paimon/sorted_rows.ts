/** Rows of many places, sorted by place: each file's rows are then picked out of a few blocks instead of out of all rows. */
import type { Relation } from "../../change/relation.ts";
import type { Connection } from "../../engine/connection.ts";
import { identifier } from "../../engine/quote.ts";
import type { Partitioning } from "./partitioning.ts";

/** Rows, and what gives back the room that they took. */
export interface SortedRows extends AsyncDisposable {
  readonly rows: Relation;
}

/** The rows in an order, as a table of their own; as they are where there is no order. */
export async function sortedRows(
  connection: Connection,
  { rows, order }: { readonly rows: Relation; readonly order: string | undefined },
): Promise<SortedRows> {
  if (order === undefined) return { rows, [Symbol.asyncDispose]: () => Promise.resolve() };
  const name = `weir_paimon_sorted_${crypto.randomUUID().replaceAll("-", "")}`;
  await connection.run(`CREATE TEMP TABLE ${name} AS SELECT * FROM ${identifier(rows.name)} ORDER BY ${order}`);
  const { narrower: _inAnotherOrder, ...sorted } = rows;
  return {
    rows: { ...sorted, name },
    [Symbol.asyncDispose]: async () => {
      await connection.run(`DROP TABLE IF EXISTS ${name}`);
    },
  };
}

/** `ORDER BY` of partitions. */
export function placeOrderSql({ columns }: Partitioning): string {
  return columns.map(({ name }) => identifier(name)).join(", ");
}
