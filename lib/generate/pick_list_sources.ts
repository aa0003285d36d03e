/**
 * Where pick lists come from, first found wins, list by list: environment, a JSON file, a database table of allowed
 * values, and last the lists committed with the project (contracts §1.3).
 *
 * Promise: a list that cannot be read stops the generator before it writes a row, with a message that says which list of
 * which source it is.
 */
import { parsePickEntries, type PickEntry } from "../domain/pick_list.ts";
import {
  paymentPickList,
  type PaymentPickLists,
  paymentPickLists,
  type PickListName,
  pickListNamed,
  pickListNames,
} from "../domain/payments/pick_lists.ts";
import { WeirError } from "../errors.ts";
import type { PostgresConnection } from "../source/postgres/connection.ts";

/** Where to look. What is absent is passed over. */
export interface PickListSources {
  /** Lists as texts, e.g. `Savings:3,Cheque:6`. */
  readonly environment?: Readonly<Partial<Record<PickListName, string | undefined>>>;
  /** Path of a JSON object with lists by name, e.g. `{"accountType": {"Savings": 3}}`. */
  readonly file?: string;
  /** A table or view, of `public` unless it says otherwise, with columns `list` text, `value` text or jsonb, `weight` numeric. */
  readonly database?: { readonly connection: PostgresConnection; readonly table: string };
}

type GivenLists = Partial<Record<PickListName, unknown>>;

const namesAdvice = `Name lists ${pickListNames.join(", ")}`;

/**
 * All lists of the payments domain.
 *
 * Throws `configuration` where a source holds something that is not a list or cannot be read.
 */
export async function loadPickLists(sources: PickListSources = {}): Promise<PaymentPickLists> {
  const { database, environment = {}, file } = sources;
  const fromDatabase = database === undefined ? {} : await databaseLists(database);
  const fromFile = file === undefined ? {} : await fileLists(file);
  const given = { ...fromDatabase, ...fromFile, ...environmentLists(environment) };
  return readable("The pick lists do not fit together", () => paymentPickLists(given));
}

function environmentLists(environment: NonNullable<PickListSources["environment"]>): GivenLists {
  const lists: GivenLists = {};
  for (const [name, text] of Object.entries(environment) as [PickListName, string | undefined][]) {
    if (text === undefined || text.trim() === "") continue;
    const place = `Pick list ${name} of the environment cannot be used`;
    lists[name] = checked(name, place, () => parsePickEntries(text));
  }
  return lists;
}

async function fileLists(path: string): Promise<GivenLists> {
  const text = await Deno.readTextFile(path).catch((thrown) => {
    throw new WeirError("configuration", `Pick list file ${path} cannot be read`, {
      cause: thrown,
      advice: "Give --pick-lists the path of a JSON file that is there and that this user may read",
    });
  });
  const json = readable(`Pick list file ${path} is no JSON`, (): unknown => JSON.parse(text));
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw refused(`Pick list file ${path} holds no JSON object`, 'Write it as {"accountType": {"Savings": 3}}');
  }
  const lists: GivenLists = {};
  for (const [given, list] of Object.entries(json)) {
    const name = pickListNamed(given);
    if (name === undefined) throw refused(`Pick list file ${path} holds "${given}", which is no list`, namesAdvice);
    lists[name] = checked(name, `Pick list "${given}" of file ${path} cannot be used`, () => list);
  }
  return lists;
}

interface AllowedValue {
  readonly list: string;
  readonly value: string;
  readonly weight: string;
}

async function databaseLists(database: NonNullable<PickListSources["database"]>): Promise<GivenLists> {
  const { table } = database;
  const rows = await allowedValues(database);
  const byName = Map.groupBy(rows, ({ list }) => pickListNamed(list ?? ""));
  // A table of allowed values may serve others too.
  byName.delete(undefined);
  if (byName.size === 0) throw refused(`Pick list table ${table} holds none of our lists`, namesAdvice);
  const lists: GivenLists = {};
  for (const [name, values] of byName as Map<PickListName, readonly AllowedValue[]>) {
    const entries = values.map(({ value, weight }) => ({ value: storedValue(value), weight: Number(weight) }));
    lists[name] = checked(name, `Pick list ${name} of table ${table} cannot be used`, () => entries);
  }
  return lists;
}

async function allowedValues(
  { connection, table }: NonNullable<PickListSources["database"]>,
): Promise<readonly AllowedValue[]> {
  const advice = "Give the name of a table or view with the columns list, value and weight that this user may read";
  try {
    const found = await connection.row<{ name: string | null }>("SELECT to_regclass($1)::text AS name", [
      table.includes(".") ? table : `public.${table}`,
    ]);
    if (found?.name == null) throw refused(`There is no pick list table ${table} in the database`, advice);
    return await connection.rows<AllowedValue>(
      `SELECT list::text AS list, value::text AS value, weight::text AS weight FROM ${found.name}
       ORDER BY list::text, value::text`,
    );
  } catch (thrown) {
    if (!(thrown instanceof WeirError) || !["internal", "precondition"].includes(thrown.kind)) throw thrown;
    throw new WeirError("configuration", `Pick list table ${table} cannot be read: ${thrown.message}`, {
      cause: thrown,
      advice,
    });
  }
}

/** A jsonb column holds strings in quotes and members as objects; a text column holds plain words. */
function storedValue(text: string): unknown {
  if (!/^[{"]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Reads a list as far as to know that it can be used. */
function checked(name: PickListName, problem: string, read: () => unknown): readonly PickEntry<unknown>[] {
  return readable(problem, () => paymentPickList(name, read()).entries);
}

function readable<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof RangeError || thrown instanceof SyntaxError)) throw thrown;
    // JSON's own messages repeat what they read.
    const reason = thrown instanceof RangeError ? `: ${thrown.message}` : "";
    throw refused(`${problem}${reason}`, "Correct the list; README.md and data/payments show how each is written");
  }
}

function refused(message: string, advice: string): WeirError {
  return new WeirError("configuration", message, { advice });
}
