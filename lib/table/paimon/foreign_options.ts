/** Options of tables that others made, under which files mean something else than under ours: those tables are refused. */
import type { PaimonSchema } from "./schema.ts";

type Options = Pick<PaimonSchema, "options" | "primaryKeys">;

/** The option under which rows are not the newest of each key, as they stand in files; undefined for none. */
export function unreadableOption({ options, primaryKeys }: Options): string | undefined {
  if (primaryKeys.length === 0) return undefined;
  return differing(options, {
    "merge-engine": "deduplicate",
    "sequence.field": undefined,
    "deletion-vectors.enabled": "false",
  });
}

/**
 * The option under which a key's bucket is not the hash of it, or a table without a key has any, or under which files come with
 * numbers or marks for their rows that we neither give nor merge; undefined for none.
 */
export function unwritableOption({ options, primaryKeys }: Options): string | undefined {
  const isFixed = Number(options.bucket ?? -1) > 0;
  if (isFixed !== primaryKeys.length > 0) return spelled(options, "bucket");
  return differing(options, {
    "bucket-function.type": "default",
    "deletion-vectors.enabled": "false",
    "row-tracking.enabled": "false",
    "data-evolution.enabled": "false",
  });
}

function differing(
  options: Options["options"],
  usual: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const found = Object.keys(usual).find((name) => options[name] !== undefined && options[name] !== usual[name]);
  return found && spelled(options, found);
}

function spelled(options: Options["options"], name: string): string {
  return `${name} = ${options[name] ?? -1}`;
}
