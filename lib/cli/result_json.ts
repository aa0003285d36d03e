/** A job's result as JSON. */

/**
 * One line. 64-bit integers beyond a double's exact range become texts: most readers of JSON would round them.
 *
 * @param indent Spaces of each level, on a line each. Default: none.
 */
export function resultJson(value: unknown, indent?: number): string {
  const plain = (_: string, part: unknown) => {
    if (typeof part !== "bigint") return part;
    return Number.isSafeInteger(Number(part)) ? Number(part) : String(part);
  };
  return JSON.stringify(value, plain, indent);
}
