/** An Iceberg REST catalog in this process that fails on purpose: what is planned happens to the next request that it fits. */
import { parseJson, stringifyJson } from "../table/lossless_json.ts";
import { CatalogTables, type Json, Refusal } from "./catalog_tables.ts";

/**
 * `before`: refused with a 500, nothing happened. `after`: it happened, and the answer is a 502. `cut`: it happened, and half of the
 * answer arrives. `hang`: it happened, and no answer comes. `late`: no answer comes, and it happens a while later. `twice`: a proxy
 * sends it twice and hands on the second answer.
 */
export type CatalogFault = "before" | "after" | "cut" | "hang" | "late" | "twice" | { readonly status: number };

/** What arrived. */
export interface CatalogCall {
  readonly method: string;
  /** Below the URI, with what is asked. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** How the catalog behaves; may be changed while it runs. */
export interface CatalogBehaviour {
  /** Client secret. Undefined: nobody is asked for anything. */
  secret?: string;
  /** Life of a token, seconds. */
  tokenSeconds?: number;
  config: Json;
  /** Beside the metadata of every loaded table. */
  loaded: Json;
  /** Whether loads carry an ETag. */
  hasTags: boolean;
  /** How late a `late` request happens, milliseconds. */
  lateMs: number;
}

/** A catalog on loopback. Disposing stops it. */
export class RestCatalogServer implements AsyncDisposable {
  readonly uri: string;
  readonly tables = new CatalogTables();
  readonly calls: CatalogCall[] = [];
  readonly behaviour: CatalogBehaviour = {
    config: { defaults: {}, overrides: {} },
    loaded: {},
    hasTags: true,
    lateMs: 200,
  };
  /** Chooses the fault of a request; may be replaced while a test runs. */
  plan: (call: CatalogCall) => CatalogFault | undefined = () => undefined;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #tokens = new Set<string>();
  readonly #answers = new Map<string, unknown>();
  readonly #pending = new Set<Promise<void>>();
  readonly #released = Promise.withResolvers<void>();

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
    this.uri = `http://127.0.0.1:${this.#server.addr.port}/catalog`;
  }

  /** Whether a request changes a table, a creation's last step included. */
  static isCommit({ method, path }: CatalogCall): boolean {
    return method === "POST" && /\/tables\/[^/]+$/.test(path);
  }

