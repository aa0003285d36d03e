/** The rows in which two states of a table differ, read by scans. */
import type { Scan } from "../change/sink.ts";
import type { ChangedRows } from "./lake_table.ts";

/** Opens scans of either state's rows, one after the other; those of the older one may be several. */
export async function scannedRows(
  before: readonly (() => Promise<Scan>)[],
  after: () => Promise<Scan>,
): Promise<ChangedRows> {
  using open = new DisposableStack();
  const older: string[] = [];
  for (const scan of before) older.push(open.use(await scan()).sql);
  const newer = open.use(await after()).sql;
  const kept = open.move();
  return { before: older.join(" UNION ALL "), after: newer, [Symbol.dispose]: () => kept.dispose() };
}
