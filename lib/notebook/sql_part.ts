/** SQL with its values beside it: what is typed into a template is SQL, what is put into it is bound and never becomes SQL. */
import { identifier as quoted } from "../engine/quote.ts";

/** Under this name a thing says what stands for it in SQL: tables, results, identifiers. */
export const asSql: unique symbol = Symbol("weir.asSql");

/** What may be put into SQL as SQL. */
export interface InSql {
  readonly [asSql]: SqlPart;
}

/** A piece of SQL. */
export class SqlPart implements InSql {
  /** Before, between and after the values: one more than those are. */
  readonly texts: readonly string[];
  readonly values: readonly unknown[];

  constructor(texts: readonly string[], values: readonly unknown[] = []) {
    if (texts.length !== values.length + 1) {
      throw new RangeError("Cannot place values: there is one text more than values");
    }
    this.texts = texts;
    this.values = values;
  }

  get [asSql](): SqlPart {
    return this;
  }

  /** With `$1`, `$2` … where the values belong. */
  get text(): string {
    return this.texts.reduce((text, next, index) => `${text}$${index}${next}`);
  }
}

/**
 * A piece of SQL to be put into other SQL, with its values.
 *
 * Values are bound. What is {@linkcode InSql} (tables, results, identifiers and pieces like this one; an array of them too, with
 * commas) is put in as SQL. Backslashes are what they are in SQL: `'\d'` needs no second one.
 *
 * @example
 * ```ts
 * import { identifier, sql } from "./sql_part.ts";
 * import assert from "node:assert/strict";
 *
 * const part = sql`SELECT ${identifier("a b")} FROM range(10) WHERE ${sql`range > ${3}`} LIMIT ${2}`;
 * assert.equal(part.text, 'SELECT "a b" FROM range(10) WHERE range > $1 LIMIT $2');
 * assert.deepEqual(part.values, [3, 2]);
 * ```
 */
export function sql(template: TemplateStringsArray, ...values: readonly unknown[]): SqlPart {
  if (!isTemplate(template)) {
    throw new TypeError("Cannot take SQL as a text: write it as a template, sql`SELECT …`, so that values are bound");
  }
  const [first = "", ...rest] = template.raw.map(unescaped);
  return joined(first, rest.map((text, index) => [inSql(values[index]), text]));
}

/**
 * Names as SQL: `identifier("payments", "transactions")` is `"payments"."transactions"`. A dot inside a name is part of it.
 *
 * @throws {TypeError} Without a name.
 */
export function identifier(...names: readonly string[]): SqlPart {
  if (names.length === 0) throw new TypeError("Cannot make an identifier of no name");
  return new SqlPart([names.map((name) => quoted(name)).join(".")]);
}

function isTemplate(template: unknown): boolean {
  return Array.isArray(template) && Array.isArray((template as { raw?: unknown }).raw);
}

/** In a template a backtick and `${` can only be written behind a backslash. */
function unescaped(text: string): string {
  return text.replace(/\\(`|\$\{)/g, "$1");
}

function inSql(value: unknown): SqlPart {
  if (isInSql(value)) return value[asSql];
  if (Array.isArray(value) && value.length > 0 && value.every(isInSql)) {
    const [first, ...rest] = value.map((item) => item[asSql]);
    return rest.reduce((all, next) => joined("", [[all, ", "], [next, ""]]), first!);
  }
  return new SqlPart(["", ""], [value]);
}

function isInSql(value: unknown): value is InSql {
  return typeof value === "object" && value !== null && asSql in value;
}

function joined(first: string, rest: readonly (readonly [SqlPart, string])[]): SqlPart {
  const texts = [first];
  const values: unknown[] = [];
  for (const [part, text] of rest) {
    const [head = "", ...tail] = part.texts;
    texts.push((texts.pop() ?? "") + head, ...tail);
    texts.push((texts.pop() ?? "") + text);
    values.push(...part.values);
  }
  return new SqlPart(texts, values);
}
