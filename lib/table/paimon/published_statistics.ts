/** Statistics of files that another format wrote, out of that format's own (Paimon `SimpleStats`). */
import type { ScalarType } from "../../dataset/column_type.ts";
import type { ColumnFacts } from "../published_table.ts";
import { boundValue } from "../single_value.ts";
import { type KeyValue, serializeRow } from "./binary_row.ts";
import type { SimpleStatistics } from "./manifest.ts";
import type { PaimonField } from "./schema.ts";
import { readableBound } from "./statistics.ts";

/** Value statistics of a file, of every column of the schema it is read with. */
export function publishedStatistics(
  fields: readonly PaimonField[],
  facts: (columnId: number) => ColumnFacts,
): SimpleStatistics {
  const types = fields.map(({ type }) => type.kind === "list" ? type.element : type);
  const found = fields.map(({ id }) => facts(id));
  const bounds = (which: "lower" | "upper") =>
    fields.map(({ type }, index) => type.kind === "list" ? null : boundOf(type, found[index]!, which));
  return {
    _MIN_VALUES: serializeRow(types, bounds("lower")),
    _MAX_VALUES: serializeRow(types, bounds("upper")),
    _NULL_COUNTS: found.map(({ nulls }) => nulls ?? null),
  };
}

function boundOf(type: ScalarType, facts: ColumnFacts, which: "lower" | "upper"): KeyValue {
  const bytes = facts[which];
  const isFloat = type.kind === "float32" || type.kind === "float64";
  if (bytes === undefined || !readableBound(type) || type.kind === "binary" || (isFloat && !facts.hasNoNan)) {
    return null;
  }
  if (type.kind === "string") return bytes;
  const value = boundValue(type, bytes);
  switch (type.kind) {
    case "boolean":
      return value === 1;
    case "int64":
    case "decimal":
      return typeof value === "bigint" ? value : null;
    case "int32":
    case "date":
      return value === undefined ? null : Number(value);
    case "float32":
    case "float64":
      // Both zeros are one to some readers and two to others.
      return value === 0 ? (which === "lower" ? -0 : 0) : value as number;
    default:
      return null;
  }
}
