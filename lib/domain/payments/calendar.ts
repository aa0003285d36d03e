/** UTC days as whole numbers since 1970-01-01, and their texts, which come by the million and repeat. */

const dayMs = 86_400_000;
const texts = new Map<number, string>();
/** Two hundred years of days; a generator draws from a few decades. */
const textsMax = 73_000;

/** The UTC day of an instant. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs);
}

/** `yyyy-MM-dd` of a day. */
export function dayText(day: number): string {
  let text = texts.get(day);
  if (text === undefined) {
    if (texts.size >= textsMax) texts.clear();
    texts.set(day, text = new Date(day * dayMs).toISOString().slice(0, 10));
  }
  return text;
}

/** The day of a `yyyy-MM-dd` text. */
export function parseDay(text: string): number {
  return dayOf(Date.parse(`${text}T00:00:00Z`));
}
