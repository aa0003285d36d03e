/** Storages in an object store, and what may go wrong on the way there. */
import { S3Storage, type S3StorageOptions } from "../../lib/storage/s3/s3_storage.ts";
import type { RequestFault, RequestPlan } from "../../lib/testing/faulty_object_proxy.ts";
import type { ObjectServer } from "./object_server.ts";

let opened = 0;

/** A storage as another process would open it: its cache is its own, and it waits hardly at all before another try. */
export function storageOf(
  { bucket, prefix, credentials, endpoint }: ObjectServer,
  options: Partial<S3StorageOptions> & { readonly folder: string },
): S3Storage {
  return new S3Storage({
    location: { scheme: "s3", bucket, prefix: `${prefix}/a prefix/of it` },
    credentials,
    endpoint,
    region: "us-east-1",
    cacheFolder: `${options.folder}/cache${opened++}`,
    firstWaitMs: 1,
    ...options,
  });
}

/**
 * One request in four goes wrong, in every way there is by turns. The faults come at the same places each time, whatever runs
 * beside them; a request that meets several in a row gets through with one attempt more.
 */
export function everyFourth(): RequestPlan {
  const kinds: readonly RequestFault[] = ["denied", "busy", "lost", "cut", "half", "late"];
  let requests = 0;
  let faults = 0;
  return () => ++requests % 4 === 0 ? kinds[faults++ % kinds.length] : undefined;
}
