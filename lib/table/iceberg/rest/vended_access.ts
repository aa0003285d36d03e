/** Keys to a table's files that a catalog gives out with the table ("vended credentials"), for a while and for that table alone. */
import type { GivenAccess } from "../../../storage/other_place.ts";

type Properties = Readonly<Record<string, string | undefined>>;

/**
 * The keys in an answer that loads a table: those of the longest prefix that the location starts with, over the table's own
 * configuration. Undefined where there are none for an S3-compatible store.
 *
 * @param answer A `LoadTableResult`.
 */
export function vendedAccess(answer: unknown, location: string): GivenAccess | undefined {
  const { config, "storage-credentials": vended } = (answer ?? {}) as {
    readonly config?: Properties;
    readonly "storage-credentials"?: readonly { readonly prefix: string; readonly config: Properties }[];
  };
  const [closest] = (vended ?? []).filter(({ prefix }) => location.startsWith(prefix))
    .sort((left, right) => right.prefix.length - left.prefix.length);
  return accessOf({ ...config, ...closest?.config });
}

function accessOf(properties: Properties): GivenAccess | undefined {
  const accessKeyId = properties["s3.access-key-id"];
  const secretAccessKey = properties["s3.secret-access-key"];
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = properties["s3.session-token"];
  const expiresAt = properties["s3.session-token-expires-at-ms"];
  const endpoint = properties["s3.endpoint"];
  const region = properties["client.region"] ?? properties["s3.region"];
  const pathStyle = properties["s3.path-style-access"];
  return {
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
    ...(expiresAt && Number.isFinite(Number(expiresAt)) ? { expiresAtMs: Number(expiresAt) } : {}),
    ...(endpoint ? { endpoint } : {}),
    ...(region ? { region } : {}),
    ...(pathStyle ? { addressing: pathStyle === "true" ? "path" : "virtual" } as const : {}),
  };
}
