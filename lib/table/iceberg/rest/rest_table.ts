/**
 * The versions of one table in an Iceberg REST catalog: the catalog writes metadata, we write everything that it names.
 *
 * Promise: a commit whose answer was lost is looked up by its snapshot before anything else happens, and until it is certain that it
 * failed none of its files is removed.
 */
import { WeirError } from "../../../errors.ts";
import { failPoint } from "../../../fail_point.ts";
import type { Storage } from "../../../storage/storage.ts";
import { currentSchema, currentSpec, metadataOf, type TableMetadata } from "../metadata.ts";
import { ownProperties } from "../properties.ts";
import { putParts, removeParts } from "../put_commit.ts";
import type { IcebergStaged } from "../stage_commit.ts";
import { stateOf } from "../state.ts";
import type { CatalogCommit, TableCatalog, TableVersion } from "../table_catalog.ts";
import { createUpdates, tableUpdates } from "../table_updates.ts";
import type { CatalogAnswer, CatalogRequest } from "./catalog_client.ts";
import type { RestCatalog } from "./rest_catalog.ts";
import { TableKeys } from "./table_keys.ts";

/** Which table, and where its files are. */
export interface RestTableOptions {
  readonly catalog: RestCatalog;
  readonly storage: Storage;
  readonly namespace: string;
  readonly name: string;
}

/** A version as the catalog knows it. */
interface LoadedTable {
  readonly metadataUri: string;
  readonly metadata: TableMetadata;
}

/** Asks for keys to the table's files beside its metadata. */
const delegation = { "X-Iceberg-Access-Delegation": "vended-credentials" };
/** Tries of a commit that the catalog knows again by its key. */
const sameCommitTries = 3;

/** A table's versions in a catalog service. Several processes may commit: all but the first on a version are told. */
export class RestTable implements TableCatalog {
  readonly isService = true;
  readonly #options: RestTableOptions;
  readonly #keys: TableKeys;
  #version = 0;
  #newest: LoadedTable | undefined;
  #etag: string | undefined;

  constructor(options: RestTableOptions) {
    this.#options = options;
    this.#keys = new TableKeys(() => this.#askForKeys());
  }

  async load(known: TableVersion | undefined): Promise<TableVersion | undefined> {
    const isKnown = known !== undefined && known.metadata === this.#newest?.metadata;
    const request = await this.#request("load", {
      ...delegation,
      ...(isKnown && this.#etag !== undefined ? { "If-None-Match": this.#etag } : {}),
    });
    const answer = await this.#options.catalog.client.ask(request);
    if (answer.status === 304 && isKnown) return known;
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#options.catalog.client.refusal(request, answer);
    const loaded = loadedTable(answer);
    if (loaded === undefined) throw this.#options.catalog.client.refusal(request, answer);
    const folder = this.#reached(loaded.metadata.location, answer);
    if (isKnown && loaded.metadataUri === this.#newest?.metadataUri) return known;
    return { ...this.#took(loaded, answer), folder };
  }

  async create(metadata: TableMetadata): Promise<void> {
    const { catalog, namespace } = this.#options;
    await catalog.ensureNamespace(namespace);
    const given = await this.#givenPlace(metadata);
    if (given === undefined) return;
    const request = { ...await this.#request("create", delegation), body: createUpdates({ ...metadata, ...given }) };
    const { answer } = await this.#sent(asCommit(request));
    if (!(answer instanceof WeirError) && [200, 409].includes(answer.status)) return;
    if (await this.load(undefined) !== undefined) return;
    throw answer instanceof WeirError ? answer : catalog.client.refusal(request, answer);
  }

  async commit(staged: IcebergStaged): Promise<CatalogCommit> {
    const { storage } = this.#options;
    const request = asCommit({
      ...await this.#request("commit to"),
      body: tableUpdates(staged.base, staged.next.metadata),
    });
    try {
      await putParts(storage, staged);
    } catch (cause) {
      await removeParts(storage, staged);
      return { outcome: "retryable", cause };
    }
    const sent = await this.#sent(request).catch(async (thrown) => {
      await removeParts(storage, staged);
      throw thrown;
    });
    const { answer } = sent;
    if (answer instanceof WeirError) return { outcome: "unknown", cause: answer };
    if (answer.status === 200) return await this.#committed(staged, answer);
    const refusal = this.#options.catalog.client.refusal(request, answer);
    if (answer.status >= 500) return { outcome: "unknown", cause: refusal };
    return await this.#refused(staged, { status: answer.status, refusal, isOnlyTry: sent.tries === 1 });
  }

  async isCommitted(staged: IcebergStaged): Promise<boolean> {
    const found = await this.load(undefined);
    if (found === undefined) return false;
    const { snapshots, properties } = found.metadata;
    // Commits of others leave our mark, and some catalogs list the newest snapshot alone.
    if (properties[ownProperties.commitId] === staged.commitId) return true;
    return staged.snapshotId !== undefined && snapshots.some((each) => each["snapshot-id"] === staged.snapshotId);
  }

