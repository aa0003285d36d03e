/** Which schema a change writes with. */
import { sameType } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import type { SchemaChange } from "../../dataset/schema_change.ts";
import { WeirError } from "../../errors.ts";
import { unwritableOption } from "./foreign_options.ts";
import { type PaimonSchema, sameSchema } from "./schema.ts";
import { evolveSchema } from "./schema_evolution.ts";
import type { PaimonState } from "./table_state.ts";

/**
 * The schema after changes. One that a stopped commit left behind is taken up where it is the same; otherwise the new one
 * follows it, with ids that it did not use, because readers take the schema with the highest id.
 */
export function targetSchema(
  state: PaimonState,
  options: { readonly changes: readonly SchemaChange[]; readonly isEmptied: boolean; readonly timeMillis: number },
): PaimonSchema {
  const left = state.pendingSchemas.at(-1);
  const evolved = evolveSchema(state.schema, options.changes, options);
  if (left === undefined) {
    const same = sameSchema(evolved, state.schema);
    return same ? state.schema : { ...evolved, id: state.schema.id + 1, timeMillis: options.timeMillis };
  }
  if (sameSchema(evolved, left)) return left;
  const highestFieldId = Math.max(...[state.schema, ...state.pendingSchemas].map((schema) => schema.highestFieldId));
  const following = evolveSchema({ ...state.schema, highestFieldId }, options.changes, options);
  return { ...following, id: left.id + 1, timeMillis: options.timeMillis };
}

/**
 * Refuses rows that the schema cannot hold, or that would stand where nobody looks for them.
 *
 * @throws {WeirError} `unsupportedSchemaChange` where a column of the definition is missing, of another type, or the key
 *   differs; `precondition` for options that another program set.
 */
export function assertHolds(schema: PaimonSchema, definition: TableDefinition): void {
  const table = `${definition.namespace}.${definition.name}`;
  const refuse = (what: string) => new WeirError("unsupportedSchemaChange", `${table}: ${what}`, { detail: { table } });
  for (const { name, type } of definition.columns) {
    const field = schema.fields.find((each) => each.name === name);
    if (field === undefined) throw refuse(`the Paimon table has no column ${name}`);
    if (!sameType(field.type, type)) throw refuse(`the Paimon table has another type for column ${name}`);
  }
  if ([...definition.key].sort().join("\0") !== [...schema.primaryKeys].sort().join("\0")) {
    throw refuse("the Paimon table has another key");
  }
  const option = unwritableOption(schema);
  if (option === undefined) return;
  throw new WeirError("precondition", `${table}: another program made the Paimon table with ${option}`, {
    detail: { table },
    advice:
      "Remove the table's folder: it is then made with fixed buckets where it has a key, and without such options",
  });
}
