/**
 * Requests to an Iceberg REST catalog.
 *
 * Our own client: `iceberg-js` 1.0.0 reads answers with JSON.parse, so that snapshot ids beyond 2^53 arrive rounded and every later
 * requirement on them fails; it reports a value that cannot be sent, a lost connection and a timeout all as status 0; and it can
 * neither send a request again under its idempotency key nor fetch a token.
 *
 * Promise: integers keep every digit; an answer is given back with its status whatever that is; only what brought no answer throws.
 */
import { WeirError } from "../../../errors.ts";
import { parseJson, stringifyJson } from "../../lossless_json.ts";
import { Authorization, type RestCredentials, type TokenAnswer } from "./authorization.ts";

/** Where a catalog is, and who asks. */
export interface CatalogClientOptions {
  /** Without `/v1`. */
  readonly uri: string;
  readonly credentials: RestCredentials;
  /** Longest time an answer may take, milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
  /** Wait before the second try of a question, milliseconds; doubled each time. Default 200. */
  readonly firstWaitMs?: number;
}

/** One request. */
export interface CatalogRequest {
  readonly method: "GET" | "POST";
  /** Below the catalog's URI, encoded. */
  readonly path: string;
  /** For messages: what is asked for, such as "load table bank.holders". */
  readonly purpose: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer of any status. */
export interface CatalogAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where it was not JSON. */
  readonly body: unknown;
}

/** Tries of a question, which may be asked again as often as one likes. */
const questionTries = 4;

/** One catalog. */
export class CatalogClient {
  #uri: string;
  readonly #authorization: Authorization;
  readonly #timeoutMs: number;
  /** Wait before a second try, milliseconds. */
  readonly firstWaitMs: number;

  constructor(options: CatalogClientOptions) {
    this.#uri = options.uri.replace(/\/+$/, "");
    this.#timeoutMs = options.timeoutMs ?? 60_000;
    this.firstWaitMs = options.firstWaitMs ?? 200;
    this.#authorization = new Authorization(options.credentials, (uri, form) => this.#askForToken(uri, form));
  }

  /** Where requests go. */
  get uri(): string {
    return this.#uri;
  }

  /** A catalog may say that its tables are asked for elsewhere. */
  moveTo(uri: string): void {
    this.#uri = uri.replace(/\/+$/, "");
  }

  /** Sends a request once, and once more under a new token where the token was refused. Throws `connection` without an answer. */
  async send(request: CatalogRequest): Promise<CatalogAnswer> {
    const token = await this.#authorization.token(this.#uri);
    const answer = await this.#exchange(request, token);
    if (![401, 419].includes(answer.status) || !this.#authorization.refused(token)) return answer;
    return await this.#exchange(request, await this.#authorization.token(this.#uri));
  }

  /** Asks until there is an answer other than one of trouble at the server. Only for what changes nothing. */
  async ask(request: CatalogRequest): Promise<CatalogAnswer> {
    return await this.#repeated(() => this.send(request));
  }

  /** What an answer means that nothing can be done with. */
  refusal(request: CatalogRequest, { status, body }: CatalogAnswer): WeirError {
    const { message, type } = ((body as { error?: unknown })?.error ?? {}) as Record<string, unknown>;
    const words = [type, message].filter((word) => typeof word === "string").join(": ").split("\n")[0]!.slice(0, 300);
    const said = this.#authorization.secrets.reduce((text, secret) => text.replaceAll(secret, "***"), words);
    const text = `The Iceberg catalog refused to ${request.purpose} (HTTP ${status}${said === "" ? "" : `, ${said}`})`;
    const detail = { detail: { path: this.#uri } };
    if ([401, 403, 419].includes(status)) {
      const advice = "Check ICEBERG_REST_TOKEN or ICEBERG_REST_CREDENTIAL, and what they are allowed in the catalog";
      return new WeirError("authentication", text, { ...detail, advice });
    }
    if (status >= 500 || status === 429) return new WeirError("connection", text, detail);
    return new WeirError("precondition", text, detail);
  }

  async #askForToken(uri: string, form: URLSearchParams): Promise<TokenAnswer> {
    return await this.#repeated(() => this.#fetched(uri, { method: "POST", body: form, headers: {} }));
  }

  async #repeated(work: () => Promise<CatalogAnswer>): Promise<CatalogAnswer> {
    for (let tries = 1, waitMs = this.firstWaitMs;; tries++, waitMs *= 2) {
      const isLast = tries === questionTries;
      const answer = await work().catch((thrown) => {
        if (isLast || !(thrown instanceof WeirError && thrown.kind === "connection")) throw thrown;
      });
      if (answer !== undefined && (isLast || (answer.status < 500 && answer.status !== 429))) return answer;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  async #exchange({ method, path, body, headers }: CatalogRequest, token: string | undefined): Promise<CatalogAnswer> {
    return await this.#fetched(`${this.#uri}/${path}`, {
      method,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: stringifyJson(body) }),
    });
  }

  async #fetched(uri: string, init: RequestInit): Promise<CatalogAnswer> {
    try {
      const response = await fetch(uri, { ...init, signal: AbortSignal.timeout(this.#timeoutMs) });
      const text = await response.text();
      const body = parsed(text);
      // An answer that was cut short is none.
      if (response.ok && text !== "" && body === undefined) throw new SyntaxError("The answer is not JSON");
      return { status: response.status, headers: response.headers, body };
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotCapable) throw thrown;
      const reason = (thrown as Error).name === "TimeoutError" ? `for ${this.#timeoutMs / 1000} seconds` : "";
      throw new WeirError("connection", `No answer from the Iceberg catalog ${reason}`.trimEnd(), {
        cause: thrown,
        detail: { path: new URL(uri).origin },
      });
    }
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
