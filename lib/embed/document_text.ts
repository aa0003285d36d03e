/** The text of a JSON document whose shape is declared: its values without keys and brackets, by SQL. */
import { literal } from "../engine/quote.ts";
import type { JsonShape } from "./text_declaration.ts";

/** Values first, then each array's elements, out of a document read as {@linkcode structureOf} says. */
export function shapeSql(document: string, shape: JsonShape): string {
  const field = (from: string, path: readonly string[]) => path.reduce((sql, key) => `${sql}[${literal(key)}]`, from);
  const fields = (from: string, paths: readonly (readonly string[])[]) =>
    paths.map((path) => field(from, path)).join(", ");
  const values = shape.values.length === 0
    ? []
    : [`concat_ws(', ', ${fields(document, shape.values.map(({ path }) => path))})`];
  const arrays = shape.arrays.filter(({ elements }) => elements.length > 0).map(({ path, elements }) => {
    const element = `concat_ws(' ', ${fields("element", elements)})`;
    return `array_to_string(list_transform(${field(document, path)}, lambda element: ${element}), '; ')`;
  });
  return `array_to_string(list_filter([${[...values, ...arrays].join(", ")}], lambda part: part <> ''), '; ')`;
}

/** DuckDB's JSON structure (`from_json`) of the parts of a document that a shape names; every leaf is read as text. */
export function structureOf(shape: JsonShape): string {
  const root: JsonStructure = {};
  for (const { path } of shape.values) place(root, path, "VARCHAR");
  for (const { path } of shape.arrays) {
    const element: JsonStructure = {};
    const all = shape.arrays.filter((other) => JSON.stringify(other.path) === JSON.stringify(path));
    for (const leaf of all.flatMap(({ elements }) => elements)) place(element, leaf, "VARCHAR");
    place(root, path, [element]);
  }
  return JSON.stringify(root);
}

type JsonStructure = { [key: string]: "VARCHAR" | JsonStructure | JsonStructure[] };

function place(into: JsonStructure, path: readonly string[], leaf: "VARCHAR" | JsonStructure[]): void {
  const [key, ...rest] = path;
  if (key === undefined) throw new TypeError("Cannot read a value at the root of a document");
  if (rest.length === 0) return void (into[key] = leaf);
  const held = into[key];
  const branch = typeof held === "object" && !Array.isArray(held) ? held : {};
  into[key] = branch;
  place(branch, rest, leaf);
}

/** DuckDB's `trim` walks through the whole text; most have no space at either end. */
export function trimmedSql(text: string): string {
  return `CASE WHEN starts_with(${text}, ' ') OR ends_with(${text}, ' ') THEN trim(${text}) ELSE ${text} END`;
}
