/** What a transform is given in a test: a real connection, and lists of what it handed over. */
import type { LetterDraft } from "../change/dead_letter.ts";
import type { Relation } from "../change/relation.ts";
import type { TransformContext } from "../change/transform.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";

/** A context and the letters that came out of it. */
export interface TransformFixture {
  readonly context: TransformContext;
  readonly letters: LetterDraft[];
}

/** A context over a connection. `currentRows` is the lake's answer; by default there is no table yet. */
export function transformFixture(
  connection: Connection,
  currentRows: TransformContext["currentRows"] = () => Promise.resolve(undefined),
): TransformFixture {
  const letters: LetterDraft[] = [];
  let names = 0;
  const context: TransformContext = {
    connection,
    temporaryName: (purpose) => `${purpose}_${names++}`,
    temporaryFile: (purpose) => `${connection.temporaryFolder}/${purpose}_${crypto.randomUUID()}`,
    currentRows,
    deadLetter: (letter) => letters.push(letter),
    signal: new AbortController().signal,
  };
  return { context, letters };
}

/** A relation of changes from a SELECT giving the definition's columns; rows count as new unless the SELECT says otherwise. */
export async function changeRelation(
  connection: Connection,
  given: { readonly definition: TableDefinition; readonly select: string },
): Promise<Relation> {
  const { definition, select } = given;
  const name = `input_${crypto.randomUUID().replaceAll("-", "")}`;
  const columns = (await connection.rows(`DESCRIBE ${select}`)).map((row) => row["column_name"]);
  const added = [
    ["_ordinal", "row_number() OVER () - 1"],
    ["_delete", "false"],
    ["_replaces", "false"],
  ].flatMap(([column, value]) => columns.includes(column!) ? [] : [`${value} AS ${column}`]);
  await connection.run(`CREATE TABLE ${identifier(name)} AS SELECT ${["*", ...added].join(", ")} FROM (${select})`);
  const rows = await connection.value(`SELECT count(*) FROM ${identifier(name)}`);
  return { name, definition, rows: Number(rows) };
}
