/** The first version of a table: its schema and rules, and no rows. */
import type { TableDefinition } from "../../dataset/dataset.ts";
import { partitionColumns } from "../../dataset/partition_columns.ts";
import type { TableDescription } from "./prepared_change.ts";
import { initialProperties, ownNames, propertyNames } from "./properties.ts";
import { protocolFor } from "./protocol.ts";
import { formatSchema, physicalName, type TableShape, withNewField } from "./schema.ts";

/** How rows leave a table: marked by deletion vectors, or by writing the file anew without them. */
export type DeleteMode = "vectors" | "rewrite";

/** How a new table is kept. */
export interface NewTableOptions {
  readonly deletes: DeleteMode;
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * What a table without rows is.
 *
 * @throws {TypeError} If the key names a column that does not exist or a list.
 * @throws {WeirError} `configuration` for columns that a table cannot be partitioned by.
 */
export function newTable(definition: TableDefinition, options: NewTableOptions): TableDescription {
  const { namespace, name, key } = definition;
  const keyColumns = key.map((each) => definition.columns.find((column) => column.name === each));
  if (keyColumns.some((column) => column === undefined || column.type.kind === "list")) {
    throw new TypeError(`Cannot key ${namespace}.${name}: a key column is missing or a list`);
  }
  const configuration = configurationOf(definition, options);
  const empty: TableShape = { tableId: crypto.randomUUID(), fields: [], partition: [], configuration };
  const shape = definition.columns.reduce(withNewField, empty);
  const physicalKey = key.map((each) => physicalName(shape.fields.find((field) => field.name === each)!));
  return {
    protocol: protocolFor(shape),
    metadata: {
      id: shape.tableId,
      name,
      format: { provider: "parquet", options: {} },
      schemaString: formatSchema(shape.fields),
      partitionColumns: partitionColumns(definition).map((column) => column.name),
      configuration: { ...shape.configuration, [ownNames.key]: JSON.stringify(physicalKey) },
      createdTime: Date.now(),
    },
  };
}

function configurationOf({ key }: TableDefinition, { deletes, properties }: NewTableOptions) {
  const hasVectors = key.length > 0 && deletes === "vectors";
  return {
    ...initialProperties,
    ...properties,
    ...(hasVectors ? { [propertyNames.deletionVectors]: "true" } : {}),
  };
}
