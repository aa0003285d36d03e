/** Whether a place in a JSON document has the shape that was declared for it. */
import { jsonPath } from "../dataset/json_path.ts";
import { literal } from "../engine/quote.ts";

/** What is expected at a path. `object` is for array elements. */
export type ExpectedShape = "scalar" | "array" | "object";

/** A place in a document. */
export interface JsonPlace {
  readonly path: readonly string[];
  readonly expected: ExpectedShape;
}

/**
 * A DuckDB expression giving what is wrong with a document at a place, or NULL. Nothing there, or JSON null, is not wrong.
 * The answer names paths and JSON types, never a value.
 */
export function shapeProblemSql(document: string, place: JsonPlace): string {
  const paths = Array.from({ length: place.path.length + 1 }, (_, depth) => jsonPath(place.path.slice(0, depth)));
  const checks = paths.map((path, index) => {
    const expected = index < place.path.length ? "object" : place.expected;
    const message = `${literal(`${path}: expected ${expected}, found `)} || replace(lower(kinds[${
      index + 1
    }]), 'varchar', 'string')`;
    return `WHEN ${isOther(`kinds[${index + 1}]`, expected)} THEN ${message}`;
  });
  const kinds = `json_type(${document}, [${paths.map(literal).join(", ")}])`;
  return `CASE WHEN ${document} IS NULL THEN NULL WHEN NOT json_valid(${document}) THEN 'malformed JSON'
    ELSE list_transform([${kinds}], lambda kinds: CASE ${checks.join(" ")} END)[1] END`;
}

function isOther(kind: string, expected: ExpectedShape): string {
  if (expected === "scalar") return `${kind} IN ('OBJECT', 'ARRAY')`;
  return `${kind} NOT IN (${literal(expected.toUpperCase())}, 'NULL')`;
}
