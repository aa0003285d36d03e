/** An Iceberg REST catalog: what it says of itself, and its namespaces and tables. */
import { WeirError } from "../../../errors.ts";
import { v7 } from "uuid";
import { type CatalogAnswer, CatalogClient, type CatalogClientOptions, type CatalogRequest } from "./catalog_client.ts";

/** Which catalog. */
export interface RestCatalogOptions extends CatalogClientOptions {
  /** Which of the catalog's warehouses, where it has several. */
  readonly warehouse?: string;
}

/** What a catalog asks its clients to keep to. */
interface CatalogConfig {
  /** Stands before every path, encoded; empty or with `/` at its end. */
  readonly prefix: string;
  /** Whether it knows a request again by its key. */
  readonly knowsKeys: boolean;
}

/** One catalog. It is first asked when it is first needed, or by {@linkcode connect}. */
export class RestCatalog {
  readonly client: CatalogClient;
  readonly #warehouse: string | undefined;
  #config: Promise<CatalogConfig> | undefined;

  constructor(options: RestCatalogOptions) {
    this.client = new CatalogClient(options);
    this.#warehouse = options.warehouse;
  }

  /** Throws `connection`, `authentication` or `precondition` where the catalog cannot be used. */
  async connect(): Promise<void> {
    await this.#configured();
  }

  /** Path of a namespace, or of something below it. */
  async path(namespace: string, ...below: readonly string[]): Promise<string> {
    const { prefix } = await this.#configured();
    return `v1/${prefix}${["namespaces", encodeURIComponent(namespace), ...below].join("/")}`;
  }

  /** Header by which a commit that is sent again is known to be the same; none where the catalog does not look at it. */
  async idempotencyHeader(): Promise<Readonly<Record<string, string>>> {
    const { knowsKeys } = await this.#configured();
    return knowsKeys ? { "Idempotency-Key": v7() } : {};
  }

  /** Makes a namespace unless it is there. */
  async ensureNamespace(namespace: string): Promise<void> {
    const { prefix } = await this.#configured();
    const found = await this.client.ask({
      method: "GET",
      path: await this.path(namespace),
      purpose: `look up namespace ${namespace}`,
    });
    if (found.status === 200) return;
    const request: CatalogRequest = {
      method: "POST",
      path: `v1/${prefix}namespaces`,
      body: { namespace: [namespace], properties: {} },
      purpose: `create namespace ${namespace}`,
    };
    // Making one twice is no harm: the second time it is there.
    const made = await this.client.ask(request);
    if (made.status !== 200 && made.status !== 409) throw this.client.refusal(request, made);
  }

  /** Namespaces of one level, sorted. */
  async namespaces(): Promise<readonly string[]> {
    const { prefix } = await this.#configured();
    const pages = await this.#pages(`v1/${prefix}namespaces`, "list namespaces");
    const found = pages.flatMap(({ namespaces }) => (namespaces ?? []) as string[][]);
    return found.filter((levels) => levels.length === 1).map(([name]) => name!).sort();
  }

  /** Names of the tables in a namespace, sorted. */
  async tables(namespace: string): Promise<readonly string[]> {
    const pages = await this.#pages(await this.path(namespace, "tables"), `list the tables of ${namespace}`);
    return pages.flatMap(({ identifiers }) => (identifiers ?? []) as { name: string }[]).map(({ name }) => name).sort();
  }

  /** What a table says of itself; undefined where there is none. */
  async tableProperties(namespace: string, name: string): Promise<Readonly<Record<string, string>> | undefined> {
    const path = await this.path(namespace, "tables", `${encodeURIComponent(name)}?snapshots=refs`);
    const answer = await this.#asked({ method: "GET", path, purpose: `load table ${namespace}.${name}` }, [404]);
    const { metadata } = (answer.body ?? {}) as { metadata?: { properties?: Record<string, string> } };
    return answer.status === 404 ? undefined : metadata?.properties ?? {};
  }

  async #pages(path: string, purpose: string): Promise<Record<string, unknown>[]> {
    const pages: Record<string, unknown>[] = [];
    for (let query = "";;) {
      const { body } = await this.#asked({ method: "GET", path: `${path}${query}`, purpose });
      const page = (body ?? {}) as Record<string, unknown>;
      pages.push(page);
      const next = page["next-page-token"];
      if (typeof next !== "string" || next === "") return pages;
      query = `?pageToken=${encodeURIComponent(next)}`;
    }
  }

  async #asked(request: CatalogRequest, answers: readonly number[] = []): Promise<CatalogAnswer> {
    const answer = await this.client.ask(request);
    if (answer.status === 200 || answers.includes(answer.status)) return answer;
    throw this.client.refusal(request, answer);
  }

  #configured(): Promise<CatalogConfig> {
    if (this.#config === undefined) {
      this.#config = this.#askForConfig();
      this.#config.catch(() => this.#config = undefined);
    }
    return this.#config;
  }

  async #askForConfig(): Promise<CatalogConfig> {
    const query = this.#warehouse === undefined ? "" : `?warehouse=${encodeURIComponent(this.#warehouse)}`;
    const request: CatalogRequest = { method: "GET", path: `v1/config${query}`, purpose: "tell its configuration" };
    const answer = await this.client.ask(request);
    const config = configOf(answer);
    if (config === undefined) throw this.#unusable(request, answer);
    const { uri, prefix = "" } = config.properties;
    if (uri !== undefined) this.client.moveTo(uri);
    const path = prefix.replace(/^\/+|\/+$/g, "");
    return { prefix: path === "" ? "" : `${path}/`, knowsKeys: config.knowsKeys };
  }

  #unusable(request: CatalogRequest, answer: CatalogAnswer): WeirError {
    if (answer.status !== 404 && answer.status !== 200) return this.client.refusal(request, answer);
    return new WeirError("precondition", `There is no Iceberg REST catalog at ${this.client.uri}`, {
      advice: "Check --iceberg-rest-uri: the part before /v1/config; and --iceberg-warehouse",
    });
  }
}

function configOf({ status, body }: CatalogAnswer) {
  if (status !== 200 || typeof body !== "object" || body === null) return undefined;
  const { defaults, overrides, "idempotency-key-lifetime": lifetime } = body as Record<string, unknown>;
  if (defaults === undefined && overrides === undefined) return undefined;
  return {
    properties: { ...defaults as object, ...overrides as object } as Readonly<Record<string, string>>,
    knowsKeys: typeof lifetime === "string",
  };
}
