/**
 * Requests to one bucket of an object store: signed, timed, and asked again while the store has passing trouble.
 *
 * Promise: what comes back is an answer that was asked for; anything else is thrown as ours, without a secret in it.
 */
import { WeirError } from "../../errors.ts";
import type { Credentials, CredentialSource } from "../other_place.ts";
import { type AskedFor, failureOf, PassingFailure } from "./answer.ts";
import { type Dialect, dialects, percentEncoded, queryText, signedHeaders } from "./sign.ts";

/** Where a bucket is, and who asks. */
export interface ObjectClientOptions {
  readonly scheme: "s3" | "gs";
  readonly bucket: string;
  /** Of a source, others are asked for once where these are refused. */
  readonly credentials: Credentials | CredentialSource;
  readonly region: string;
  /** URL of the store. Default: that of AWS in the region, or of Google. */
  readonly endpoint?: string;
  /**
   * Whether the bucket stands in the path or before the host's name. Default: before the host's name at AWS (unless a dot in
   * it would leave the certificate), in the path elsewhere.
   */
  readonly addressing?: "path" | "virtual";
  /** How long passing trouble of one request is borne, milliseconds. Default 120,000: a store that restarts is waited for. */
  readonly patienceMs?: number;
  /** Wait before the second attempt, milliseconds; doubled each time up to five seconds. Default 100. */
  readonly firstWaitMs?: number;
  /** How long one attempt may take beside the time its bytes take on a slow line, milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
}

/** One request. */
export interface ObjectRequest {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Name of the object in the bucket; empty for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** How many bytes an answer may bring, where they are many. */
  readonly answerBytes?: number;
  /** Statuses beside 2xx that are answers. */
  readonly answers?: readonly number[];
}

const nothing = new Uint8Array();
const longestWaitMs = 5000;
/** A line slower than this is taken for one that hangs. */
const slowestBytesPerMs = 30;

/** A client of one bucket. */
export class ObjectClient {
  readonly dialect: Dialect;
  readonly #options: ObjectClientOptions;
  readonly #region: string;
  /** URL of the bucket, without a slash at its end. */
  readonly #base: URL;

  /** Throws `RangeError` for an endpoint that is no URL. */
  constructor(options: ObjectClientOptions) {
    this.#options = options;
    this.dialect = options.scheme === "gs" ? dialects.google : dialects.aws;
    this.#region = options.scheme === "gs" ? "auto" : options.region;
    this.#base = bucketUrl(options);
  }

  /**
   * Sends a request until an answer has been read whole.
   *
   * @param read Takes the answer; what fails while it reads is asked for again.
   * @throws {WeirError} `connection` where the store stays out of reach, `authentication`, `precondition`, `storage` and
   * `storageFull` for what it answers.
   */
  async send<T>(request: ObjectRequest, read: (response: Response) => T | Promise<T>): Promise<T> {
    const { patienceMs = 120_000, firstWaitMs = 100 } = this.#options;
    const startedMs = performance.now();
    let refused: Credentials | undefined;
    for (let attempt = 1, waitMs = firstWaitMs;; attempt++, waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      const credentials = await this.#credentials(refused);
      try {
        return await this.#attempt({ ...request, credentials }, read);
      } catch (thrown) {
        if (isRefusal(thrown) && typeof this.#options.credentials === "function") {
          if (refused !== undefined) throw givenOut(thrown);
          refused = credentials;
          continue;
        }
        if (!isPassing(thrown)) throw thrown;
        if (performance.now() - startedMs + waitMs > patienceMs) throw this.#outOfReach(thrown, attempt);
        // Half of it at random: those who were turned away together do not come back together.
        await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random() / 2)));
      }
    }
  }

  async #credentials(refused: Credentials | undefined): Promise<Credentials> {
    const { credentials } = this.#options;
    return typeof credentials === "function" ? await credentials(refused) : credentials;
  }

  async #attempt<T>(
    request: ObjectRequest & { readonly credentials: Credentials },
    read: (response: Response) => T | Promise<T>,
  ): Promise<T> {
    const { method, key, query = {}, headers = {}, body = nothing, answerBytes = 0, credentials } = request;
    const { timeoutMs = 60_000 } = this.#options;
    const path = `${this.#base.pathname.replace(/\/$/, "")}/${key.split("/").map(percentEncoded).join("/")}`;
    const signed = signedHeaders(
      { method, host: this.#base.host, path, query, headers, body, at: new Date() },
      { dialect: this.dialect, credentials, region: this.#region },
    );
    const search = queryText(query);
    const response = await fetch(`${this.#base.origin}${path}${search === "" ? "" : `?${search}`}`, {
      method,
      headers: signed,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs + (body.length + answerBytes) / slowestBytesPerMs),
      ...(method === "PUT" || method === "POST" ? { body } : {}),
    });
    if (!response.ok && request.answers?.includes(response.status) !== true) {
      throw await failureOf(response, this.#askedFor(request));
    }
    try {
      return await read(response);
    } finally {
      if (!response.bodyUsed) await response.body?.cancel();
    }
  }

  #askedFor({ method, key }: ObjectRequest): AskedFor {
    const { bucket } = this.#options;
    return { method, bucket, path: key, endpoint: this.#base.origin, region: this.#region };
  }

  #outOfReach(cause: unknown, attempts: number): WeirError {
    const message = `The object store at ${this.#base.origin} failed ${attempts} times in a row: ${troubleText(cause)}`;
    return new WeirError("connection", message, { cause });
  }
}