  async #askForKeys(): Promise<unknown> {
    const { client } = this.#options.catalog;
    const request = await this.#request("load", delegation);
    const answer = await client.ask(request);
    if (answer.status !== 200) throw client.refusal(request, answer);
    return answer.body;
  }

  /**
   * Uuid and location of a table that is to be made; undefined where somebody else has made it. In an object store the catalog says
   * where: it has keys to give out for places of its own alone.
   */
  async #givenPlace(metadata: TableMetadata): Promise<Pick<TableMetadata, "table-uuid" | "location"> | undefined> {
    const { catalog, storage, namespace, name } = this.#options;
    const request: CatalogRequest = {
      method: "POST",
      path: await catalog.path(namespace, "tables"),
      purpose: `create table ${namespace}.${name}`,
      headers: delegation,
      body: {
        name,
        ...(storage.reach === undefined ? { location: metadata.location } : {}),
        schema: currentSchema(metadata),
        "partition-spec": currentSpec(metadata),
        properties: { ...metadata.properties, "format-version": String(metadata["format-version"]) },
        // A plain creation would number the columns anew; this only reserves the place.
        "stage-create": true,
      },
    };
    const answer = await catalog.client.ask(request);
    if (answer.status === 409) return undefined;
    if (answer.status !== 200) throw catalog.client.refusal(request, answer);
    const { metadata: given } = answer.body as { readonly metadata: TableMetadata };
    this.#reached(given.location, answer);
    return { "table-uuid": given["table-uuid"], location: given.location };
  }

  async #committed(staged: IcebergStaged, answer: CatalogAnswer): Promise<CatalogCommit> {
    try {
      await failPoint("iceberg.afterCommit");
    } catch (cause) {
      return { outcome: "unknown", cause };
    }
    const { next } = staged;
    const result = { outcome: "committed", snapshotId: next.snapshotId ?? 0n, rows: next.rows } as const;
    const loaded = loadedTable(answer);
    if (loaded === undefined || loaded.metadata["current-snapshot-id"] !== next.snapshotId) return result;
    const { manifests, files, rows } = next;
    return { ...result, next: stateOf({ ...this.#took(loaded, answer), manifests, files }, rows) };
  }

  async #refused(
    staged: IcebergStaged,
    of: { readonly status: number; readonly refusal: WeirError; readonly isOnlyTry: boolean },
  ): Promise<CatalogCommit> {
    const { status, refusal } = of;
    // Whatever stands between us and the catalog may have sent the commit twice: then the first one is in the way.
    const isOurs = await this.isCommitted(staged).catch((cause: unknown) => ({ cause }));
    if (typeof isOurs === "object") return { outcome: "unknown", cause: isOurs.cause };
    if (isOurs) return { outcome: "committed", snapshotId: staged.next.snapshotId ?? 0n, rows: staged.next.rows };
    // An earlier try may still be on its way.
    if (!of.isOnlyTry) return { outcome: "unknown", cause: refusal };
    await removeParts(this.#options.storage, staged);
    if (status === 429) return { outcome: "retryable", cause: refusal };
    if (status === 409 || status === 404) return { outcome: "conflict" };
    throw refusal;
  }

  /** The answer to a commit, or why it is not known. Throws where nothing can have happened and no other try will help. */
  async #sent(
    request: CatalogRequest,
  ): Promise<{ readonly answer: CatalogAnswer | WeirError; readonly tries: number }> {
    const { client } = this.#options.catalog;
    const key = await this.#options.catalog.idempotencyHeader();
    const mostTries = Object.keys(key).length === 0 ? 1 : sameCommitTries;
    const keyed = { ...request, headers: { ...request.headers, ...key } };
    for (let tries = 1;; tries++) {
      const answer = await client.send(keyed).catch((thrown) => {
        if (thrown instanceof WeirError && (thrown.kind === "connection" || tries > 1)) return thrown;
        throw thrown;
      });
      const isCertain = !(answer instanceof WeirError) && answer.status < 500;
      if (isCertain || tries === mostTries) return { answer, tries };
      await new Promise((resolve) => setTimeout(resolve, client.firstWaitMs * tries));
    }
  }

  async #request(verb: string, headers: Readonly<Record<string, string>> = {}): Promise<CatalogRequest> {
    const { catalog, namespace, name } = this.#options;
    const path = await catalog.path(namespace, "tables", encodeURIComponent(name));
    return { method: "GET", path, purpose: `${verb} table ${namespace}.${name}`, headers };
  }

  #took(loaded: LoadedTable, { headers }: CatalogAnswer): Omit<TableVersion, "folder"> {
    this.#newest = loaded;
    this.#etag = headers.get("etag") ?? undefined;
    return { version: ++this.#version, metadata: loaded.metadata };
  }

  /** Has the storage reach a table's files as the catalog says, and gives their folder. */
  #reached(location: string, { body }: CatalogAnswer): string {
    const { storage, namespace, name } = this.#options;
    const uri = location.replace(/\/+$/, "");
    const given = this.#keys.take(body, uri);
    const access = given && { ...given, credentials: this.#keys.current };
    try {
      return storage.reach?.({ uri, ...(access === undefined ? {} : { access }) }) ?? storage.path(uri);
    } catch (cause) {
      const message = `The Iceberg catalog keeps ${namespace}.${name} where the lake cannot reach it`;
      const detail = { table: `${namespace}.${name}`, path: location };
      if (storage.reach !== undefined && cause instanceof WeirError) {
        throw new WeirError(cause.kind, `${message}: ${cause.message}`, { cause, detail, advice: cause.advice });
      }
      const advice = location.startsWith("file:")
        ? "Give a folder above the table's as --lake"
        : "Give a place in a bucket of that store as --lake, such as s3://bucket/prefix";
      throw new WeirError("precondition", message, { cause, detail, advice });
    }
  }
}

function asCommit(request: CatalogRequest): CatalogRequest {
  return { ...request, method: "POST" };
}

/** Undefined where the answer does not hold a table that this code can read. */
function loadedTable({ body }: CatalogAnswer): LoadedTable | undefined {
  const { "metadata-location": metadataUri, metadata } = (body ?? {}) as Record<string, unknown>;
  if (typeof metadataUri !== "string" || metadata === undefined) return undefined;
  return { metadataUri, metadata: metadataOf(metadata, metadataUri) };
}
