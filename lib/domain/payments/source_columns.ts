/** A short form for the columns of our own source tables: the lake type and the place in the text follow from it. */
import type { Column } from "../../dataset/column.ts";
import { type ScalarType, types } from "../../dataset/column_type.ts";

/** A column as the contract's table has it. Nullable unless `required`. */
export interface SourceColumn {
  readonly name: string;
  /** PostgreSQL type. */
  readonly sourceType: string;
  readonly doc: string;
  /** Label in the embedding text, where the column is part of it. Columns stand in the text in declared order. */
  readonly label?: string;
  readonly required?: true;
  readonly indexed?: true;
  readonly personal?: true;
  /** Other names a sender may use. */
  readonly aliases?: readonly string[];
  /** Default expression. */
  readonly default?: string;
}

/** Lake types of the PostgreSQL types used here; JSON and uuid travel as text (design §5). */
const lakeTypes: Readonly<Record<string, ScalarType>> = {
  bigint: types.int64,
  integer: types.int32,
  date: types.date,
  timestamptz: types.timestamptz,
  jsonb: types.string,
  uuid: types.string,
  varchar: types.string,
};

/**
 * Columns of a dataset.
 *
 * @throws {RangeError} If a source type has no lake type here.
 */
export function sourceColumns(declared: readonly SourceColumn[]): readonly Column[] {
  const labels = declared.flatMap((column) => column.label ?? []);
  return declared.map(({ label, required, default: sourceDefault, ...column }) => {
    const type = lakeTypes[column.sourceType.replace(/\(.*/, "")];
    if (type === undefined) {
      throw new RangeError(`Cannot declare ${column.name}: no lake type for ${column.sourceType}`);
    }
    return {
      ...column,
      type,
      nullable: required !== true,
      ...(sourceDefault === undefined ? {} : { sourceDefault }),
      ...(label === undefined ? {} : { text: { label, order: labels.indexOf(label) + 1 } }),
    };
  });
}
