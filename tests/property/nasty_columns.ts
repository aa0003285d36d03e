/** A table with a column of every type that PostgreSQL has, and the values for it. */
import fc from "fast-check";
import { identifier, literal } from "../../lib/engine/quote.ts";
import { arrayOf, bytes, day, document, double, element, instant, number, real, text } from "./nasty_values.ts";

interface NastyColumn {
  readonly type: string;
  /** Input texts. */
  readonly values: fc.Arbitrary<string>;
  /** The first major version that has the type, and these values of it. */
  readonly since?: number;
}

const columns: Readonly<Record<string, NastyColumn>> = {
  a_bool: { type: "boolean", values: fc.constantFrom("t", "f") },
  a_int2: { type: "smallint", values: fc.integer({ min: -32768, max: 32767 }).map(String) },
  a_int4: { type: "integer", values: fc.integer().map(String) },
  a_int8: { type: "bigint", values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) },
  a_oid: { type: "oid", values: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(String) },
  a_real: { type: "real", values: real },
  a_double: { type: "double precision", values: double },
  a_decimal: { type: "numeric(12,2)", values: fc.oneof(number(9, 2), fc.constant("NaN")) },
  a_decimal_38: { type: "numeric(38,9)", values: fc.oneof(number(29, 9), fc.constant("NaN")) },
  a_fraction: { type: "numeric(3,5)", values: fc.stringMatching(/^0\.00[0-9]{3}$/), since: 15 },
  a_rounded: { type: "numeric(5,-2)", values: number(6, 0), since: 15 },
  a_numeric: {
    type: "numeric",
    values: fc.oneof(number(60, 30), fc.constantFrom("NaN", "Infinity", "1.239", "1.2300")),
    since: 14,
  },
  a_numeric_50: { type: "numeric(50,4)", values: number(46, 4) },
  a_domain: { type: "money_amount", values: number(6, 2) },
  a_date: { type: "date", values: day },
  a_timestamp: { type: "timestamp", values: instant },
  a_timestamptz: { type: "timestamptz", values: instant },
  a_time: { type: "time", values: fc.constantFrom("24:00:00", "00:00:00.000001", "12:34:56") },
  a_timetz: { type: "timetz", values: fc.constantFrom("12:34:56+05:30", "00:00:00-15:59") },
  a_interval: { type: "interval", values: fc.constantFrom("1 year 2 mons -3 days 04:05:06.7", "-1 day", "0") },
  a_uuid: { type: "uuid", values: fc.uuid() },
  a_text: { type: "text", values: text },
  a_varchar: { type: "varchar(2000)", values: text },
  a_char: { type: "char(8)", values: fc.constantFrom("a", "a b ", "", '"') },
  a_name: { type: "name", values: fc.constantFrom("x", 'a"b') },
  a_enum: { type: "mood", values: fc.constantFrom("happy", 'so "so"', "a,b") },
  a_json: { type: "json", values: document },
  a_jsonb: { type: "jsonb", values: document },
  a_bytea: { type: "bytea", values: bytes },
  a_composite: { type: "pair", values: text.map((value) => `(1,${element(value)})`) },
  a_range: { type: "int4range", values: fc.constantFrom("[1,5)", "empty", "(,3]") },
  a_inet: { type: "inet", values: fc.constantFrom("10.0.0.1", "::1/64", "192.168.1.0/24") },
  a_xml: { type: "xml", values: fc.constantFrom("<a>é</a>", '<b c="d"/>') },
  a_bit: { type: "bit varying", values: fc.stringMatching(/^[01]{0,9}$/) },
  a_money: { type: "money", values: fc.constantFrom("12.34", "-1234567.89") },
  a_tsvector: { type: "tsvector", values: fc.constantFrom("'a' 'b':1", "''''") },
  a_letter: { type: '"char"', values: fc.constantFrom("x", '"', ",", "", "\\351") },
  a_fixed_bit: { type: "bit(5)", values: fc.stringMatching(/^[01]{5}$/) },
  a_cidr: { type: "cidr", values: fc.constantFrom("10.0.0.0/8", "2001:db8::/32") },
  a_macaddr: { type: "macaddr8", values: fc.constantFrom("08:00:2b:01:02:03:04:05") },
  a_tsquery: { type: "tsquery", values: fc.constantFrom("'a' & !'b'", "'it''s' <-> 'x':*") },
  a_jsonpath: { type: "jsonpath", values: fc.constantFrom('$."a b"[*] ? (@ > 1)', "strict $") },
  a_lsn: { type: "pg_lsn", values: fc.constantFrom("0/0", "FFFFFFFF/FFFFFFFF") },
  a_xid8: { type: "xid8", values: fc.constantFrom("0", "18446744073709551615") },
  a_path: { type: "path", values: fc.constantFrom("[(0,0),(1,1e300)]", "((0,0),(-0,1))") },
  a_circle: { type: "circle", values: fc.constantFrom("<(1,2),3>") },
  a_num_range: { type: "numrange", values: fc.constantFrom("[1.10,2)", "(,)", "empty") },
  a_time_range: { type: "tstzrange", values: fc.constantFrom('["2024-01-01 00:00:00.000001+02",infinity)', "(,)") },
  a_multirange: {
    type: "datemultirange",
    values: fc.constantFrom("{[2024-01-01,2024-02-01),[2025-01-01,)}", "{}"),
    since: 14,
  },
  a_mood: { type: "a_mood", values: fc.constantFrom("happy", "a,b") },
  a_list_domain: { type: "int_list", values: arrayOf(fc.integer().map(String)) },
  a_vector: { type: "int2vector", values: fc.constantFrom("1 2 3", "") },
  an_embedding: { type: "vector", values: fc.constantFrom("[1,-2.5,3e-07]", "[0]") },
  an_hstore: { type: "hstore", values: text.map((value) => `${element(value)}=>${element(value)}, "n"=>NULL`) },
  a_citext: { type: "citext", values: text },
  a_tree: { type: "ltree", values: fc.constantFrom("a.b_c", "") },
  a_cube: { type: "cube", values: fc.constantFrom("(1,2)", "(1,2),(3,4.5)") },
  a_polygon: { type: "polygon", values: fc.constantFrom("((0,0),(1,1e-300),(2,NaN))") },
  a_line: { type: "line", values: fc.constantFrom("{1,-1,0.1}") },
  a_segment: { type: "lseg", values: fc.constantFrom("[(0,0),(1,1)]") },
  a_class: { type: "regclass", values: fc.constantFrom("pg_class", "nasty", "4294967295") },
  a_type: { type: "regtype", values: fc.constantFrom("mood", "numeric", "int[]") },
  a_function: { type: "regprocedure", values: fc.constantFrom("vector_out(vector)", "now()") },
  a_tid: { type: "tid", values: fc.constantFrom("(0,1)", "(4294967295,65535)") },
  a_snapshot: { type: "pg_snapshot", values: fc.constantFrom("10:20:10,14", "1:1:") },
  a_dictionary: { type: "seg", values: fc.constantFrom("1.50 .. 2", "< 3") },
  a_nested: { type: "nested", values: fc.constantFrom('("(1,"" a"")","{1,NULL}",)', "(,,)") },
  a_pair_domain: { type: "a_pair", values: fc.constantFrom('(1,"x,y")', "(,)") },
  a_deep_domain: { type: "deep_amount", values: fc.oneof(number(6, 2), fc.constant("NaN")) },
  a_text_range: { type: "text_range", values: fc.constantFrom('["a,b","c""d")', "empty") },
  a_second: { type: "timestamptz(0)", values: instant },
  an_any_char: { type: "bpchar", values: fc.constantFrom("a ", "  ", "") },
  a_huge_numeric: {
    type: "numeric",
    values: fc.constantFrom("-Infinity", `1e-16383`, `${"9".repeat(5000)}.5`, "0.000", "-0", "1e131000"),
    since: 14,
  },
  a_point: { type: "point", values: fc.constantFrom("(1,2)", "(NaN,Infinity)") },
  many_int4: { type: "integer[]", values: arrayOf(fc.integer().map(String)) },
  many_double: { type: "double precision[]", values: arrayOf(double) },
  many_bool: { type: "boolean[]", values: arrayOf(fc.constantFrom("t", "f")) },
  many_decimal: { type: "numeric(8,2)[]", values: arrayOf(fc.oneof(number(5, 2), fc.constant("NaN"))) },
  many_date: { type: "date[]", values: arrayOf(day) },
  many_timestamptz: { type: "timestamptz[]", values: arrayOf(instant) },
  many_text: { type: "text[]", values: arrayOf(text) },
  many_bytea: { type: "bytea[]", values: arrayOf(bytes) },
  many_enum: { type: "mood[]", values: arrayOf(fc.constantFrom("happy", 'so "so"')) },
  many_json: { type: "jsonb[]", values: arrayOf(document) },
  many_uuid: { type: "uuid[]", values: arrayOf(fc.uuid()) },
  many_interval: { type: "interval[]", values: arrayOf(fc.constantFrom("1 year 2 mons", "-00:00:00.5")) },
  many_char: { type: "char(3)[]", values: arrayOf(fc.constantFrom("a", "a b", "", '"')) },
  many_name: { type: "name[]", values: arrayOf(fc.constantFrom("x", 'a"b', "NULL")) },
  many_range: { type: "int4range[]", values: arrayOf(fc.constantFrom("[1,5)", "empty")) },
  many_pair: { type: "pair[]", values: arrayOf(text.map((value) => `(1,${element(value)})`)) },
  many_hstore: { type: "hstore[]", values: arrayOf(fc.constantFrom('"a,b"=>"c\\"d"', "")) },
  many_oid: { type: "oid[]", values: arrayOf(fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(String)) },
  many_real: { type: "real[]", values: arrayOf(real) },
  many_numeric: {
    type: "numeric[]",
    values: arrayOf(fc.oneof(number(30, 10), fc.constantFrom("NaN", "-Infinity"))),
    since: 14,
  },
  many_money: { type: "money_amount[]", values: arrayOf(number(6, 2)) },
  many_time: { type: "time[]", values: arrayOf(fc.constantFrom("24:00:00", "00:00:00.000001")) },
  many_timestamp: { type: "timestamp[]", values: arrayOf(instant) },
  many_bit: { type: "bit varying[]", values: arrayOf(fc.stringMatching(/^[01]{0,9}$/)) },
  many_domain_list: { type: "int_list[]", values: fc.constantFrom('{"{1,NULL}",NULL}', '{"{}"}', "{}") },
  many_nested: { type: "nested[]", values: fc.constantFrom('{"(\\"(1,a)\\",,)",NULL}', "{}") },
  many_vector: { type: "vector[]", values: fc.constantFrom('{"[1,2]",NULL}', "{}") },
  many_box: { type: "box[]", values: fc.constantFrom("{(1,1),(0,0);(2,2),(1,1)}", "{}") },
};

