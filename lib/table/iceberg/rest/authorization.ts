/**
 * How a catalog is told who asks: not at all, with a token that was given, or with one fetched for client credentials (OAuth2).
 *
 * Promise: a fetched token is renewed before it expires and once after it was refused, by one request however many wait for it.
 */
import { WeirError } from "../../../errors.ts";

/** Who asks. */
export type RestCredentials =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  | {
    readonly kind: "client";
    readonly clientId?: string;
    readonly clientSecret: string;
    /** What the token is to be good for. */
    readonly scope: string;
    /** Where tokens are given out. Default: the catalog itself, at `v1/oauth/tokens`. */
    readonly tokenUri?: string;
  };

/**
 * Client credentials as users write them, `id:secret` or the secret alone.
 *
 * @example
 * ```ts
 * import { clientCredential } from "./authorization.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(clientCredential("weir:se:cret"), { clientId: "weir", clientSecret: "se:cret" });
 * assert.deepEqual(clientCredential("secret"), { clientSecret: "secret" });
 * ```
 */
export function clientCredential(text: string): { readonly clientId?: string; readonly clientSecret: string } {
  const colon = text.indexOf(":");
  return colon < 0 ? { clientSecret: text } : { clientId: text.slice(0, colon), clientSecret: text.slice(colon + 1) };
}

/** What a token endpoint answered. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends a form to the token endpoint. Throws where there is no answer. */
export type TokenRequest = (uri: string, form: URLSearchParams) => Promise<TokenAnswer>;

interface Token {
  readonly text: string;
  /** When another one is fetched, milliseconds of `performance.now()`. */
  readonly renewAtMs: number;
}

/** Longest time before its end that a token is renewed, milliseconds; of short-lived ones, a tenth of their life. */
const longestMarginMs = 60_000;

/** Knows the token to send. */
export class Authorization {
  readonly #credentials: RestCredentials;
  readonly #request: TokenRequest;
  #current: Token | undefined;
  #coming: Promise<Token> | undefined;

  constructor(credentials: RestCredentials, request: TokenRequest) {
    this.#credentials = credentials;
    this.#request = request;
  }

  /** Texts that must never be shown. */
  get secrets(): readonly string[] {
    if (this.#credentials.kind === "none") return [];
    return [this.#credentials.kind === "token" ? this.#credentials.token : this.#credentials.clientSecret];
  }

  /**
   * The token to send now; undefined: none. `catalogUri` gives out tokens where the credentials do not say who does.
   *
   * @throws {WeirError} `authentication` where none is given out.
   */
  async token(catalogUri: string): Promise<string | undefined> {
    if (this.#credentials.kind === "none") return undefined;
    if (this.#credentials.kind === "token") return this.#credentials.token;
    if (this.#current !== undefined && performance.now() < this.#current.renewAtMs) return this.#current.text;
    this.#coming ??= this.#fetched(catalogUri).finally(() => this.#coming = undefined);
    this.#current = await this.#coming;
    return this.#current.text;
  }

  /** Takes note that a token was refused. Whether it is worth asking again. */
  refused(token: string | undefined): boolean {
    if (this.#credentials.kind !== "client") return false;
    if (this.#current?.text === token) this.#current = undefined;
    return true;
  }

  async #fetched(catalogUri: string): Promise<Token> {
    if (this.#credentials.kind !== "client") throw new TypeError("Only client credentials are exchanged for a token");
    const { clientId, clientSecret, scope, tokenUri = `${catalogUri}/v1/oauth/tokens` } = this.#credentials;
    const form = new URLSearchParams({ grant_type: "client_credentials", client_secret: clientSecret, scope });
    if (clientId !== undefined) form.set("client_id", clientId);
    const askedMs = performance.now();
    const { status, body } = await this.#request(tokenUri, form);
    const { access_token: text, expires_in: lifeSeconds, error } = (body ?? {}) as Record<string, unknown>;
    if (status !== 200 || typeof text !== "string") {
      const reason = typeof error === "string" ? `: ${error}` : "";
      throw new WeirError("authentication", `No token is given out at ${tokenUri} (HTTP ${status}${reason})`, {
        advice: "Check ICEBERG_REST_CREDENTIAL, --iceberg-oauth-scope and --iceberg-oauth-uri",
      });
    }
    const lifeMs = typeof lifeSeconds === "number" ? lifeSeconds * 1000 : Infinity;
    return { text, renewAtMs: askedMs + lifeMs - Math.min(longestMarginMs, lifeMs / 10) };
  }
}
