/**
 * The row text of a scalar inside a JSON document, from the scalar's own text. The spellings that count as a value are those
 * of the transforms; the check is made before the cast, because in PostgreSQL a failing cast fails the statement.
 */
import type { ScalarType } from "../../dataset/column_type.ts";
import { literal } from "../../engine/quote.ts";
import { acceptedSql, scalarText } from "./value_text_sql.ts";

const number = String.raw`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`;
const date = "(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";
const time = String.raw`([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6}0*)?)?`;
const zone = "(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)";

const integerBounds = { int32: ["-2147483648", "2147483647"], int64: ["-9223372036854775808", "9223372036854775807"] };

/** Smallest and largest finite magnitudes but 0 (IEEE 754): PostgreSQL fails for others. */
const floatBounds = { float32: ["1.4e-45", "3.4028235e38"], float64: ["4.95e-324", "1.7976931348623157e308"] };

/**
 * SQL giving the row text of a JSON scalar, or NULL where the type cannot hold it. `text` is the scalar's text, never NULL.
 *
 * @throws {RangeError} If no JSON scalar is of the type: binary.
 */
export function jsonScalarText(text: string, type: ScalarType): string {
  switch (type.kind) {
    case "string":
      return text;
    case "boolean":
      return `CASE ${text} WHEN 'true' THEN 't' WHEN 'false' THEN 'f' END`;
    case "binary":
      throw new RangeError("Cannot read a JSON scalar as binary");
    case "date":
      return spelledDate(text, { spelling: `^${date}$`, type, value: text });
    case "timestamp":
      return spelledDate(text, { spelling: `^${date}([T ]${time})?$`, type, value: text });
    case "timestamptz": {
      // An instant without a zone is one in UTC.
      const instant = `(${text} || CASE WHEN ${text} ~ ${
        literal(`${zone}$`)
      } AND length(${text}) > 10 THEN '' ELSE 'Z' END)`;
      return spelledDate(text, { spelling: `^${date}([T ]${time}${zone}?)?$`, type, value: instant });
    }
    default:
      return `CASE WHEN ${text} ~ ${literal(number)} THEN CASE WHEN ${numberFits(`${text}::numeric`, type)} ` +
        `THEN ${numberText(text, type)} END END`;
  }
}

function spelledDate(
  text: string,
  options: { readonly spelling: string; readonly type: ScalarType; readonly value: string },
): string {
  const part = (from: number, length: number) => `substr(${text}, ${from}, ${length})::int`;
  // The 30th of a month that has none falls into the next one.
  const falls = `(make_date(${part(1, 4)}, ${part(6, 2)}, 1) + (${part(9, 2)} - 1))`;
  return `CASE WHEN ${text} ~ ${literal(options.spelling)} THEN ` +
    `CASE WHEN extract(month FROM ${falls}) = ${part(6, 2)} THEN ${typedText(options)} END END`;
}

function typedText({ type, value }: { readonly type: ScalarType; readonly value: string }): string {
  const typed = `(${value})::${type.kind}`;
  // An offset can move an instant out of the years that the lake holds.
  return `CASE WHEN ${acceptedSql(typed, type)} THEN ${scalarText(typed, type)} END`;
}

function numberFits(number: string, type: ScalarType): string {
  if (type.kind === "int32" || type.kind === "int64") {
    const [low, high] = integerBounds[type.kind];
    return `${number} = trunc(${number}) AND ${number} BETWEEN ${low} AND ${high}`;
  }
  if (type.kind === "float32" || type.kind === "float64") {
    const [low, high] = floatBounds[type.kind];
    return `${number} = 0 OR abs(${number}) BETWEEN ${low}::numeric AND ${high}::numeric`;
  }
  return acceptedSql(number, type) ?? "true";
}

function numberText(text: string, type: ScalarType): string {
  if (type.kind === "int32" || type.kind === "int64") return `trunc(${text}::numeric)::bigint::text`;
  // A float from the text itself: numeric has no -0.
  return scalarText(`(${text})${type.kind === "decimal" ? "::numeric" : ""}`, type);
}
