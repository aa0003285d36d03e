/** The SQL of one part of a record's text, and that of a compact template's parts. */
import type { Column } from "../dataset/column.ts";
import type { TemplatePart, TemplateValue, TimePart } from "../dataset/text_template.ts";
import { identifier, literal } from "../engine/quote.ts";
import { shapeSql, structureOf, trimmedSql } from "./document_text.ts";
import type { JsonShape } from "./text_declaration.ts";

/** Between two parts. */
export const separator = ". ";

/** A part of the text, and what the layers below must have computed for it: the document read, then its text. */
export interface PartSql {
  /** Arguments of `concat`, which passes NULL over. */
  readonly pieces: string;
  readonly value?: string;
  readonly parsed?: string;
}

/** What a part stands among. */
export interface TemplateRows {
  readonly columns: readonly Column[];
  /** All parts of the text: a document that several of them take something from is read once. */
  readonly parts: readonly object[];
}

/** A template's part over the columns there are; none where it has no value left. */
export function templatePartSql(part: TemplatePart, rows: TemplateRows): readonly PartSql[] {
  const values = part.values.flatMap((value) => valueSql(value, rows));
  if (values.length === 0) return [];
  const name = identifier(`_text_${part.label}`);
  const parsed = values.flatMap((value) => value.parsed ?? []);
  const texts = values.map(({ text }) => text);
  const joined = texts.length === 1 ? texts[0] : `concat_ws(${literal(part.separator ?? ", ")}, ${texts.join(", ")})`;
  return [{
    pieces: `CASE WHEN ${name} <> '' THEN ${literal(`${separator}${part.label}: `)} END, ${name}`,
    value: `${joined} AS ${name}`,
    ...(parsed.length === 0 ? {} : { parsed: parsed.join(", ") }),
  }];
}

/** A value as text, NULL where it is empty. */
interface ValueSql {
  readonly text: string;
  readonly parsed?: string;
}

function valueSql(value: TemplateValue, rows: TemplateRows): readonly ValueSql[] {
  const found = (name: string) => rows.columns.filter((column) => column.name === name);
  if ("firstOf" in value) {
    const there = value.firstOf.flatMap(found).map(textSql);
    return there.length === 0 ? [] : [{ text: `coalesce(${there.join(", ")})` }];
  }
  return found(value.column).map((column) => {
    const name = identifier(column.name);
    if ("take" in value) return { text: timePartSql[value.take](column) };
    if ("bands" in value) return { text: bandSql(name, value) };
    if ("elements" in value) return elementsSql(value, rows.parts);
    return { text: textSql(column) };
  });
}

function textSql({ name, type }: Column): string {
  const quoted = identifier(name);
  return type.kind === "string" ? `CASE WHEN ${quoted} <> '' THEN ${trimmedSql(quoted)} END` : `${quoted}::VARCHAR`;
}

/**
 * An instant as its time in UTC: DuckDB asks a calendar for the parts of an instant, which took a fifth of a payment's whole text. Not for
 * the year, which the calendar counts in two directions.
 */
function clockSql({ name, type }: Column): string {
  return type.kind === "timestamptz" ? `make_timestamp(epoch_us(${identifier(name)}))` : identifier(name);
}

const timePartSql: Readonly<Record<TimePart, (column: Column) => string>> = {
  year: ({ name }) => `year(${identifier(name)})::VARCHAR`,
  month: (column) => `monthname(${clockSql(column)})`,
  weekday: (column) => `dayname(${clockSql(column)})`,
  "part of day": (column) =>
    `CASE hour(${
      clockSql(column)
    }) // 6 WHEN 0 THEN 'night' WHEN 1 THEN 'morning' WHEN 2 THEN 'afternoon' WHEN 3 THEN 'evening' END`,
};

function bandSql(column: string, { bands, above }: Extract<TemplateValue, { readonly above: string }>): string {
  const cases = bands.map(({ below, text }) => `WHEN ${column} < ${below} THEN ${literal(text)}`);
  return `CASE ${cases.join(" ")} WHEN ${column} IS NOT NULL THEN ${literal(above)} END`;
}

type ElementsValue = Extract<TemplateValue, { readonly elements: unknown }>;

function elementsSql(value: ElementsValue, parts: readonly object[]): ValueSql {
  const document = identifier(value.column);
  const parsed = identifier(`_weir_elements_${value.column}`);
  const all = parts.flatMap((part) => "values" in part ? part.values as TemplatePart["values"] : [])
    .filter((other) => "elements" in other).filter(({ column }) => column === value.column);
  const structure = literal(structureOf(shapeOf(all)));
  return {
    text: shapeSql(parsed, shapeOf([value])),
    // A malformed document would fail the whole statement.
    parsed: `CASE WHEN json_valid(${document}) THEN from_json(${document}, ${structure}) END AS ${parsed}`,
  };
}

function shapeOf(values: readonly ElementsValue[]): JsonShape {
  const arrays = values.flatMap(({ elements }) => elements);
  return { values: [], arrays: arrays.map(({ path, keys }) => ({ path, elements: keys.map((key) => [key]) })) };
}