  /** Tokens given out so far are worth nothing any more. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#released.resolve();
    await Promise.all(this.#pending);
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { method, headers } = request;
    const path = request.url.slice(this.uri.length);
    const call = { method, path, headers, body: await request.text() };
    this.calls.push(call);
    const fault = this.plan(call);
    if (fault === undefined) return this.#handled(call);
    if (typeof fault === "object") return refused(new Refusal(fault.status, "PlannedException", "Planned"));
    if (fault === "before") return refused(new Refusal(500, "PlannedException", "Planned"));
    if (fault === "late") return await this.#late(call);
    const happened = this.#handled(call);
    if (fault === "twice") return this.#handled(call);
    if (fault === "after") return refused(new Refusal(502, "PlannedException", "Planned"));
    if (fault === "cut") return new Response((await happened.text()).slice(0, 20), { status: happened.status });
    await this.#released.promise;
    return happened;
  }

  async #late(call: CatalogCall): Promise<Response> {
    const later = new Promise((resolve) => setTimeout(resolve, this.behaviour.lateMs)).then(() => {
      this.#handled(call);
    });
    this.#pending.add(later);
    await this.#released.promise;
    return refused(new Refusal(504, "PlannedException", "Planned"));
  }

  #handled(call: CatalogCall): Response {
    try {
      return this.#routed(call);
    } catch (thrown) {
      if (thrown instanceof Refusal) return refused(thrown);
      throw thrown;
    }
  }

  #routed(call: CatalogCall): Response {
    const { method, path, body } = call;
    if (path === "/v1/oauth/tokens") return this.#token(new URLSearchParams(body));
    this.#requireToken(call);
    if (path.startsWith("/v1/config")) return json(this.#config(path));
    const [, prefix = "", namespace, staged, table] =
      /^\/v1\/(?:([^/]+)\/)?namespaces(?:\/([^/?]+))?(\/tables)?(?:\/([^/?]+))?/.exec(path)?.map(decoded) ?? [];
    if (!path.startsWith(`/v1/${prefix === "" ? "" : `${prefix}/`}namespaces`)) {
      throw new Refusal(404, "NotFoundException", `No route for ${path}`);
    }
    const given = body === "" ? {} : parseJson(body) as Json;
    if (method === "GET" && (namespace === undefined || (staged !== undefined && table === undefined))) {
      return this.#page(call, { prefix, namespace });
    }
    if (namespace === undefined) return this.#madeNamespace(`${prefix}/${(given.namespace as string[]).join()}`);
    const name = `${prefix}/${namespace}`;
    if (staged === undefined) return this.#foundNamespace(name);
    if (table === undefined) return json(this.tables.stage(name, given));
    return method === "POST" ? this.#committed(call, `${name}.${table}`) : this.#loaded(call, `${name}.${table}`);
  }

  /** Listings come one entry a page. */
  #page({ path }: CatalogCall, of: { readonly prefix: string; readonly namespace: string | undefined }): Response {
    const { prefix, namespace } = of;
    const at = Number(new URL(path, this.uri).searchParams.get("pageToken") ?? "0");
    const names = namespace === undefined
      ? [...this.tables.namespaces].filter((name) => name.startsWith(`${prefix}/`)).map((name) =>
        name.slice(prefix.length + 1)
      )
      : this.tables.names(`${prefix}/${namespace}`);
    const page = names.slice(at, at + 1);
    const entries = namespace === undefined
      ? { namespaces: page.map((name) => name.split("|")) }
      : { identifiers: page.map((name) => ({ namespace: [namespace], name })) };
    return json({ ...entries, ...at + 1 < names.length ? { "next-page-token": String(at + 1) } : {} });
  }

  #madeNamespace(name: string): Response {
    if (this.tables.namespaces.has(name)) throw new Refusal(409, "AlreadyExistsException", "Namespace already exists");
    this.tables.namespaces.add(name);
    return json({ namespace: [name] });
  }

  #foundNamespace(name: string): Response {
    if (!this.tables.namespaces.has(name)) throw new Refusal(404, "NoSuchNamespaceException", "No namespace");
    return json({ namespace: [name] });
  }

  /** A commit under a key that is known has happened: it is answered as the first time. */
  #committed({ headers, body }: CatalogCall, table: string): Response {
    const key = headers.get("idempotency-key");
    const known = key === null ? undefined : this.#answers.get(key);
    const answer = known ?? this.tables.commit(table, parseJson(body) as Json);
    if (key !== null) this.#answers.set(key, answer);
    return json(answer);
  }

  #loaded(call: CatalogCall, table: string): Response {
    const loaded = this.tables.load(table);
    const tag = `"${loaded["metadata-location"]}"`;
    if (this.behaviour.hasTags && call.headers.get("if-none-match") === tag) return new Response(null, { status: 304 });
    return json({ ...loaded, ...this.behaviour.loaded }, this.behaviour.hasTags ? { etag: tag } : {});
  }

  /** A warehouse is told by a prefix of its own. */
  #config(path: string): Json {
    const warehouse = new URL(path, this.uri).searchParams.get("warehouse");
    if (warehouse === null) return this.behaviour.config;
    const prefix = warehouse.replaceAll(/\W+/g, "-");
    return { ...this.behaviour.config, overrides: { ...this.behaviour.config.overrides as Json, prefix } };
  }

  #token(form: URLSearchParams): Response {
    const { secret, tokenSeconds } = this.behaviour;
    if (form.get("grant_type") !== "client_credentials" || form.get("client_secret") !== secret) {
      return json({ error: "invalid_client", error_description: "Wrong secret" }, {}, 401);
    }
    const token = crypto.randomUUID();
    this.#tokens.add(token);
    const life = tokenSeconds === undefined ? {} : { expires_in: tokenSeconds };
    return json({ access_token: token, token_type: "bearer", ...life });
  }

  #requireToken({ headers }: CatalogCall): void {
    if (this.behaviour.secret === undefined) return;
    const token = headers.get("authorization")?.replace(/^Bearer /, "");
    if (token === undefined || !this.#tokens.has(token)) {
      throw new Refusal(401, "NotAuthorizedException", "Not authorized");
    }
  }
}

function refused({ status, type, message }: Refusal): Response {
  return json({ error: { message, type, code: status } }, {}, status);
}

function json(body: unknown, headers: Record<string, string> = {}, status = 200): Response {
  return new Response(stringifyJson(body), { status, headers: { "content-type": "application/json", ...headers } });
}

function decoded(text: string): string {
  return text === undefined ? text : decodeURIComponent(text);
}
