/** Where in an object store a lake lies, as users write it: `s3://bucket/prefix` or `gs://bucket/prefix`. */
import { WeirError } from "../../errors.ts";

/** A bucket, and what stands before every name of the lake in it. */
export interface ObjectLocation {
  readonly scheme: "s3" | "gs";
  readonly bucket: string;
  /** Without slashes at its ends; empty where the lake is the whole bucket. */
  readonly prefix: string;
}

/**
 * The place that a text names; undefined where it names a folder.
 *
 * @throws {WeirError} `configuration` where it names neither.
 * @example
 * ```ts
 * import { objectLocation } from "./location.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(objectLocation("s3://lake/shop/"), { scheme: "s3", bucket: "lake", prefix: "shop" });
 * assert.equal(objectLocation("data/lake"), undefined);
 * assert.throws(() => objectLocation("s3:/lake/shop"), /names neither a folder nor a place in a bucket/);
 * ```
 */
export function objectLocation(lake: string): ObjectLocation | undefined {
  const [, scheme, rest = ""] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(lake) ?? /^(s3|gs):/i.exec(lake) ?? [];
  if (scheme === undefined) return undefined;
  const [bucket = "", ...names] = rest.split("/");
  const prefix = names.filter((name) => name !== "").join("/");
  const isName = (text: string) => text !== "." && text !== "..";
  if ((scheme === "s3" || scheme === "gs") && /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/.test(bucket)) {
    if (names.every(isName)) return { scheme, bucket, prefix };
  }
  throw new WeirError(
    "configuration",
    `--lake ${JSON.stringify(lake)} names neither a folder nor a place in a bucket`,
    {
      advice: "Give a folder, s3://bucket/prefix or gs://bucket/prefix",
    },
  );
}

/** The one spelling of a location, with which every URI below it starts. */
export function locationUri({ scheme, bucket, prefix }: ObjectLocation): string {
  return [`${scheme}://${bucket}`, ...prefix === "" ? [] : [prefix]].join("/");
}
