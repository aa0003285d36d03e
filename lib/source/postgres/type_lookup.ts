/** Looks types up in `pg_type`: domains down to their base, arrays to their element. */
import type { PostgresConnection } from "./connection.ts";
import type { SourceType } from "./source_type.ts";

/** A type as a column names it. */
export interface TypeReference {
  readonly typeOid: number;
  readonly typeModifier: number;
}

/** A type that is no longer there: its text is kept. */
export const unknownSourceType: SourceType = {
  name: "unknown",
  builtIn: false,
  isArray: false,
  typeModifier: -1,
  isBase: false,
};

/** A domain is followed down to its base type; its own modifier holds where the column has none. */
const typeQuery = `
  WITH RECURSIVE base AS (
    SELECT place, oid, modifier FROM unnest($1::oid[], $2::int4[]) WITH ORDINALITY AS wanted (oid, modifier, place)
    UNION ALL
    SELECT b.place, t.typbasetype, CASE WHEN b.modifier = -1 THEN t.typtypmod ELSE b.modifier END
    FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd'
  )
  SELECT b.place::int4 AS place, coalesce(ed.typname, e.typname, t.typname) AS name, e.oid IS NOT NULL AS is_array,
    coalesce(ed.typnamespace, e.typnamespace, t.typnamespace) = 'pg_catalog'::regnamespace AS built_in,
    coalesce(ed.typtype, e.typtype, t.typtype) = 'b' AS is_base,
    CASE WHEN ed.oid IS NULL THEN b.modifier ELSE e.typtypmod END AS modifier
  FROM base b
  JOIN pg_type t ON t.oid = b.oid AND t.typtype <> 'd'
  LEFT JOIN pg_type e ON e.typarray = t.oid
  LEFT JOIN pg_type ed ON e.typtype = 'd' AND ed.oid = e.typbasetype`;

interface TypeRow {
  readonly place: number;
  readonly name: string;
  readonly is_array: boolean;
  readonly built_in: boolean;
  readonly is_base: boolean;
  readonly modifier: number;
}

/** The types in the order asked for. */
export async function sourceTypesOf(
  connection: PostgresConnection,
  references: readonly TypeReference[],
): Promise<readonly SourceType[]> {
  if (references.length === 0) return [];
  const rows = await connection.rows<TypeRow>(typeQuery, [
    references.map((reference) => reference.typeOid),
    references.map((reference) => reference.typeModifier),
  ]);
  const found = new Map(rows.map((row) => [row.place, row]));
  return references.map((_, index) => {
    const row = found.get(index + 1);
    return row === undefined ? unknownSourceType : {
      name: row.name,
      builtIn: row.built_in,
      isArray: row.is_array,
      typeModifier: row.modifier,
      isBase: row.is_base,
    };
  });
}