/** Whether it was the keys that were not taken. */
function isRefusal(thrown: unknown): thrown is WeirError {
  return thrown instanceof WeirError && thrown.kind === "authentication";
}

/** The same of keys that nobody here has set. */
function givenOut({ message, detail }: WeirError): WeirError {
  const advice =
    "These keys came from the table's catalog: ask those who run it to allow reading, writing and deleting";
  return new WeirError("authentication", message, { detail, advice });
}

/** What a network does to a request (`fetch` throws `TypeError` for all of it), and what a store says that is busy. */
function isPassing(thrown: unknown): boolean {
  if (thrown instanceof PassingFailure || thrown instanceof TypeError) return true;
  if (thrown instanceof DOMException) return thrown.name === "TimeoutError";
  return thrown instanceof Deno.errors.Http || thrown instanceof Deno.errors.ConnectionReset ||
    thrown instanceof Deno.errors.UnexpectedEof || thrown instanceof Deno.errors.BrokenPipe;
}

/** What a trouble was, without the address that `fetch` puts before it. */
function troubleText(thrown: unknown): string {
  if (thrown instanceof PassingFailure) return thrown.message;
  if (thrown instanceof DOMException) return "it did not answer in time";
  if (thrown instanceof Error && thrown.cause !== undefined) return troubleText(thrown.cause);
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.replace(/^[\s\S]*: (?=[^:]+$)/, "").replace(/ \(os error \d+\)$/, "");
}

/** What {@linkcode bucketUrl} needs. */
export type BucketAddress = Pick<ObjectClientOptions, "scheme" | "bucket" | "region" | "endpoint" | "addressing">;

/** URL of a bucket: every request goes to its host. Throws `RangeError` for an endpoint that is no URL. */
export function bucketUrl(options: BucketAddress): URL {
  const { scheme, bucket, region } = options;
  const isAws = scheme === "s3" && options.endpoint === undefined;
  const own = scheme === "gs" ? "https://storage.googleapis.com" : `https://s3.${region}.amazonaws.com`;
  const endpoint = options.endpoint ?? own;
  if (!URL.canParse(endpoint)) throw new RangeError(`Cannot use "${endpoint}" as an endpoint: it is no URL`);
  const url = new URL(endpoint);
  const addressing = options.addressing ?? (isAws && !bucket.includes(".") ? "virtual" : "path");
  if (addressing === "virtual") url.host = `${bucket}.${url.host}`;
  else url.pathname = `${url.pathname.replace(/\/$/, "")}/${bucket}`;
  return url;
}

/** `host:port` of a bucket, as Deno's permissions spell it. */
export function bucketHost(options: BucketAddress): string {
  const { hostname, port, protocol } = bucketUrl(options);
  return `${hostname}:${port || (protocol === "http:" ? "80" : "443")}`;
}
