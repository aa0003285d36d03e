/**
 * What of a table can be compared at a point: the columns that the lake has there, under the names that the source has now.
 *
 * The lake hears of columns from row events only, so that it may know a column that was since renamed or dropped, and not one
 * that was since added. An attribute number says which column of the lake is which of the source.
 */
import type { ComparableDataset } from "../../change/source.ts";
import type { Column } from "../../dataset/column.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import type { CatalogueColumn, CatalogueTable } from "./catalogue.ts";
import { lakeNames } from "./lake_names.ts";
import type { RelationVersion, VersionColumn } from "./relation_version.ts";
import { lakeNamed } from "./source_table.ts";
import { lakeType } from "./source_type.ts";

/** A table as three see it. */
export interface SeenTable {
  /** The lake at the point. */
  readonly version: RelationVersion;
  /** The snapshot of the point. */
  readonly then: CatalogueTable;
  /** A statement that is run now, also under that snapshot: it finds columns by the names of today. */
  readonly now: CatalogueTable;
}

/** `dataset` says what is known of a column beside its type; the first of equal names counts. */
export function comparableDataset(dataset: Dataset, { version, then, now }: SeenTable): ComparableDataset {
  const known = (name: string) => dataset.columns.find((column) => column.name === name) ?? { nullable: true };
  const names = lakeNames(now.columns.map(({ name }) => name));
  const readable = now.columns.map((column, index) => ({ column, name: names[index] ?? column.name }))
    .filter(({ column }) => then.columns.some((old) => old.attributeNumber === column.attributeNumber));
  const held = version.columns.map((column) => ({
    column: { ...known(column.name), name: column.name, type: column.type },
    found: readable.find((candidate) => isSame(column, candidate.column))?.column,
    isCertain: column.attributeNumber !== undefined,
  }));
  const taken = new Set(held.map(({ column }) => column.name.toLowerCase()));
  const added = readable
    .filter(({ column, name }) => held.every(({ found }) => found !== column) && !taken.has(name.toLowerCase()))
    .map(({ column, name }) => sourceNamed({ name, type: lakeType(column.sourceType).type, nullable: true }, column));
  const kept = held.flatMap(({ column, found }) => found === undefined ? [] : [sourceNamed(column, found)]);
  // One that may have been dropped as well as renamed is not said to be the lake's: the comparison then refuses to guess.
  const gone = held.filter(({ found, isCertain }) => found === undefined && isCertain).map(({ column }) => column);
  const columns = [...kept, ...added];
  const asked = new Set(columns.map(({ name }) => name));
  // What a transform was told to read goes by the names of today.
  const renamed = readable.filter(({ name }) => !taken.has(name.toLowerCase()) && !asked.has(name))
    .map(({ column, name }) => ({ ...known(name), name, type: lakeType(column.sourceType).type }));
  return {
    atSource: {
      ...dataset,
      source: { namespace: now.namespace, table: now.name },
      columns,
      key: version.key.filter((name) => asked.has(name)),
    },
    inLake: { ...dataset, columns: [...columns, ...gone, ...renamed], key: version.key },
    gone: gone.map(({ name }) => name),
  };
}

function isSame(column: VersionColumn, { name, attributeNumber }: CatalogueColumn): boolean {
  if (column.attributeNumber !== undefined) return column.attributeNumber === attributeNumber;
  return name === (column.sourceName ?? column.name);
}

function sourceNamed(column: Column, { name }: CatalogueColumn): Column {
  const { sourceName: _, ...rest } = column;
  return { ...rest, ...lakeNamed(name, column.name) };
}
