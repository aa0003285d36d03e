/** What the texts of a user's own types depend on: enum labels and the fields of composite types. */
import type { PostgresConnection } from "./connection.ts";

/** Something in a column's type that the text of its values depends on, and that can change without a row being written. */
export interface TypeForm {
  /** Of the enum value, or of the composite type. */
  readonly oid: number;
  readonly kind: "enum" | "composite";
  /** The enum value's label, or the numbers of the composite type's fields. */
  readonly form: string;
}

/** First oid of what is not PostgreSQL's own (`FirstNormalObjectId`): no type of its own is an enum or changes. */
const firstUserOid = 16_384;

/** Arrays, domains and ranges are followed to what they are made of, composite types to their fields. */
const formQuery = `
  WITH RECURSIVE parts AS (
    SELECT type AS root, type FROM unnest($1::oid[]) AS given (type)
    UNION
    SELECT p.root, part.type FROM parts p JOIN pg_type t ON t.oid = p.type CROSS JOIN LATERAL (
      SELECT t.typelem AS type UNION ALL SELECT t.typbasetype
      UNION ALL SELECT r.rngsubtype FROM pg_range r
        WHERE t.oid IN (r.rngtypid, (to_jsonb(r) ->> 'rngmultitypid')::oid)
      UNION ALL SELECT a.atttypid FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS part
    WHERE part.type >= ${firstUserOid}
  )
  SELECT p.root::int8::text AS root, e.oid::int8::text AS oid, 'enum' AS kind, e.enumlabel::text AS form
  FROM parts p JOIN pg_enum e ON e.enumtypid = p.type
  UNION
  SELECT p.root::int8::text, t.oid::int8::text, 'composite',
    (SELECT string_agg(a.attnum::text, ',' ORDER BY a.attnum) FROM pg_attribute a
     WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
  FROM parts p JOIN pg_type t ON t.oid = p.type AND t.typtype = 'c'
  ORDER BY 1, 2`;

interface FormRow {
  readonly root: string;
  readonly oid: string;
  readonly kind: TypeForm["kind"];
  readonly form: string | null;
}

/** The forms that each of some types depends on; types that depend on none are left out. */
export async function typeFormsOf(
  connection: PostgresConnection,
  typeOids: readonly number[],
): Promise<ReadonlyMap<number, readonly TypeForm[]>> {
  const own = [...new Set(typeOids)].filter((oid) => oid >= firstUserOid);
  if (own.length === 0) return new Map();
  const forms = new Map<number, TypeForm[]>();
  for (const { root, oid, kind, form } of await connection.rows<FormRow>(formQuery, [own])) {
    const held = forms.get(Number(root)) ?? [];
    held.push({ oid: Number(oid), kind, form: form ?? "" });
    forms.set(Number(root), held);
  }
  return forms;
}
