/**
 * The text of one source value in PostgreSQL SQL, by the lake type it travels to: the source side of the table in
 * `verify/row_text.ts`.
 */
import type { ColumnType, ScalarType } from "../../dataset/column_type.ts";

/** A value's text as SQL. */
export interface ValueText {
  /** Text of the value, or NULL for NULL and for what the lake cannot hold. */
  readonly text: string;
  /** Boolean: the source holds a value here. */
  readonly present: string;
  /** False where `text` is never NULL for a present value. */
  readonly fallible: boolean;
}

/** What the policy for special values depends on. */
export interface ValueLimits {
  /** Bytes of a value's output text above which it is refused. */
  readonly maxValueBytes: number;
}

/** Days and microseconds from 1970-01-01, the epoch of the row text, to 2000-01-01, PostgreSQL's. */
const postgresEpochMicroseconds = "946684800000000";

/** The text of a value of any source type that travels as `type`. `value` is a PostgreSQL expression. */
export function valueText(value: string, type: ColumnType, limits: ValueLimits): ValueText {
  // Not IS NOT NULL: a composite value whose fields are all NULL is itself not NULL.
  const present = `(${value} IS DISTINCT FROM NULL)`;
  if (type.kind === "list") return { text: listText(value, type.element, limits), present, fallible: true };
  const text = scalarText(value, type);
  if (type.kind === "string" || type.kind === "binary") {
    const fits = `${textBytes(value, type)} <= ${limits.maxValueBytes}`;
    return { text: `CASE WHEN ${present} AND ${fits} THEN ${text} END`, present, fallible: true };
  }
  const holds = acceptedSql(value, type);
  if (holds === undefined) return { text: `CASE WHEN ${present} THEN ${text} END`, present, fallible: false };
  return { text: `CASE WHEN ${holds} THEN ${text} END`, present, fallible: true };
}

/** A frame (see `verify/row_text.ts`) around a text. */
export function framed(text: string): string {
  return `coalesce(length(${text}) || ':' || (${text}), '-')`;
}

/** The text of an accepted, present value. */
export function scalarText(value: string, type: ScalarType): string {
  switch (type.kind) {
    case "boolean":
      return `(CASE WHEN ${value} THEN 't' ELSE 'f' END)`;
    case "float32":
      return `(CASE WHEN ${value}::real = 'NaN' THEN 'nan' ELSE encode(float4send(${value}::real), 'hex') END)`;
    case "float64":
      return `(CASE WHEN ${value}::float8 = 'NaN' THEN 'nan' ELSE encode(float8send(${value}::float8), 'hex') END)`;
    case "decimal":
      return decimalText(value, type);
    case "binary":
      return `md5(${value})`;
    case "date":
      return `(${value}::date - date '1970-01-01')::text`;
    case "timestamp":
      return microseconds(`timestamp_send(${value}::timestamp)`);
    case "timestamptz":
      return microseconds(`timestamptz_send(${value}::timestamptz)`);
    default:
      // concat prints with the type's output function; a cast to text would trim char(n) and add a mask to inet.
      return `concat(${value})`;
  }
}

/** Whether the lake type can hold a value; NULL or false: it cannot. Undefined: it always can. */
export function acceptedSql(value: string, type: ScalarType): string | undefined {
  switch (type.kind) {
    case "decimal": {
      const integerDigits = type.precision - type.scale;
      return `(${value}::numeric <> 'NaN' AND ${value}::numeric = round(${value}::numeric, ${type.scale}) ` +
        `AND abs(${value}::numeric) < 1e${integerDigits}::numeric)`;
    }
    case "date":
    case "timestamp":
      return `(${value} >= '0001-01-01' AND ${value} < '10000-01-01')`;
    case "timestamptz":
      return `(${value} >= '0001-01-01 00:00:00+00' AND ${value} < '10000-01-01 00:00:00+00')`;
    default:
      return undefined;
  }
}

/** Text with exactly the type's fraction digits; no digit before the point where every digit is a fraction digit. */
function decimalText(value: string, type: { readonly precision: number; readonly scale: number }): string {
  const text = `round(${value}::numeric, ${type.scale})::text`;
  return type.precision === type.scale ? `regexp_replace(${text}, '^(-?)0\\.', '\\1.')` : text;
}

/** The send functions give microseconds since 2000-01-01 exactly; `extract(epoch …)` is a double before version 14. */
function microseconds(sent: string): string {
  return `(('x' || encode(${sent}, 'hex'))::bit(64)::bigint + ${postgresEpochMicroseconds})::text`;
}

function textBytes(value: string, type: ScalarType): string {
  // bytea prints as `\x` and two hex digits a byte.
  return type.kind === "binary" ? `(octet_length(${value}) * 2::bigint + 2)` : `octet_length(concat(${value}))`;
}

/** A list is refused whole where an element is: half a list would look like a right one. */
function listText(value: string, type: ScalarType, limits: ValueLimits): string {
  // A vector (pgvector) is no array until it is cast to one; to an array of real the cast does nothing.
  const list = type.kind === "float32" ? `${value}::real[]` : value;
  const present = "element IS DISTINCT FROM NULL";
  // An aggregate's argument is computed for every element, so the refused ones are kept from it by a CASE of their own.
  const accepted = `${present} AND ${acceptedSql("element", type) ?? "true"}`;
  const text = framed(`CASE WHEN ${accepted} THEN ${scalarText("element", type)} END`);
  const elements = `SELECT CASE WHEN bool_and((${accepted}) IS TRUE OR NOT (${present})) IS NOT FALSE THEN ` +
    `count(*) || '[' || coalesce(string_agg(${text}, '' ORDER BY position), '') END ` +
    // Not in FROM, where elements of a composite type would become a column a field.
    `FROM (SELECT unnest(${list}) AS element, generate_subscripts(${list}, 1) AS position) AS elements`;
  const holds = `${list} IS NOT NULL AND coalesce(array_ndims(${list}), 1) = 1 ` +
    `AND octet_length(concat(${list})) <= ${limits.maxValueBytes}`;
  return `CASE WHEN ${holds} THEN (${elements}) END`;
}
