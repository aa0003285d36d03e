/**
 * Flatten: scalar columns out of JSON columns, which stay beside them as text.
 *
 * Promise: every row is kept. A value that is not there is NULL (a count of it 0); a value that is there but cannot be held
 * exactly, in a document of another shape, or in no document at all, is NULL with a dead letter naming key, column and reason.
 * Each document is parsed for all its columns at once; only rows that lack one they may have had are looked at again.
 */
import type { Relation } from "../change/relation.ts";
import type { Transform, TransformContext } from "../change/transform.ts";
import type { Dataset, TableDefinition } from "../dataset/dataset.ts";
import { jsonPath } from "../dataset/json_path.ts";
import type { Projection } from "../dataset/projection.ts";
import { identifier } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import { reportDeadLetters } from "./dead_letters.ts";
import { flattenedSql, projectedSql, readUnreadSql, refusedSql, suspectColumn, unreadColumn } from "./flatten_sql.ts";
import { scalarSql } from "./json_scalar.ts";
import { checkSameOrder, createJoined } from "./joined_rows.ts";

/**
 * The transform of a dataset's projections. Without any it gives its input back. A projection whose JSON column has left
 * the source is left out.
 *
 * @throws {TypeError} If a projection's type is no JSON scalar, or its path cannot be written.
 */
export function createFlatten(dataset: Dataset): Transform {
  const projections = dataset.projections ?? [];
  for (const { column, path } of projections) {
    scalarSql("text", column.type);
    jsonPath(path);
  }
  return {
    name: "flatten",
    define: (input) => define(input, projections),
    apply: (input, context) => apply({ input, projections: present(input.definition, projections) }, context),
  };
}

interface FlattenTask {
  readonly input: Relation;
  readonly projections: readonly Projection[];
}

function present(input: TableDefinition, projections: readonly Projection[]): readonly Projection[] {
  return projections.filter((projection) => input.columns.some((column) => column.name === projection.from));
}

function define(input: TableDefinition, projections: readonly Projection[]): TableDefinition {
  const added = present(input, projections).map(({ column }) => ({ ...column, nullable: true }));
  const taken = added.find(({ name }) => input.columns.some((column) => column.name === name));
  if (taken !== undefined) {
    throw new WeirError(
      "unsupportedSchemaChange",
      `Column "${taken.name}" is projected out of JSON, but the source has a column of that name`,
      {
        detail: { table: `${input.namespace}.${input.name}` },
        advice: "Rename that column at the source, or capture the table as it is with the job capture",
      },
    );
  }
  return { ...input, columns: [...input.columns, ...added] };
}

async function apply(task: FlattenTask, context: TransformContext): Promise<Relation> {
  const { input, projections } = task;
  const definition = define(input.definition, projections);
  if (projections.length === 0) return { ...input, definition };
  const { connection } = context;
  const projected = context.temporaryName("projected");
  await connection.run(`CREATE TABLE ${identifier(projected)} AS ${projectedSql(input, projections)}`);
  const order = { rows: input.name, beside: projected };
  let [isSuspect, isUnread] = await checkSameOrder(connection, { ...order, flags: [suspectColumn, unreadColumn] });
  if (isUnread) {
    await connection.run(readUnreadSql(input, { projections, projected }));
    [isSuspect] = await checkSameOrder(connection, { ...order, flags: [suspectColumn] });
  }
  const name = context.temporaryName("flattened");
  await createJoined(connection, { name, select: flattenedSql(input, { projections, projected }), rows: input.rows });
  if (isSuspect) await reportDeadLetters(refusedSql({ ...input, name }, projections), context);
  return { ...input, name, definition, narrower: input };
}
