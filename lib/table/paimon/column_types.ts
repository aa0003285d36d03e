/** Our column types as Paimon's schema files spell them (Paimon `DataTypeJsonParser`), there and back. */
import type { ColumnType, ScalarType } from "../../dataset/column_type.ts";

/** A type as it stands in a schema file: text, or an object for nested types. */
export type PaimonType = string | { readonly type: string; readonly element: PaimonType };

const names: Readonly<Record<Exclude<ScalarType["kind"], "decimal">, string>> = {
  boolean: "BOOLEAN",
  int32: "INT",
  int64: "BIGINT",
  float32: "FLOAT",
  float64: "DOUBLE",
  string: "STRING",
  binary: "BYTES",
  date: "DATE",
  timestamp: "TIMESTAMP(6)",
  timestamptz: "TIMESTAMP(6) WITH LOCAL TIME ZONE",
};

/**
 * The type as a schema file holds it.
 *
 * @example
 * ```ts
 * import { toPaimonType } from "./column_types.ts";
 * import { types } from "../../dataset/column_type.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(toPaimonType(types.decimal(12, 2), false), "DECIMAL(12, 2) NOT NULL");
 * assert.deepEqual(toPaimonType(types.list(types.float32), true), { type: "ARRAY", element: "FLOAT" });
 * ```
 */
export function toPaimonType(type: ColumnType, nullable: boolean): PaimonType {
  const suffix = nullable ? "" : " NOT NULL";
  if (type.kind === "list") return { type: `ARRAY${suffix}`, element: toPaimonType(type.element, true) };
  if (type.kind === "decimal") return `DECIMAL(${type.precision}, ${type.scale})${suffix}`;
  return names[type.kind] + suffix;
}

/**
 * Reads what {@linkcode toPaimonType} wrote.
 *
 * @throws {RangeError} For a type that no table of ours has.
 */
export function fromPaimonType(written: unknown): { readonly type: ColumnType; readonly nullable: boolean } {
  if (typeof written === "object" && written !== null) {
    const { type, element } = written as { type?: unknown; element?: unknown };
    const of = fromPaimonType(element).type;
    if (typeof type !== "string" || !/^ARRAY( NOT NULL)?$/.test(type) || of.kind === "list") {
      throw new RangeError("Cannot read a nested type other than a list of scalars");
    }
    return { type: { kind: "list", element: of }, nullable: type === "ARRAY" };
  }
  const text = String(written);
  const nullable = !text.endsWith(" NOT NULL");
  return { type: scalarType(nullable ? text : text.slice(0, -" NOT NULL".length)), nullable };
}

function scalarType(text: string): ScalarType {
  const decimal = /^DECIMAL\((\d+), ?(\d+)\)$/.exec(text);
  if (decimal) return { kind: "decimal", precision: Number(decimal[1]), scale: Number(decimal[2]) };
  const found = Object.entries(names).find(([, name]) => name === text);
  if (found === undefined) throw new RangeError(`Cannot read the column type ${text}`);
  return { kind: found[0] as keyof typeof names };
}
