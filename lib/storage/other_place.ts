/** Places beside a lake's own, and how objects there are reached: under keys that somebody else may give out. */

/** A place beside a lake's own, or below it under other keys. */
export interface OtherPlace {
  /** Everything below it is meant. */
  readonly uri: string;
  /** Undefined: it is reached as the lake is. */
  readonly access?: GivenAddress & { readonly credentials: CredentialSource };
}

/** Where such objects are, as far as it is said; the rest is as for the lake. */
export interface GivenAddress {
  /** URL of the store. */
  readonly endpoint?: string;
  readonly region?: string;
  readonly addressing?: "path" | "virtual";
}

/** An access key. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}

/** Gives the keys to sign the next request with. `refused` are some that the store did not take: others are wanted. */
export type CredentialSource = (refused?: Credentials) => Promise<Credentials>;

/** Keys that were given out for a while, and for a part of a bucket alone. */
export interface GivenAccess extends GivenAddress {
  readonly credentials: Credentials;
  /** Epoch milliseconds; undefined where nobody says. */
  readonly expiresAtMs?: number;
}
