/**
 * From a scalar's text in a JSON document to a typed value, or NULL where the type cannot hold it exactly.
 *
 * DuckDB's casts are no check: '1.239' as DECIMAL(10,2) is 1.24, '1.5' as INTEGER is 2, '0x10' is 16, '1e999' as DOUBLE is
 * infinity and '0044-03-15 BC' as DATE is 44 AD. So a text is cast only when it is spelled as its type allows.
 */
import { type ColumnType, duckdbType } from "../dataset/column_type.ts";
import { literal } from "../engine/quote.ts";

const date = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
/** ISO 8601 with at most microseconds, the finest a lake type holds; trailing zeros lose nothing. */
const time = String.raw`[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?`;
const zone = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)?";
const number = String.raw`-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`;

/**
 * A DuckDB expression. `text` must be cheap to repeat (a column or a list element). An instant without a zone is read as UTC.
 *
 * @throws {TypeError} If the type is no JSON scalar: binary or list.
 */
export function scalarSql(text: string, type: ColumnType): string {
  switch (type.kind) {
    case "string":
      return text;
    case "boolean":
      return `CASE ${text} WHEN 'true' THEN true WHEN 'false' THEN false END`;
    case "int32":
    case "int64":
    case "decimal":
      return exactSql(text, type);
    case "float32":
    case "float64":
      return `list_transform([${
        castWhere(text, { type, spelling: number })
      }], lambda value: CASE WHEN isfinite(value) THEN value END)[1]`;
    case "date":
      return castWhere(text, { type, spelling: date });
    case "timestamp":
      return castWhere(text, { type, spelling: `${date}([T ]${time})?` });
    case "timestamptz":
      return castWhere(text, { type, spelling: `${date}([T ]${time}${zone})?` });
    default:
      throw new TypeError(`Cannot read a JSON scalar as ${duckdbType(type)}`);
  }
}

/**
 * A DuckDB expression for a text that is most likely spelled without an exponent. NULL for others too, though the type may hold
 * them: who finds a text without a value asks {@linkcode scalarSql}, which is ten times as long.
 *
 * @throws {TypeError} As `scalarSql`.
 */
export function plainScalarSql(text: string, type: ColumnType): string {
  const exact = exactness(type);
  return exact === undefined ? scalarSql(text, type) : castWhere(text, { type, spelling: exactSpelling(exact) });
}

function castWhere(text: string, options: { readonly type: ColumnType; readonly spelling: string }): string {
  const { type, spelling } = options;
  return `CASE WHEN regexp_full_match(${text}, ${literal(spelling)}) THEN TRY_CAST(${text} AS ${duckdbType(type)}) END`;
}

interface Digits {
  readonly precision: number;
  readonly scale: number;
}

/** The digits of a type that holds numbers exactly. */
function exactness(type: ColumnType): Digits | undefined {
  if (type.kind === "int32") return { precision: 10, scale: 0 };
  if (type.kind === "int64") return { precision: 19, scale: 0 };
  return type.kind === "decimal" ? type : undefined;
}

/** A number without an exponent all of whose digits fit. */
function exactSpelling({ precision, scale }: Digits): string {
  const fraction = scale === 0 ? String.raw`(\.0+)?` : String.raw`(\.[0-9]{1,${scale}}0*)?`;
  return `-?0*[0-9]{1,${Math.max(precision - scale, 1)}}${fraction}`;
}

/** What is not spelled plainly may have an exponent, and is written out first. */
function exactSql(text: string, type: ColumnType): string {
  const spelling = exactSpelling(exactness(type)!);
  const parts = String.raw`^(-?)([0-9]+)[.]?([0-9]*)[eE]([+-]?[0-9]{1,3})$`;
  return `CASE WHEN regexp_full_match(${text}, ${literal(spelling)}) THEN TRY_CAST(${text} AS ${duckdbType(type)})
    WHEN regexp_matches(${text}, ${literal(parts)}) THEN
    list_transform([${writtenOutSql(`regexp_extract(${text}, ${literal(parts)}, ['sign', 'whole', 'part', 'power'])`)}],
      lambda written: ${castWhere("written", { type, spelling })})[1] END`;
}

/**
 * A number in scientific notation without its exponent: the digits, with the point moved by the power of ten. The lambda's parameter
 * is called as no lake column is: DuckDB takes `n.whole` for a field of a column `n`.
 */
function writtenOutSql(parts: string): string {
  const digits = "(_weir_number.whole || _weir_number.part)";
  const shift = "(_weir_number.power::INTEGER - strlen(_weir_number.part)::INTEGER)";
  const padded = `lpad(${digits}, greatest(strlen(${digits})::INTEGER, 1 - ${shift}), '0')`;
  const moved = `left(${padded}, strlen(${padded})::INTEGER + ${shift}) || '.' || right(${padded}, -${shift})`;
  return `list_transform([${parts}],
    lambda _weir_number: _weir_number.sign || CASE WHEN ${shift} >= 0 THEN ${digits} || repeat('0', ${shift}) ELSE ${moved} END)[1]`;
}
