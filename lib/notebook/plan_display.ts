/** What `EXPLAIN` says, as it was drawn. */
import type { DuckDBValue } from "@duckdb/node-api";
import { escaped } from "./html_text.ts";
import type { MediaBundle } from "./table_display.ts";

/** Whether the columns of a result are those of `EXPLAIN`. */
export function isPlan(names: readonly string[]): boolean {
  return names.join() === "explain_key,explain_value";
}

/** Plans, one after the other. */
export function planBundle(plans: readonly (readonly DuckDBValue[])[]): MediaBundle {
  const text = plans.flat().join("\n");
  return { "text/html": `<pre style="line-height:1.2">${escaped(text)}</pre>`, "text/plain": text };
}
