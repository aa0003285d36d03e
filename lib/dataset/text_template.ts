/**
 * A compact embedding text: what of a record carries meaning, in words a language model knows. It stands beside the text of all
 * labelled columns, which spends most of its length on identifiers and on constants. Pure declaration.
 */

/** What the compact text of a dataset says, in this order. */
export interface TextTemplate {
  /** Travels with every vector; changes whenever the same row would get another text. */
  readonly version: string;
  readonly parts: readonly TemplatePart[];
}

/** One `Label: value, value` part; left out where every value is empty. */
export interface TemplatePart {
  readonly label: string;
  readonly values: readonly TemplateValue[];
  /** Between two values. Default `", "`. */
  readonly separator?: string;
}

/** A value by the lake column it comes from, flattened ones included; left out where there is no such column. */
export type TemplateValue =
  /** As it stands. */
  | { readonly column: string }
  /** The first that is there. */
  | { readonly firstOf: readonly string[] }
  /** A part of a date, or of an instant in UTC. */
  | { readonly column: string; readonly take: TimePart }
  /** The text of the first band that a number is below. */
  | { readonly column: string; readonly bands: readonly Band[]; readonly above: string }
  /** The elements of a JSON document's arrays, `; ` between them: of each the values at these keys. */
  | { readonly column: string; readonly elements: readonly ArrayElements[] };

/** `weekday` is Monday to Sunday; `part of day` night from 0 o'clock, morning from 6, afternoon from 12, evening from 18. */
export type TimePart = "year" | "month" | "weekday" | "part of day";

/** Numbers below a limit (and not below the one before). */
export interface Band {
  readonly below: number;
  readonly text: string;
}

/** An array of a document, and what of each element. */
export interface ArrayElements {
  readonly path: readonly string[];
  readonly keys: readonly string[];
}
