/** Column metrics of data files (Iceberg spec, "Manifests", fields 108–128) from DuckDB's statistics. */
import type { DataFile } from "../data_file.ts";
import { lowerBound, upperBound } from "./bounds.ts";
import type { ByColumn, FileRecord } from "./manifest.ts";
import { columnType, type IcebergSchema } from "./schema.ts";

/** The metrics fields of a file record. */
export type Metrics = Pick<
  FileRecord,
  "column_sizes" | "value_counts" | "null_value_counts" | "nan_value_counts" | "lower_bounds" | "upper_bounds"
>;

type Mutable<T> = { key: number; value: T }[];

/** Metrics of a file. Lists have a size only: counts and bounds of their elements say nothing about rows. */
export function metricsOf(file: DataFile, schema: IcebergSchema): Metrics {
  const sizes: Mutable<bigint> = [];
  const [values, nulls, nans]: [Mutable<bigint>, Mutable<bigint>, Mutable<bigint>] = [[], [], []];
  const [lower, upper]: [Mutable<Uint8Array>, Mutable<Uint8Array>] = [[], []];
  for (const { id, name, type: icebergType } of schema.fields) {
    const isList = typeof icebergType !== "string";
    const statistics = file.statistics.get(isList ? `${name}.element` : name);
    if (statistics === undefined) continue;
    sizes.push({ key: isList ? icebergType["element-id"] : id, value: statistics.bytes });
    const type = columnType(icebergType);
    if (type.kind === "list") continue;
    values.push({ key: id, value: file.rows });
    nulls.push({ key: id, value: statistics.nulls });
    if (statistics.hasNan === false) nans.push({ key: id, value: 0n });
    const bounds = [
      [lower, statistics.min === undefined ? undefined : lowerBound(type, statistics.min)],
      [upper, statistics.max === undefined ? undefined : upperBound(type, statistics.max)],
    ] as const;
    for (const [into, bound] of bounds) if (bound !== undefined) into.push({ key: id, value: bound });
  }
  return {
    column_sizes: sizes,
    value_counts: values,
    null_value_counts: nulls,
    nan_value_counts: nans,
    lower_bounds: lower,
    upper_bounds: upper,
  };
}

/** A column's entry in one of the maps. */
export function ofColumn<T>(map: ByColumn<T> | null, fieldId: number): T | undefined {
  return map?.find(({ key }) => key === fieldId)?.value;
}
