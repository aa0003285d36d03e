/** PostgreSQL's text form of arrays, taken apart in DuckDB SQL (PostgreSQL documentation, "Array Input and Output Syntax"). */
import { type ScalarType } from "../../dataset/column_type.ts";

/** Types whose elements never need quotes, nor hold a comma, brace or backslash. */
const plainKinds: ReadonlySet<ScalarType["kind"]> = new Set([
  "boolean",
  "int32",
  "int64",
  "float32",
  "float64",
  "decimal",
  "date",
]);

/** One element: quoted with backslash escapes, or bare. `(?s:.)` because an escaped newline is a character too. */
const elementPattern = `"(?:[^"\\\\]|\\\\(?s:.))*"|[^",{}]+`;

/** The array without the prefix that tells bounds other than 1 (`[2:3]={…}`). */
export function dimensionless(raw: string): string {
  return `(CASE WHEN starts_with(${raw}, '[') THEN substr(${raw}, strpos(${raw}, '=') + 1) ELSE ${raw} END)`;
}

/** DuckDB expression giving the element texts of a one-dimensional array as VARCHAR[]; an element may be NULL. */
export function arrayElements(raw: string, element: ScalarType): string {
  const flat = dimensionless(raw);
  if (plainKinds.has(element.kind)) {
    const texts = `string_split(substr(${flat}, 2, length(${flat}) - 2), ',')`;
    return `CASE WHEN ${flat} = '{}' THEN []::VARCHAR[] ELSE list_transform(${texts}, lambda item: nullif(item, 'NULL')) END`;
  }
  const unescaped = `regexp_replace(substr(item, 2, length(item) - 2), '\\\\((?s:.))', '\\1', 'g')`;
  return `list_transform(regexp_extract_all(${flat}, '${elementPattern}'), ` +
    `lambda item: CASE WHEN starts_with(item, '"') THEN ${unescaped} ELSE nullif(item, 'NULL') END)`;
}
