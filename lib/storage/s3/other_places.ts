/** Places in object stores beside the one that a storage is of, each with keys of its own or with the storage's. */
import { WeirError } from "../../errors.ts";
import type { OtherPlace } from "../other_place.ts";
import { bucketHost, ObjectClient, type ObjectClientOptions } from "./client.ts";

/** An object as its bucket knows it, and who asks there. */
export interface ObjectNamed {
  readonly client: ObjectClient;
  readonly key: string;
}

/** How the storage itself is reached. */
export type OwnAccess = Omit<ObjectClientOptions, "bucket">;

interface Known {
  readonly client: ObjectClient;
  /** What its client was made of: it lives as long as that is the same. */
  readonly like: string;
}

/** The places. */
export class OtherPlaces {
  readonly #own: OwnAccess;
  /** By URI with `/` at its end. */
  readonly #known = new Map<string, Known>();

  constructor(own: OwnAccess) {
    this.#own = own;
  }

  /**
   * Takes up a place. Throws `precondition` where it is in no object store of the storage's own kind, `configuration` where this
   * process may not speak with that store.
   */
  add({ uri, access }: OtherPlace): void {
    const [, scheme, bucket] = uriParts.exec(objectUri(uri)) ?? [];
    const detail = { path: uri };
    if (bucket === undefined || scheme !== this.#own.scheme) {
      throw new WeirError("precondition", `a lake in ${this.#own.scheme}:// does not reach ${uri}`, { detail });
    }
    const options = { ...this.#own, ...access, bucket };
    const host = bucketHost(options);
    if (Deno.permissions.querySync({ name: "net", host }).state !== "granted") {
      const advice = `Run the job with ${host} added to what --allow-net names beside its permission set`;
      throw new WeirError("configuration", `Deno's permissions do not reach ${host}`, { detail, advice });
    }
    const { endpoint, region, addressing } = options;
    const like = JSON.stringify([endpoint, region, addressing, access === undefined]);
    const place = `${objectUri(uri).replace(/\/+$/, "")}/`;
    if (this.#known.get(place)?.like === like) return;
    this.#known.set(place, { client: new ObjectClient(options), like });
  }

  /** An object of the innermost place that holds it; undefined where none does. */
  of(uri: string): ObjectNamed | undefined {
    let [within, found]: [string, Known | undefined] = ["", undefined];
    for (const [place, known] of this.#known) {
      if (`${uri}/`.startsWith(place) && place.length > within.length) [within, found] = [place, known];
    }
    const [, , , key = ""] = uriParts.exec(uri) ?? [];
    return found && { client: found.client, key };
  }
}

const uriParts = /^([a-z0-9]+):\/\/([^/]+)(?:\/(.*))?$/s;

/** Whether a path is that of an object in another place. */
export function isUri(path: string): boolean {
  return uriParts.test(path);
}

/** The one spelling of an object's URI: Hadoop calls `s3` by two other names. */
export function objectUri(uri: string): string {
  return uri.replace(/^s3[an]:\/\//, "s3://");
}
