/**
 * Child rows: a table with a row per element of one or more arrays of a JSON column (design §3, child tables).
 *
 * Promise: the rows are exactly the elements the parent rows of this batch hold now, keyed by the parent's key and `ordinal`,
 * which counts through the arrays in their declared order. Parents that leave give no rows: whoever commits removes children
 * by the parent's key, so old ones go with deletes, replacements, key changes and truncates. A document or array that cannot
 * be read gives no rows and one letter for its parent; an element's value that cannot be read is NULL with a letter.
 */
import type { Relation } from "../change/relation.ts";
import type { Transform, TransformContext } from "../change/transform.ts";
import type { Column } from "../dataset/column.ts";
import { duckdbType, types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import { jsonPath } from "../dataset/json_path.ts";
import type { ChildTable } from "../dataset/projection.ts";
import { identifier } from "../engine/quote.ts";
import { childRowsSql, refusedElementsSql, unreadableParentsSql } from "./child_rows_sql.ts";
import { reportDeadLetters } from "./dead_letters.ts";
import { scalarSql } from "./json_scalar.ts";

/** The child's own key column, after the parent's. */
const ordinalColumn: Column = {
  name: "ordinal",
  type: types.int32,
  nullable: false,
  doc: "Place among the parent's elements, from 0",
};

/**
 * The transform of one child table; its input is the folded parent relation.
 *
 * @throws {TypeError} If a column's type is no JSON scalar, a path cannot be written, or no array is named.
 */
export function createChildRows(child: ChildTable): Transform {
  if (child.arrays.length === 0) throw new TypeError(`Cannot fill child table "${child.name}" from no arrays`);
  for (const { type } of child.columns) scalarSql("text", type);
  for (const { path, columns } of child.arrays) {
    jsonPath(path);
    for (const place of Object.values(columns)) if ("path" in place) jsonPath(place.path);
  }
  return {
    name: `child rows of ${child.name}`,
    define: (input) => define(input, child),
    apply: (input, context) => apply({ input, child }, context),
  };
}

function define(input: TableDefinition, child: ChildTable): TableDefinition {
  if (input.key.length === 0) throw new TypeError(`Child table "${child.name}" needs a parent with a key`);
  const parentKey = input.key.map((name) => {
    const { type, doc, personal } = input.columns.find((column) => column.name === name)!;
    const about = { ...(doc === undefined ? {} : { doc }), ...(personal === undefined ? {} : { personal }) };
    return { name, type, nullable: false, ...about };
  });
  const columns = [...parentKey, ordinalColumn, ...child.columns.map((column) => ({ ...column, nullable: true }))];
  if (new Set(columns.map(({ name }) => name)).size < columns.length) {
    throw new TypeError(`Child table "${child.name}" names a column twice: its parent's key and "ordinal" are taken`);
  }
  return {
    namespace: input.namespace,
    name: child.name,
    columns,
    key: [...input.key, ordinalColumn.name],
    colocation: input.key,
  };
}

interface ChildRowsTask {
  readonly input: Relation;
  readonly child: ChildTable;
}

async function apply({ input, child }: ChildRowsTask, context: TransformContext): Promise<Relation> {
  const definition = define(input.definition, child);
  const { connection } = context;
  const name = context.temporaryName("child_rows");
  const table = identifier(name);
  if (!input.definition.columns.some((column) => column.name === child.from)) {
    await connection.run(`CREATE TABLE ${table} (_ordinal BIGINT, _delete BOOLEAN, _replaces BOOLEAN,
      ${definition.columns.map((column) => `${identifier(column.name)} ${duckdbType(column.type)}`).join(", ")})`);
    return { name, definition, rows: 0, deletes: 0 };
  }
  await connection.run(`CREATE TABLE ${table} AS ${childRowsSql(input, child)}`);
  await reportDeadLetters(unreadableParentsSql(input, child), context);
  if (await connection.value(`SELECT count(*) FROM ${table} WHERE _suspect`) !== 0n) {
    const parents = `SELECT _ordinal FROM ${table} WHERE _suspect`;
    await reportDeadLetters(refusedElementsSql(input, { child, parents }), context);
  }
  await connection.run(`ALTER TABLE ${table} DROP COLUMN _suspect`);
  const rows = await connection.value(`SELECT count(*) FROM ${table}`);
  return { name, definition, rows: Number(rows), deletes: 0, ...(input.replacing === 0 ? { replacing: 0 } : {}) };
}
