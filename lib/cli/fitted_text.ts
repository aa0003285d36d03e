/** Texts of a fixed width, for places on a terminal that have one. */
import { padded, printable, textWidth } from "./table.ts";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * A text that takes at most so many cells: a longer one ends with `…`.
 *
 * @example
 * ```ts
 * import { cutText } from "./fitted_text.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual([cutText("payments", 8), cutText("payments", 5), cutText("日本語", 4)], ["payments", "paym…", "日…"]);
 * ```
 */
export function cutText(text: string, cells: number): string {
  if (textWidth(text) <= cells) return text;
  let [kept, width] = ["", 0];
  for (const { segment } of segmenter.segment(text)) {
    width += textWidth(segment);
    if (width > cells - 1) break;
    kept += segment;
  }
  return cells < 1 ? "" : `${kept}…`;
}

/** A text that takes exactly so many cells. Control characters are shown as `�`. */
export function fittedText(text: string, cells: number, align: "left" | "right" = "left"): string {
  return padded(cutText(printable(text), cells), cells, align);
}
