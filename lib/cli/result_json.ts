/** A job's result as JSON. */
import { redactedMember, type Redaction } from "../settings/redaction.ts";

/**
 * One line. 64-bit integers beyond a double's exact range become texts: most readers of JSON would round them.
 *
 * @param redact Takes the secrets out of each text in it. JSON as a whole must not be redacted: it writes a quote in a secret in another
 * way, and a secret of digits can stand in a number.
 * @param indent Spaces of each level, on a line each. Default: none.
 */
export function resultJson(value: unknown, redact: Redaction, indent?: number): string {
  const plain = (name: string, part: unknown) => {
    if (typeof part === "string") return redactedMember(name, part, redact);
    if (typeof part !== "bigint") return part;
    return Number.isSafeInteger(Number(part)) ? Number(part) : String(part);
  };
  return JSON.stringify(value, plain, indent);
}