/** pgvector's type as far as capture sees it: its name, its text and its cast. */
const vectorDdl = `
  CREATE TYPE vector;
  CREATE FUNCTION vector_in(cstring) RETURNS vector IMMUTABLE STRICT LANGUAGE internal AS 'textin';
  CREATE FUNCTION vector_out(vector) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
  CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out, LIKE = text);
  CREATE FUNCTION vector_to_reals(vector) RETURNS real[] IMMUTABLE STRICT LANGUAGE sql
    AS $$ SELECT translate(public.vector_out($1)::text, '[]', '{}')::real[] $$;
  CREATE CAST (vector AS real[]) WITH FUNCTION vector_to_reals(vector)`;

const typesDdl = `${vectorDdl};
  CREATE TYPE mood AS ENUM ('happy', 'so "so"', 'a,b');
  CREATE TYPE pair AS (number int, name text);
  CREATE DOMAIN money_amount AS numeric(10,2);
  CREATE DOMAIN deep_amount AS money_amount CHECK (VALUE IS NULL OR VALUE <> 1e9);
  CREATE DOMAIN a_pair AS pair; CREATE TYPE text_range AS RANGE (subtype = text);
  CREATE TYPE nested AS (pair pair, many int[], mood mood);
  CREATE DOMAIN a_mood AS mood; CREATE DOMAIN int_list AS int[];
  CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION cube; CREATE EXTENSION seg`;

/** The table `nasty`, and rows for it. */
export interface NastyTable {
  /** Makes the table, with what it needs. */
  readonly ddl: string;
  /** Rows from a seed, as one statement. */
  insert(options: { readonly seed: number; readonly rows: number; readonly firstId: number }): string;
}

/** The table as a major version of PostgreSQL can have it. */
export function nastyTable(major: number): NastyTable {
  const own = Object.entries(columns).filter(([, { since = 0 }]) => major >= since);
  const row = fc.tuple(...own.map(([, { values }]) => fc.option(values, { freq: 6 })));
  const names = own.map(([name]) => identifier(name)).join(", ");
  return {
    ddl: `${typesDdl};
      CREATE TABLE nasty (id int PRIMARY KEY, ${own.map(([name, { type }]) => `${name} ${type}`).join(", ")})`,
    insert: ({ seed, rows, firstId }) => {
      const tuples = fc.sample(row, { seed, numRuns: rows })
        .map((values, index) => `(${firstId + index}, ${values.map(sqlText).join(", ")})`);
      return `INSERT INTO nasty (id, ${names}) VALUES ${tuples.join(", ")}`;
    },
  };
}

function sqlText(value: string | null): string {
  return value === null ? "NULL" : literal(value);
}
