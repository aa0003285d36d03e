/**
 * What `pg_catalog` says of tables: columns with attribute numbers, key, and the marks by which a rewrite is noticed.
 *
 * The Relation messages of the stream carry neither attribute numbers nor defaults (design §10), so both sides of every
 * schema decision are read here.
 */
import type { PostgresConnection } from "./connection.ts";
import type { SourceType } from "./source_type.ts";
import { type TypeForm, typeFormsOf } from "./type_forms.ts";
import { sourceTypesOf, unknownSourceType } from "./type_lookup.ts";

/** One live column. */
export interface CatalogueColumn {
  readonly name: string;
  /** Number within the table; never used again, so it follows a column through renames. */
  readonly attributeNumber: number;
  readonly typeOid: number;
  readonly typeModifier: number;
  readonly notNull: boolean;
  /** Rows from before the column was added hold its default without having been written (`atthasmissing`). */
  readonly filledIn: boolean;
  readonly hasDefault: boolean;
  /** `s` stored, `v` virtual, or empty. */
  readonly generated: string;
  /** Transaction that last changed the column's definition: `ALTER … TYPE` changes it even to the same type. */
  readonly changedBy: string;
  readonly sourceType: SourceType;
}

/** An index that can tell rows apart, and the names of its columns. */
export interface CatalogueKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isPrimary: boolean;
  readonly isReplicaIdentity: boolean;
}

/** One table. */
export interface CatalogueTable {
  readonly oid: number;
  readonly namespace: string;
  readonly name: string;
  /** `r` ordinary, `p` partitioned, else not to be captured. */
  readonly kind: string;
  /** `p` permanent, `u` unlogged, `t` temporary. */
  readonly persistence: string;
  /** `d` default, `n` nothing, `f` full, `i` index. */
  readonly replicaIdentity: string;
  /** Row security thins out what this user sees. */
  readonly rowSecurity: boolean;
  readonly maySelect: boolean;
  readonly mayAlter: boolean;
  /** Of the partitioned tables that it is a table partition of, at every depth: their changes are its own. */
  readonly ancestors: readonly number[];
  /** Its primary key is checked at the end of a transaction, so that it cannot name rows before. */
  readonly keyIsDeferred: boolean;
  /** File the rows stand in; a rewrite of the table, also VACUUM FULL and TRUNCATE, gives it another. */
  readonly fileNode: string;
  /** Columns in attribute order; dropped ones are left out. */
  readonly columns: readonly CatalogueColumn[];
  /** Whether a column was ever dropped: attribute numbers then have gaps. */
  readonly hasDropped: boolean;
  readonly keys: readonly CatalogueKey[];
  /** Of a partitioned table. */
  readonly leaves: readonly CatalogueLeaf[];
  /** Of every enum and composite type that its columns' types are made of. */
  readonly typeForms: readonly TypeForm[];
}

/** A table partition that holds rows. */
export interface CatalogueLeaf {
  readonly oid: number;
  readonly fileNode: string;
  readonly name: string;
  readonly isLogged: boolean;
  readonly maySelect: boolean;
  /** Made as a partition, and so empty; one that was attached may have brought rows that no row event speaks of. */
  readonly madeInPlace: boolean;
}

/** A table's row type is made with it and stays, so it tells which transaction made the table. */
const tableQuery = `
  SELECT c.oid::int8::text AS oid, n.nspname AS namespace, c.relname AS name, c.relkind::text AS kind,
    c.relpersistence::text AS persistence, c.relreplident::text AS replica_identity,
    row_security_active(c.oid) AS row_security,
    ARRAY(SELECT a.relid::oid::int8::text FROM pg_partition_ancestors(c.oid) a WHERE a.relid <> c.oid) AS ancestors,
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND NOT i.indimmediate) AS key_is_deferred,
    has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS may_select,
    pg_has_role(c.relowner, 'USAGE') AS may_alter,
    coalesce(pg_relation_filenode(c.oid)::text, '') AS file_node,
    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attisdropped) AS has_dropped,
    (SELECT coalesce(json_agg(json_build_object(
        'name', (SELECT x.relname FROM pg_class x WHERE x.oid = i.indexrelid), 'columns', (SELECT json_agg(a.attname ORDER BY k.place)
                    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
                    WHERE k.place <= i.indnkeyatts),
        'isPrimary', i.indisprimary, 'isReplicaIdentity', i.indisreplident) ORDER BY i.indisprimary DESC, i.indexrelid), '[]')
     FROM pg_index i
     WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
       AND i.indexprs IS NULL AND NOT EXISTS (
         SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place) JOIN pg_attribute a
           ON a.attrelid = c.oid AND a.attnum = k.number WHERE k.place <= i.indnkeyatts AND NOT a.attnotnull)) AS keys,
    (SELECT coalesce(json_agg(json_build_object('oid', l.oid::int8, 'fileNode', pg_relation_filenode(l.oid)::text,
        'madeInPlace', y.xmin = h.xmin, 'name', quote_ident(ln.nspname) || '.' || quote_ident(l.relname),
        'isLogged', l.relpersistence = 'p', 'maySelect', has_table_privilege(l.oid, 'SELECT')
          AND has_schema_privilege(ln.oid, 'USAGE')) ORDER BY l.oid), '[]')
     FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid JOIN pg_inherits h ON h.inhrelid = l.oid
     JOIN pg_type y ON y.oid = l.reltype JOIN pg_namespace ln ON ln.oid = l.relnamespace
     WHERE c.relkind = 'p' AND t.isleaf) AS leaves
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace`;

