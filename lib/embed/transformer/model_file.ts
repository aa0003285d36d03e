/** Reading a model's JSON files: all are made by others, so nothing about them is taken for granted. */
import { join } from "node:path";
import { storageError, WeirError } from "../../errors.ts";

/** A JSON object of which nothing is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A JSON file of a model's folder; undefined where there is none.
 *
 * @throws {WeirError} `configuration` for one that is not JSON, `storage` for one that cannot be read.
 */
export async function readModelJson(folder: string, name: string): Promise<unknown> {
  const path = join(folder, name);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw storageError(thrown, path);
  }
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new WeirError("configuration", `The model's ${name} is not JSON`, { cause: thrown, detail: { path } });
  }
}

/** The same for a file that holds an object; an empty one where there is none. */
export async function readModelObject(folder: string, name: string): Promise<JsonObject> {
  const read = await readModelJson(folder, name) ?? {};
  if (typeof read === "object" && !Array.isArray(read)) return read as JsonObject;
  throw new WeirError("configuration", `The model's ${name} does not hold an object`, {
    detail: { path: join(folder, name) },
  });
}

/** A text of an object; undefined where there is none. */
export function textOf(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === "string" ? value : undefined;
}

/** A whole number of an object; undefined where there is none. */
export function integerOf(object: JsonObject, name: string): number | undefined {
  const value = object[name];
  return typeof value === "number" && Number.isInteger(value) ? value : undefined;
}
