/** What an embedding text is made of: derived from a dataset, or from a list of columns for tables nobody declared. */
import type { Dataset } from "../dataset/dataset.ts";
import { type ChildTable, pathsOf } from "../dataset/projection.ts";
import type { TemplatePart } from "../dataset/text_template.ts";

/** What of a JSON column stands in the text, in this order. */
export interface JsonShape {
  /** Scalars: paths from the root, and the column each is projected into. */
  readonly values: readonly { readonly path: readonly string[]; readonly column: string }[];
  /** Arrays, and of each element the scalars as paths from the element. */
  readonly arrays: readonly { readonly path: readonly string[]; readonly elements: readonly (readonly string[])[] }[];
}

/** One `Label: value` part of a single column. */
export interface TextPart {
  readonly column: string;
  readonly label: string;
  /** Set where the column is a JSON document whose shape is known. */
  readonly json?: JsonShape;
}

/** The template of a table's embedding text. */
export interface TextDeclaration {
  /** Travels with every vector; changes whenever the same row would get another text. */
  readonly version: string;
  /** Text of a record whose parts are all empty. */
  readonly emptyText: string;
  readonly parts: readonly (TextPart | TemplatePart)[];
}

/** Which of a dataset's texts: what carries meaning, or every labelled column. */
export type TextForm = (typeof textForms)[number];

/** All forms. */
export const textForms = ["compact", "full"] as const;

/**
 * A dataset's own declaration; undefined where it has none (no `emptyText`, or no column in the text). One without a compact
 * template has its full text only.
 */
export function datasetText(dataset: Dataset, form: TextForm = "compact"): TextDeclaration | undefined {
  const { emptyText, textTemplate } = dataset;
  return form === "compact" && emptyText !== undefined && textTemplate !== undefined
    ? { ...textTemplate, emptyText }
    : fullText(dataset);
}

function fullText(dataset: Dataset): TextDeclaration | undefined {
  const columns = dataset.columns
    .flatMap(({ name, text }) => text === undefined ? [] : [{ name, ...text }])
    .toSorted((left, right) => left.order - right.order);
  if (dataset.emptyText === undefined || columns.length === 0) return undefined;
  return {
    version: dataset.textVersion ?? "1",
    emptyText: dataset.emptyText,
    parts: columns.map(({ name, label }) => {
      const json = jsonShape(dataset, name);
      return { column: name, label, ...(json === undefined ? {} : { json }) };
    }),
  };
}

/**
 * A declaration from column names, each its own label. The version names the columns, so that another choice of columns
 * embeds every row anew.
 *
 * @throws {TypeError} If no column is named, or one twice.
 *
 * @example
 * ```ts
 * import { embedTextFrom } from "./text_declaration.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(embedTextFrom(["name", "notes"]).version, "columns:name,notes");
 * ```
 */
export function embedTextFrom(columns: readonly string[], emptyText = "Empty record"): TextDeclaration {
  if (columns.length === 0) throw new TypeError("Cannot build an embedding text from no columns");
  if (new Set(columns).size < columns.length) throw new TypeError("Cannot use a column twice in one embedding text");
  return {
    version: `${columnsPrefix}${columns.join(",")}`,
    emptyText,
    parts: columns.map((column) => ({ column, label: column })),
  };
}

const columnsPrefix = "columns:";

/** The columns that a version of {@linkcode embedTextFrom} names; undefined for any other version. */
export function recordedColumns(version: string): readonly string[] | undefined {
  return version.startsWith(columnsPrefix) ? version.slice(columnsPrefix.length).split(",") : undefined;
}

/** Every column that a text is made from. A document's values may have been flattened into columns of their own. */
export function textColumns({ parts }: TextDeclaration): readonly string[] {
  return parts.flatMap((part) =>
    "values" in part
      ? part.values.flatMap((value) => "firstOf" in value ? value.firstOf : [value.column])
      : [part.column, ...(part.json?.values ?? []).map((value) => value.column)]
  );
}

function jsonShape(dataset: Dataset, column: string): JsonShape | undefined {
  const values = (dataset.projections ?? [])
    .filter((projection) => projection.from === column && (projection.take ?? "value") === "value")
    .map(({ path, column }) => ({ path, column: column.name }));
  const arrays = (dataset.children ?? []).filter((child) => child.from === column).flatMap(childArrays);
  return values.length + arrays.length === 0 ? undefined : { values, arrays };
}

function childArrays(child: ChildTable): JsonShape["arrays"] {
  return child.arrays.map(({ path, columns }) => ({
    path,
    elements: child.columns.flatMap(({ name }) => {
      const place = columns[name];
      return place !== undefined && "path" in place ? pathsOf(place) : [];
    }),
  }));
}
