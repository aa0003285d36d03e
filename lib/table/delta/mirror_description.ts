/** Schema and rules of a mirror. */
import type { Column } from "../../dataset/column.ts";
import { WeirError } from "../../errors.ts";
import { mirrorOfProperty, type PublishedColumn, type PublishedSnapshot } from "../published_table.ts";
import type { TableDescription } from "./prepared_change.ts";
import { initialProperties, ownNames, propertyNames, retentionProperties } from "./properties.ts";
import { protocolFor } from "./protocol.ts";
import { type DeltaField, deltaType, formatSchema, isMapped, mappedField, needsMapping } from "./schema.ts";
import type { DeltaState } from "./state.ts";

/** What a mirror is made with. */
export interface MirrorPlace {
  readonly namespace: string;
  readonly name: string;
  readonly keepMs: number;
}

/**
 * What a mirror says of itself at a snapshot. Columns are mapped from the first time on that one of them is not called as in the
 * files.
 *
 * @throws {WeirError} `configuration` where two columns differ in upper and lower case alone.
 */
export function describeMirror(place: MirrorPlace, snapshot: PublishedSnapshot, state?: DeltaState): TableDescription {
  const { columns, key, files } = snapshot;
  refuseColumns(place, columns);
  const before = state?.metadata;
  const wasMapped = before !== undefined && isMapped(before);
  const isMappedNow = wasMapped || columns.some(({ name, fileName }) => name !== fileName || needsMapping(name));
  const isMarked = before?.configuration[propertyNames.deletionVectors] === "true" || key.length > 0 ||
    files.values().some(({ deleted }) => deleted !== undefined);
  const physicalKey = key.map((name) => columns.find((column) => column.name === name)!.fileName);
  const fields = columns.map((column) => fieldOf(column, isMappedNow));
  const configuration = {
    ...before?.configuration ?? newConfiguration(place),
    [mirrorOfProperty]: "iceberg",
    [ownNames.key]: JSON.stringify(physicalKey),
    ...(isMarked ? { [propertyNames.deletionVectors]: "true" } : {}),
    ...(isMappedNow ? mappingProperties(snapshot) : {}),
  };
  const metadata = {
    ...before ?? {
      ...{ id: crypto.randomUUID(), name: place.name, format: { provider: "parquet", options: {} } },
      ...{ partitionColumns: [], createdTime: Date.now() },
    },
    schemaString: formatSchema(fields),
    configuration,
  };
  const shape = { tableId: metadata.id, fields, partition: [], configuration };
  return { protocol: protocolFor(shape, state?.protocol), metadata };
}

function mappingProperties({ highestColumnId }: PublishedSnapshot): Record<string, string> {
  return { [propertyNames.mappingMode]: "name", [propertyNames.highestColumnId]: String(highestColumnId) };
}

function fieldOf(column: PublishedColumn, isMappedNow: boolean): DeltaField {
  const { name, type, doc, id, fileName } = column;
  const metadata = doc === undefined ? {} : { comment: doc };
  const field = { name, type: deltaType(type), nullable: true, metadata };
  return isMappedNow ? mappedField(field, { id, physicalName: fileName }) : field;
}

function newConfiguration({ keepMs }: MirrorPlace): Record<string, string> {
  return { ...initialProperties, ...retentionProperties(keepMs) };
}

/** Delta takes upper and lower case of a name for the same. Throws `configuration` naming the column and what to do. */
export function refuseColumns(
  { namespace, name: table }: Pick<MirrorPlace, "namespace" | "name">,
  columns: readonly Pick<Column, "name">[],
): void {
  const seen = new Map<string, string>();
  for (const { name } of columns) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw new WeirError(
        "configuration",
        `Cannot mirror ${namespace}.${table} as Delta: it takes the columns ${other} and ${name} for one`,
        {
          detail: { table: `${namespace}.${table}` },
          advice: "Rename one of the columns at the source, or leave delta out of --mirror",
        },
      );
    }
    seen.set(name.toLowerCase(), name);
  }
}
