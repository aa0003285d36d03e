/** What an object store's answers mean: which are worth another try, and what the others are called. */
import { WeirError } from "../../errors.ts";

/** An answer that asking again may better: the store is busy, restarting, or lost the connection. */
export class PassingFailure extends Error {
  override readonly name = "PassingFailure";
}

/** What of a request may be told. */
export interface AskedFor {
  readonly method: string;
  readonly bucket: string;
  readonly path: string;
  readonly endpoint: string;
  readonly region: string;
}

/** 409 is what a store answers while two conditional puts of one name are under way. */
const passingStatuses = new Set([408, 409, 425, 429]);
const passingCodes = new Set(["RequestTimeout", "SlowDown", "InternalError", "OperationAborted"]);
const credentialCodes = new Set(["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"]);

/** An answer that was not asked for, as an error. The body is read for its code alone: it may quote what was signed. */
export async function failureOf(response: Response, asked: AskedFor): Promise<Error> {
  const code = errorCode(await response.text());
  const what = `${response.status}${code === undefined ? "" : ` ${code}`}`;
  const isFull = response.status === 507 || code === "XMinioStorageFull" || code === "QuotaExceeded";
  // 501: what was asked for will never be there.
  const isTrouble = response.status >= 500 && response.status !== 501;
  if (!isFull && (isTrouble || passingStatuses.has(response.status) || passingCodes.has(code ?? ""))) {
    return new PassingFailure(`The store answered ${what} to ${asked.method} ${asked.path}`);
  }
  return errorOf({ what, isFull, code, region: response.headers.get("x-amz-bucket-region") }, { response, asked });
}

/** The code of an error document, `<Error><Code>…`. */
export function errorCode(document: string): string | undefined {
  return /<Error>[\s\S]*?<Code>([A-Za-z0-9.]+)<\/Code>/.exec(document)?.[1];
}

interface Refusal {
  readonly what: string;
  readonly isFull: boolean;
  readonly code: string | undefined;
  readonly region: string | null;
}

function errorOf(
  { what, isFull, code, region }: Refusal,
  { response: { status }, asked: { method, bucket, path, endpoint, region: used } }: {
    readonly response: Response;
    readonly asked: AskedFor;
  },
): WeirError {
  const detail = { path };
  if (isFull) return new WeirError("storageFull", `The object store is full (${what})`, { detail });
  if (code === "NoSuchBucket") {
    return new WeirError("precondition", `There is no bucket "${bucket}" at ${endpoint}`, {
      advice: "Make the bucket, or correct --lake or --s3-endpoint",
    });
  }
  if (code === "RequestTimeTooSkewed") {
    return new WeirError("precondition", "The object store's clock and this machine's differ too much", {
      advice: "Set this machine's clock",
    });
  }
  if (region !== null && region !== used) {
    return new WeirError("configuration", `The bucket "${bucket}" is in region ${region}, not ${used}`, {
      advice: `Give --s3-region ${region}`,
    });
  }
  // AWS calls expired tokens a bad request, and an answer to HEAD has no code to tell it by.
  const known = credentialCodes.has(code ?? "") || (status === 400 && method === "HEAD");
  if (known || status === 401 || status === 403) {
    const message = known ? `The object store at ${endpoint} does not take the access key` : `Not allowed: ${method}`;
    return new WeirError("authentication", `${message} (${what})`, {
      detail,
      advice: known
        ? "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN"
        : `Allow the access key to list, read, write and delete below ${bucket}`,
    });
  }
  return new WeirError("storage", `The object store answered ${what} to ${method}`, {
    detail,
    advice: "Check --lake, --s3-endpoint and --s3-region, and that the store speaks the S3 protocol",
  });
}