const columnQuery = `
  SELECT a.attrelid::int8::text AS relation, a.attname AS name, a.attnum AS attribute_number,
    a.atttypid::int8::text AS type_oid, a.atttypmod AS type_modifier, a.attnotnull AS not_null,
    a.atthasmissing AS filled_in, a.atthasdef OR a.attidentity <> '' AS has_default, a.attgenerated::text AS generated,
    a.xmin::text AS changed_by
  FROM pg_attribute a
  WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`;

interface TableRow {
  readonly oid: string;
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
  readonly persistence: string;
  readonly replica_identity: string;
  readonly row_security: boolean;
  readonly ancestors: readonly string[];
  readonly key_is_deferred: boolean;
  readonly may_select: boolean;
  readonly may_alter: boolean;
  readonly file_node: string;
  readonly has_dropped: boolean;
  readonly keys: readonly CatalogueKey[];
  readonly leaves: readonly CatalogueLeaf[];
}

interface ColumnRow {
  readonly relation: string;
  readonly name: string;
  readonly attribute_number: number;
  readonly type_oid: string;
  readonly type_modifier: number;
  readonly not_null: boolean;
  readonly filled_in: boolean;
  readonly has_default: boolean;
  readonly generated: string;
  readonly changed_by: string;
}

/** Reads tables by oid; one that is gone is left out. */
export async function tablesByOid(
  connection: PostgresConnection,
  oids: readonly number[],
): Promise<readonly CatalogueTable[]> {
  const rows = await connection.rows<TableRow>(`${tableQuery} WHERE c.oid = ANY ($1::oid[]) ORDER BY 2, 3`, [oids]);
  return await withColumns(connection, rows);
}

/**
 * Reads the tables whose `namespace.name` matches a pattern, in name order. `*` stands for any characters, `?` for one; a
 * pattern without a point is a table of `public`.
 */
export async function tablesByPattern(
  connection: PostgresConnection,
  patterns: readonly string[],
): Promise<readonly CatalogueTable[]> {
  const expressions = patterns.map(patternExpression);
  const rows = await connection.rows<TableRow>(
    `${tableQuery} WHERE n.nspname || '.' || c.relname ~ ANY ($1::text[]) AND c.relkind IN ('r', 'p')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)' ORDER BY 2, 3`,
    [expressions],
  );
  return await withColumns(connection, rows);
}

/** A pattern as PostgreSQL's regular expression, anchored. */
export function patternExpression(pattern: string): string {
  const full = pattern.includes(".") ? pattern : `public.${pattern}`;
  const escaped = full.replaceAll(/[\\^$.|+()[\]{}]/g, (character) => `\\${character}`);
  return `^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`;
}

/** Reads tables by name. */
export async function tablesByName(
  connection: PostgresConnection,
  names: readonly { readonly namespace: string; readonly table: string }[],
): Promise<readonly CatalogueTable[]> {
  const rows = await connection.rows<TableRow>(
    `${tableQuery} JOIN unnest($1::text[], $2::text[]) AS wanted (namespace, name)
       ON wanted.namespace = n.nspname AND wanted.name = c.relname ORDER BY 2, 3`,
    [names.map((name) => name.namespace), names.map((name) => name.table)],
  );
  return await withColumns(connection, rows);
}

async function withColumns(
  connection: PostgresConnection,
  tables: readonly TableRow[],
): Promise<readonly CatalogueTable[]> {
  if (tables.length === 0) return [];
  const rows = await connection.rows<ColumnRow>(columnQuery, [tables.map((table) => Number(table.oid))]);
  const sourceTypes = await sourceTypesOf(
    connection,
    rows.map((row) => ({ typeOid: Number(row.type_oid), typeModifier: row.type_modifier })),
  );
  const forms = await typeFormsOf(connection, rows.map((row) => Number(row.type_oid)));
  const columns = new Map<string, CatalogueColumn[]>(tables.map(({ oid }) => [oid, []]));
  for (const [index, row] of rows.entries()) columns.get(row.relation)?.push(columnOf(row, sourceTypes[index]));
  const columnsOf = (oid: string) => columns.get(oid) ?? [];
  return tables.map((table) => ({
    oid: Number(table.oid),
    namespace: table.namespace,
    name: table.name,
    kind: table.kind,
    persistence: table.persistence,
    replicaIdentity: table.replica_identity,
    rowSecurity: table.row_security,
    maySelect: table.may_select,
    mayAlter: table.may_alter,
    ancestors: table.ancestors.map(Number),
    keyIsDeferred: table.key_is_deferred,
    fileNode: table.file_node,
    hasDropped: table.has_dropped,
    keys: table.keys,
    leaves: table.leaves,
    typeForms: columnsOf(table.oid).flatMap(({ typeOid }) => forms.get(typeOid) ?? []),
    columns: columnsOf(table.oid),
  }));
}

function columnOf(row: ColumnRow, sourceType: SourceType | undefined): CatalogueColumn {
  return {
    name: row.name,
    attributeNumber: row.attribute_number,
    typeOid: Number(row.type_oid),
    typeModifier: row.type_modifier,
    notNull: row.not_null,
    filledIn: row.filled_in,
    hasDefault: row.has_default,
    generated: row.generated,
    changedBy: row.changed_by,
    sourceType: sourceType ?? unknownSourceType,
  };
}
