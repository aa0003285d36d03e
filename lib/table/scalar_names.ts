/** How a format's schema text names scalar types: one name each, and `decimal(p,s)`. */
import { type ScalarType, types } from "../dataset/column_type.ts";

/** A format's name of every scalar type but the decimals. */
export type ScalarNames = Readonly<Record<Exclude<ScalarType["kind"], "decimal">, string>>;

/** The type of a name; undefined for a name that is none of the format's. */
export function scalarNamed(names: ScalarNames, name: string): ScalarType | undefined {
  const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(name);
  if (decimal !== null) return types.decimal(Number(decimal[1]), Number(decimal[2]));
  const known = Object.entries(names).find(([, given]) => given === name);
  return known && { kind: known[0] } as ScalarType;
}
