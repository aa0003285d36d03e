/**
 * Where pick lists come from, first found wins, list by list: environment, a JSON file, a database table of allowed
 * values, and last the lists committed with the project (contracts §1.3).
 */
import { parsePickEntries, type PickEntry } from "../domain/pick_list.ts";
import {
  type PaymentPickLists,
  paymentPickLists,
  type PickListName,
  pickListNames,
} from "../domain/payments/pick_lists.ts";
import { identifier } from "../engine/quote.ts";
import { storageError, WeirError } from "../errors.ts";
import type { PostgresConnection } from "../source/postgres/connection.ts";

/** Where to look. What is absent is passed over. */
export interface PickListSources {
  /** Lists as `PICK_LIST_<NAME>`, e.g. `PICK_LIST_ACCOUNT_TYPE=Savings:3,Cheque:6`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Path of a JSON object with lists by name, e.g. `{"accountType": {"Savings": 3}}`. */
  readonly file?: string;
  /** A table or view with the columns `list` text, `value` text or jsonb, and `weight` numeric. */
  readonly database?: {
    readonly connection: PostgresConnection;
    readonly namespace: string;
    readonly table: string;
  };
}

type GivenLists = Partial<Record<PickListName, readonly PickEntry<unknown>[] | unknown>>;

/** The environment name of a list. */
export function pickListVariable(name: PickListName): string {
  return `PICK_LIST_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * All lists of the payments domain.
 *
 * Throws `configuration` where a source holds something that is not a list, `storage` where the file cannot be read.
 */
export async function loadPickLists(sources: PickListSources = {}): Promise<PaymentPickLists> {
  const { database, environment, file } = sources;
  const fromDatabase = database === undefined ? {} : await databaseLists(database);
  const fromFile = file === undefined ? {} : await fileLists(file);
  return asConfiguration(() =>
    paymentPickLists({ ...fromDatabase, ...fromFile, ...environmentLists(environment ?? {}) })
  );
}

function environmentLists(environment: Readonly<Record<string, string | undefined>>): GivenLists {
  const lists: GivenLists = {};
  for (const name of pickListNames) {
    const text = environment[pickListVariable(name)]?.trim();
    if (text) lists[name] = parsePickEntries(text);
  }
  return lists;
}

async function fileLists(path: string): Promise<GivenLists> {
  const text = await Deno.readTextFile(path).catch((thrown) => {
    throw storageError(thrown, path);
  });
  const json = asConfiguration((): unknown => JSON.parse(text));
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new WeirError("configuration", "The pick list file is not a JSON object", { detail: { path } });
  }
  const unknown = Object.keys(json).find((name) => !(pickListNames as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new WeirError("configuration", `The pick list file holds "${unknown}", which is no list`, {
      detail: { path },
      advice: `Name the lists ${pickListNames.join(", ")}`,
    });
  }
  return json as GivenLists;
}

async function databaseLists(database: NonNullable<PickListSources["database"]>): Promise<GivenLists> {
  const { connection, namespace, table } = database;
  const rows = await connection.rows<{ list: string; value: string; weight: string }>(
    `SELECT list, value::text AS value, weight::text AS weight FROM ${identifier(namespace)}.${identifier(table)}
     ORDER BY list, value::text`,
  );
  const lists: Partial<Record<PickListName, PickEntry<unknown>[]>> = {};
  for (const { list, value, weight } of rows) {
    const name = pickListNames.find((known) => known === list);
    if (name === undefined) continue;
    (lists[name] ??= []).push({ value: storedValue(value), weight: Number(weight) });
  }
  return lists;
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

function asConfiguration<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw new WeirError("configuration", thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
}
