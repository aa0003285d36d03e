/** The tables of an open lake by their names, and which format is read where a table stands in several. */
import { formatPosition, type Position } from "../change/position.ts";
import type { Column } from "../dataset/column.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier as quoted } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import type { LakeView } from "../query/lake.ts";
import type { DamagedTable, TableFolder } from "../query/lake_folders.ts";
import { nearest } from "../settings/nearest.ts";
import { asSql, type InSql, SqlPart } from "./sql_part.ts";
import type { StatementParts } from "./statement_parts.ts";

/** Formats in the order in which a table that stands in several is looked for. */
export const formatOrder: readonly TableFolder["format"][] = ["iceberg", "paimon", "delta"];

/** A table of an open lake. It can be put into SQL. */
export interface TableInLake extends InSql, TableFolder {
  readonly columns: readonly Column[];
  /** The snapshot that is read; absent where the table has never had a row. */
  readonly snapshotId?: bigint;
  /** The source position that it shows. */
  readonly position?: Position;
  /** Every format that the table stands in; `format` is the one that is read. */
  readonly formats: readonly TableFolder["format"][];
}

/** Which of several formats. */
export interface FormatChoice {
  /** Default: the first that there is of those that the lake was opened with, in their order. */
  readonly format?: TableFolder["format"] | undefined;
}

const engineSchemas: ReadonlySet<string> = new Set(["information_schema", "pg_catalog"]);

/** Tables by name. */
export class LakeTables {
  /** One of each name, in the format that its name alone stands for. */
  readonly named: readonly TableInLake[];
  /** Those that cannot be read: a sentence on each. */
  readonly notes: readonly string[];
  readonly #all: readonly TableInLake[];
  readonly #damaged: readonly DamagedTable[];

  constructor(
    views: readonly LakeView[],
    { formats: order, damaged = [] }: {
      readonly formats: readonly TableFolder["format"][];
      readonly damaged?: readonly DamagedTable[];
    },
  ) {
    this.#damaged = damaged;
    this.notes = damaged.map((table) => `Left out: the ${damageOf(table).message}`);
    const rank = ({ format }: LakeView) => order.indexOf(format);
    const sorted = views.toSorted((left, right) => rank(left) - rank(right));
    this.#all = sorted.map((view) => tableOf(view, sorted.filter((other) => nameOf(other) === nameOf(view))));
    this.named = this.#all.filter(({ format, formats }) => format === formats[0])
      .toSorted((left, right) => nameOf(left) < nameOf(right) ? -1 : 1);
  }

  /**
   * A table by its name, with its namespace or, where there is only one of it, without.
   *
   * Throws `configuration` with the nearest name where there is no such table, or not in that format, `tableUnreadable` with the reason
   * where it is damaged.
   */
  find(name: string, { format }: FormatChoice = {}): TableInLake {
    const isCalled = (table: TableFolder) => nameOf(table) === name || table.name === name;
    const found = this.named.filter(isCalled);
    const [table, other] = found;
    const damaged = this.#damaged.find((each) => isCalled(each) && (format === undefined || each.format === format));
    if (damaged !== undefined && (format !== undefined || table === undefined)) throw damageOf(damaged);
    if (table === undefined) throw this.#unknown(name);
    if (other !== undefined) {
      throw new WeirError("configuration", `${name} may be ${found.map(nameOf).join(" or ")}`, {
        advice: "Name the table with its namespace",
      });
    }
    const chosen = this.#all.find((each) => nameOf(each) === nameOf(table) && each.format === (format ?? table.format));
    if (chosen !== undefined) return chosen;
    throw new WeirError("configuration", `${nameOf(table)} is no ${format} table here`, {
      advice: `It can be read as ${table.formats.join(" or ")}`,
    });
  }

  /** Makes a view of each table under its own name: `payments.transactions` beside `iceberg_payments.transactions`. */
  async nameIn(connection: Connection): Promise<void> {
    const taken = new Set(this.#all.map((table) => table[asSql].text));
    for (const { namespace, name, [asSql]: { text } } of this.named) {
      // Left to their longer names: what DuckDB keeps for itself, and what is another table's longer name.
      if (engineSchemas.has(namespace) || taken.has(`${quoted(namespace)}.${quoted(name)}`)) continue;
      // A schema may be called as one of the engine's catalogues: `temp`.
      const schema = `memory.${quoted(namespace)}`;
      await connection.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await connection.run(`CREATE OR REPLACE VIEW ${schema}.${quoted(name)} AS SELECT * FROM ${text}`);
    }
  }

  /** Why a statement that names a damaged table cannot be run; undefined where it names none. */
  damageNamed({ tables }: StatementParts): WeirError | undefined {
    const damaged = this.#damaged.find((table) => {
      const isReadOtherwise = this.named.some((other) => nameOf(other) === nameOf(table));
      const namespaces = [`${table.format}_${table.namespace}`, ...isReadOtherwise ? [] : [table.namespace]];
      return tables.some(({ namespace, name }) => name === table.name && namespaces.includes(namespace));
    });
    return damaged && damageOf(damaged);
  }

  #unknown(name: string): WeirError {
    const names = this.named.map(nameOf);
    const meant = nearest(name, names);
    const known = names.length === 0 ? "The lake has no tables yet" : `It has ${names.join(", ")}`;
    return new WeirError("configuration", `The lake has no table ${name}`, {
      advice: meant === undefined ? known : `Did you mean ${meant}?`,
    });
  }
}

/** Tables as rows to look at. */
export const tableColumns = [
  ["table", "VARCHAR"],
  ["format", "VARCHAR"],
  ["also_as", "VARCHAR"],
  ["columns", "INTEGER"],
  ["snapshot_id", "BIGINT"],
  ["position", "VARCHAR"],
] as const;

/** A row of {@linkcode tableColumns}. */
export function tableRow({ columns, ...table }: TableInLake): readonly unknown[] {
  const { format, formats, snapshotId = null, position } = table;
  const others = formats.filter((other) => other !== format).join(", ");
  return [nameOf(table), format, others, columns.length, snapshotId, position ? formatPosition(position) : null];
}

function nameOf({ namespace, name }: Pick<TableFolder, "namespace" | "name">): string {
  return `${namespace}.${name}`;
}

function damageOf({ format, error, ...table }: DamagedTable): WeirError {
  const { message, detail, advice } = error;
  return new WeirError("tableUnreadable", `${format} table ${nameOf(table)} is damaged: ${message}`, {
    detail: { table: nameOf(table), ...detail },
    cause: error,
    advice,
  });
}

function tableOf(view: LakeView, same: readonly LakeView[]): TableInLake {
  const { format, namespace, name, columns, snapshotId, position } = view;
  return {
    ...{ format, namespace, name, columns },
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(position === undefined ? {} : { position }),
    formats: same.map((other) => other.format),
    [asSql]: new SqlPart([view.view]),
  };
}
