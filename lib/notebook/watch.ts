/** A display that changes while a cell runs. */
import { escaped } from "./html_text.ts";
import { display, type MediaBundle } from "./table_display.ts";

/**
 * Shows in the cell, one in place of the other, what is yielded: results, charts, texts, whatever a cell can end with; of a list one below
 * the other. The last one stays. Without a notebook nothing is shown and everything else is the same.
 *
 * @param states Ends when there is nothing more to see; `undefined` in it leaves what is shown.
 *
 * @example
 * ```ts
 * import { watch } from "./watch.ts";
 * import assert from "node:assert/strict";
 *
 * let shown = 0;
 * await watch(async function* () {
 *   for (; shown < 3; shown++) yield `${shown} of 3`;
 * });
 * assert.equal(shown, 3);
 * ```
 */
export async function watch(states: () => AsyncIterable<unknown>): Promise<void> {
  const show = displayOf(notebook());
  for await (const state of states()) {
    if (state !== undefined) await show(state);
  }
}

/** What Deno's kernel has for cells. */
export type Notebook = Pick<typeof Deno.jupyter, "broadcast" | "format">;

/** Shows something in place of what it showed before. */
export function displayOf(kernel: Notebook | undefined): (shown: unknown) => Promise<void> {
  if (kernel === undefined) return () => Promise.resolve();
  const transient = { display_id: crypto.randomUUID() };
  let message = "display_data";
  return async (shown) => {
    const data = await bundleOf(shown, kernel);
    await kernel.broadcast(message, { data, metadata: {}, transient });
    message = "update_display_data";
  };
}

async function bundleOf(shown: unknown, kernel: Notebook): Promise<MediaBundle> {
  if (typeof shown === "string") return { "text/plain": shown };
  if (Array.isArray(shown)) return stacked(await Promise.all(shown.map((each) => bundleOf(each, kernel))));
  const own = typeof shown === "object" && shown !== null && display in shown ? shown[display] : undefined;
  return typeof own === "function" ? await own.call(shown) as MediaBundle : await kernel.format(shown);
}

function stacked(bundles: readonly MediaBundle[]): MediaBundle {
  const texts = bundles.map((bundle) => String(bundle["text/plain"] ?? ""));
  const parts = bundles.map((bundle, index) =>
    bundle["text/html"] ?? bundle["image/svg+xml"] ?? `<pre>${escaped(texts[index]!)}</pre>`
  );
  return { "text/html": parts.map((part) => `<div>${part}</div>`).join("\n"), "text/plain": texts.join("\n") };
}

/** Undefined outside of a notebook: there the very name throws. */
function notebook(): Notebook | undefined {
  try {
    return Deno.jupyter;
  } catch {
    return undefined;
  }
}
