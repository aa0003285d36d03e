/** An Iceberg REST catalog of another maker with the object store below it, as tests and jobs are told of it. */
import type { StoreCredentials } from "./store_program.ts";

/** Where a catalog can be had. */
export interface CatalogKind {
  readonly name: string;
  /** Why it cannot be started; undefined where it can. */
  readonly missing: () => Promise<string | undefined>;
  readonly start: () => Promise<CatalogPeer>;
}

/** A running catalog. Disposing ends it. */
export interface CatalogPeer extends AsyncDisposable {
  readonly uri: string;
  readonly warehouse?: string;
  /** OAuth2 client credentials; undefined where nobody is asked who they are. */
  readonly credential?: string;
  /** A place for a lake, which the catalog need not know. */
  readonly lake: string;
  /** How the lake is reached. */
  readonly store: StoreAccess;
  /** How those who run the catalog reach its tables' files. */
  readonly tables: StoreAccess;
  /** The greatest version of tables that it takes. */
  readonly icebergVersion: "2" | "3";
  /** Whether it keeps the past of its tables itself, and removes their files. */
  readonly keepsThePast: boolean;
}

/** An object store and keys to it. */
export interface StoreAccess {
  readonly endpoint: string;
  readonly credentials: StoreCredentials;
}

/** Flags of jobs that name a catalog. */
export function catalogFlags({ uri, warehouse }: CatalogPeer): Record<string, string> {
  return {
    "iceberg-catalog": "rest",
    "iceberg-rest-uri": uri,
    ...(warehouse === undefined ? {} : { "iceberg-warehouse": warehouse }),
  };
}

/** The environment in which jobs find a catalog and the lake's store. */
export function catalogEnvironment({ store, credential }: CatalogPeer): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: store.endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: store.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.credentials.secretAccessKey,
    ...(credential === undefined ? {} : { ICEBERG_REST_CREDENTIAL: credential }),
  };
}

/** How pyiceberg is told of a catalog. It is given keys by the catalog, or else those of who runs it. */
export function pyicebergProperties({ uri, warehouse, credential, tables }: CatalogPeer): string {
  const { endpoint, credentials } = tables;
  return JSON.stringify({
    uri,
    ...(warehouse === undefined ? {} : { warehouse }),
    ...(credential === undefined ? {} : { credential }),
    "s3.endpoint": endpoint,
    "s3.region": "us-east-1",
    "s3.access-key-id": credentials.accessKeyId,
    "s3.secret-access-key": credentials.secretAccessKey,
  });
}
