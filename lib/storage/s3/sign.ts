/**
 * Request signatures of object stores: AWS Signature Version 4, and Google's form of it, which differs in names alone.
 *
 * The store computes the same over what arrives, so that a request that was altered on its way is refused.
 */
import { createHash, createHmac } from "node:crypto";
import type { Credentials } from "../other_place.ts";

/** How a family of stores spells what is the same. */
export interface Dialect {
  readonly algorithm: string;
  /** Stands before the secret where the key is derived. */
  readonly secretPrefix: string;
  readonly service: string;
  readonly terminator: string;
  /** Starts the names of headers that HTTP does not know. */
  readonly headerPrefix: string;
  /** Header under which a put fails where the object is there. */
  readonly ifAbsent: readonly [name: string, value: string];
}

/** `aws`: S3 and whatever speaks like it. `google`: Cloud Storage's XML API, which knows no `If-None-Match` on a put. */
export const dialects = {
  aws: {
    algorithm: "AWS4-HMAC-SHA256",
    secretPrefix: "AWS4",
    service: "s3",
    terminator: "aws4_request",
    headerPrefix: "x-amz-",
    ifAbsent: ["if-none-match", "*"],
  },
  google: {
    algorithm: "GOOG4-HMAC-SHA256",
    secretPrefix: "GOOG4",
    service: "storage",
    terminator: "goog4_request",
    headerPrefix: "x-goog-",
    ifAbsent: ["x-goog-if-generation-match", "0"],
  },
} as const satisfies Readonly<Record<string, Dialect>>;

/** Who signs, and how. */
export interface Signing {
  readonly dialect: Dialect;
  readonly credentials: Credentials;
  readonly region: string;
}

/** A request as it will be sent. */
export interface UnsignedRequest {
  readonly method: string;
  readonly host: string;
  /** Percent-encoded, from `/`. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. Every one is signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly at: Date;
}

/** The headers of a request with its signature. `host` is not among them: the sender sets it. */
export function signedHeaders(request: UnsignedRequest, signing: Signing): Record<string, string> {
  const { dialect: { algorithm, service, terminator, headerPrefix }, credentials, region } = signing;
  const time = request.at.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const bodyHash = sha256(request.body);
  const headers: Record<string, string> = {
    ...request.headers,
    [`${headerPrefix}content-sha256`]: bodyHash,
    [`${headerPrefix}date`]: time,
    ...(credentials.sessionToken === undefined ? {} : { [`${headerPrefix}security-token`]: credentials.sessionToken }),
  };
  const all = Object.entries({ ...headers, host: request.host }).sort(([left], [right]) => left < right ? -1 : 1);
  const names = all.map(([name]) => name).join(";");
  const canonical = [
    request.method,
    request.path,
    queryText(request.query),
    ...all.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, " ")}`),
    "",
    names,
    bodyHash,
  ].join("\n");
  const scope = [time.slice(0, 8), region, service, terminator];
  const text = [algorithm, time, scope.join("/"), sha256(canonical)].join("\n");
  const signature = hmac(signingKey(signing, scope), text).toString("hex");
  const credential = `Credential=${credentials.accessKeyId}/${scope.join("/")}`;
  return {
    ...headers,
    authorization: `${algorithm} ${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function signingKey({ dialect, credentials }: Signing, scope: readonly string[]): Uint8Array {
  const secret = new TextEncoder().encode(dialect.secretPrefix + credentials.secretAccessKey);
  return scope.reduce<Uint8Array>(hmac, secret);
}

/** A query as it stands in the URL and under the signature: sorted, every name with a value. */
export function queryText(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`);
  return pairs.sort().join("&");
}

/** RFC 3986: everything but unreserved characters. `encodeURIComponent` leaves five more alone. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function hmac(key: Uint8Array, text: string) {
  return createHmac("sha256", key).update(text).digest();
}
