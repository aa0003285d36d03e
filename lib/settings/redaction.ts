/** Takes secrets out of texts that are about to be shown or logged. */

const mask = "***";
const shortestSecret = 4;

/** Replaces secrets in a text. */
export type Redaction = (text: string) => string;

/**
 * A redaction that knows some secrets and the usual places of others: the password of any URL, and `password=…` as in
 * connection strings and query parameters.
 *
 * @example
 * ```ts
 * import { redaction } from "./redaction.ts";
 * import assert from "node:assert/strict";
 *
 * const redact = redaction([]);
 * assert.equal(redact("cannot reach postgres://me:s3cret@db/app"), "cannot reach postgres://me:***@db/app");
 * ```
 */
export function redaction(secrets: readonly string[]): Redaction {
  const known = [...new Set(secrets.flatMap(forms))].sort((left, right) => right.length - left.length);
  return (text) => {
    const withoutKnown = known.reduce((rest, secret) => rest.replaceAll(secret, mask), text);
    return withoutKnown
      .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s"'`]*@/gi, `$1${mask}@`)
      .replace(/(password|passwd|pwd)(\s*=\s*|"\s*:\s*")('[^']*'|[^\s&"',;]+)/gi, `$1$2${mask}`);
  };
}

/** A text of an object by its name: a password is none to be shown, whatever it is. */
export function redactedMember(name: string, text: string, redact: Redaction): string {
  return /(password|passwd|pwd)$/i.test(name) && text !== "" ? mask : redact(text);
}

/** A connection string gives away its password, as written and as decoded; any other secret is one as a whole, `id:secret` too. */
function forms(secret: string): string[] {
  const isUrl = secret.includes("://") && URL.canParse(secret);
  const password = isUrl ? new URL(secret).password : secret;
  const afterId = isUrl ? "" : secret.slice(secret.indexOf(":") + 1);
  return [password, decoded(password), afterId].filter((form) => form.length >= shortestSecret);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
