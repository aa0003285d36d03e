/** Upper bounds of texts that are cut. */

/**
 * Text cut to so many code points with its last one raised by one, so that it stays above what it was cut from. Undefined
 * where no such text exists; a text that is short enough stays as it is.
 */
export function raisedText(text: string, length: number): string | undefined {
  const points = [...text];
  if (points.length <= length) return text;
  for (let last = length - 1; last >= 0; last--) {
    const point = points[last]!.codePointAt(0)!;
    if (point === 0x10FFFF) continue;
    // Surrogates are no characters: the one after U+D7FF is U+E000.
    const next = String.fromCodePoint(point === 0xD7FF ? 0xE000 : point + 1);
    return points.slice(0, last).join("") + next;
  }
  return undefined;
}
