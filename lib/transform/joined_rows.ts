/** Columns that are computed in a table of their own and stand beside their rows by position. */
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";

/**
 * Fails rather than let a value stand beside another row. Both names are of tables or views with an `_ordinal`.
 *
 * @param given.flags BOOLEAN columns of what stands beside. Default: none.
 * @returns For each flag whether it is set anywhere.
 * @throws {WeirError} `internal` if the rows of one stand in another order than those of the other.
 */
export async function checkSameOrder(
  connection: Connection,
  { rows, beside, flags = [] }: { readonly rows: string; readonly beside: string; readonly flags?: readonly string[] },
): Promise<readonly boolean[]> {
  const conditions = ["rows._ordinal IS DISTINCT FROM beside._ordinal", ...flags.map((flag) => `beside.${flag}`)];
  const [found] = await connection.rows(
    `SELECT ${conditions.map((condition, index) => `coalesce(bool_or(${condition}), false) AS is${index}`).join(", ")}
     FROM ${identifier(rows)} AS rows POSITIONAL JOIN ${identifier(beside)} AS beside`,
  );
  const [isMisplaced, ...areSet] = Object.values(found!) as boolean[];
  if (isMisplaced) {
    throw new WeirError("internal", `Computed values of ${beside} do not stand in the order of their rows`);
  }
  return areSet;
}

/** What is put beside so many rows is copied together with them: a copy costs 3 µs a row, and each plan of the join milliseconds. */
const mostCopiedRows = 4096;

/** Makes a relation of rows and what stands beside them. Of many rows a view: files are written from it, and a copy is half of that. */
export async function createJoined(
  connection: Connection,
  { name, select, rows }: { readonly name: string; readonly select: string; readonly rows: number },
): Promise<void> {
  await connection.run(`CREATE ${rows <= mostCopiedRows ? "TABLE" : "VIEW"} ${identifier(name)} AS ${select}`);
}
