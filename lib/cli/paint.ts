/** Colours of a terminal. */

/** How a text may look. */
export type Look = "bold" | "dim" | "green" | "yellow" | "cyan";

const codes: Readonly<Record<Look, number>> = { bold: 1, dim: 2, green: 32, yellow: 33, cyan: 36 };

/** Gives a text a look. */
export type Paint = (text: string, ...looks: readonly Look[]) => string;

/** Where colours are not wanted, texts stay as they are. */
export function painter(isColoured: boolean): Paint {
  if (!isColoured) return (text) => text;
  return (text, ...looks) => text === "" ? "" : `\x1b[${looks.map((look) => codes[look]).join(";")}m${text}\x1b[0m`;
}
