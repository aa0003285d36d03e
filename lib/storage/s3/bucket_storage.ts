/** A bucket as settings describe it: where it is reached, and with which keys. */
import type { BucketAddress } from "./client.ts";
import { type AwsKeys, credentialsOf } from "./credentials.ts";
import type { ObjectLocation } from "./location.ts";
import { S3Storage } from "./s3_storage.ts";

/** What of the settings is about a lake's bucket. */
export interface BucketSettings extends AwsKeys {
  readonly s3Endpoint: string | undefined;
  readonly s3Region: string;
  readonly s3Addressing: "auto" | "path" | "virtual";
  readonly lakeCacheBytes: number;
}

/** Where the bucket of a lake is reached. */
export function bucketAddress(
  settings: Omit<BucketSettings, keyof AwsKeys | "lakeCacheBytes">,
  { scheme, bucket }: ObjectLocation,
): BucketAddress {
  const { s3Endpoint, s3Region, s3Addressing } = settings;
  return {
    scheme,
    bucket,
    region: s3Region,
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
    ...(s3Addressing === "auto" ? {} : { addressing: s3Addressing }),
  };
}

/**
 * The storage of a lake in a bucket.
 *
 * @param place.cacheFolder Absolute; takes copies of the bucket's files.
 *
 * Throws `configuration` where there is no access key.
 */
export function bucketStorage(
  settings: BucketSettings,
  { location, cacheFolder }: { readonly location: ObjectLocation; readonly cacheFolder: string },
): S3Storage {
  return new S3Storage({
    ...bucketAddress(settings, location),
    location,
    credentials: credentialsOf(settings),
    cacheFolder,
    cacheBytes: settings.lakeCacheBytes,
  });
}
