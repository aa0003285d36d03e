/** What a user asks similar rows of, out of the flags. */
import { WeirError } from "../../lib/errors.ts";
import type { RowKey } from "../../lib/query/changes.ts";
import { comparisons, readFilter, type RowFilter } from "../../lib/query/similar/row_filter.ts";
import type { TextQuery } from "../../lib/query/similar/query_vector.ts";
import type { SimilarOptions } from "../../lib/query/similar/similar.ts";

/** The flags of a search. */
export interface SearchSettings {
  readonly id: readonly string[];
  readonly nearText: string | undefined;
  readonly model: string | undefined;
  readonly top: number;
  readonly filter: readonly string[];
}

/** The search that they mean; undefined for none. Throws `configuration` where they do not go together. */
export function similarQuery(
  { id, nearText, model, top, filter }: SearchSettings,
  { key, start }: { readonly key: readonly string[]; readonly start: TextQuery["start"] },
): Pick<SimilarOptions, "near" | "top" | "filters"> | undefined {
  if (id.length > 0 && nearText !== undefined) {
    throw new WeirError("configuration", "--id and --text are both given", { advice: "Leave one of them out" });
  }
  const filters = filter.map(requireFilter);
  if (nearText !== undefined) return { near: { text: nearText, model, start }, top, filters };
  return id.length === 0 ? undefined : { near: { key: rowKey(id, key) }, top, filters };
}

function requireFilter(text: string): RowFilter {
  const filter = readFilter(text);
  if (filter !== undefined) return filter;
  throw new WeirError("configuration", `--filter ${JSON.stringify(text)} is no condition`, {
    advice: `Write it as column=value, or with another of ${comparisons.join(" ")}`,
  });
}

/** `5`, where the key has one column; `_id=5`, once for each. */
function rowKey(given: readonly string[], key: readonly string[]): RowKey {
  const [only] = key;
  const [value = ""] = given;
  if (key.length === 1 && given.length === 1 && !value.startsWith(`${only}=`)) return { [only!]: value };
  return Object.fromEntries(given.map((text) => {
    const equals = text.indexOf("=");
    if (equals > 0) return [text.slice(0, equals).trim(), text.slice(equals + 1)];
    throw new WeirError("configuration", "--id does not say which column of the key it is", {
      advice: key.length === 0
        ? "The table has no key: ask with --text"
        : `Write it as ${key.map((column) => `--id ${column}=…`).join(" ")}`,
    });
  }));
}
