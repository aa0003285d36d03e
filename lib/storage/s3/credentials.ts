/** The keys of a bucket, out of the settings that hold them. */
import { WeirError } from "../../errors.ts";
import type { Credentials } from "../other_place.ts";

/** As the environment names them. */
export interface AwsKeys {
  readonly awsAccessKeyId: string | undefined;
  readonly awsSecretAccessKey: string | undefined;
  readonly awsSessionToken: string | undefined;
}

/** Throws `configuration` where one of the two that are needed is missing. */
export function credentialsOf({ awsAccessKeyId, awsSecretAccessKey, awsSessionToken }: AwsKeys): Credentials {
  if (awsAccessKeyId === undefined || awsSecretAccessKey === undefined) {
    throw new WeirError("configuration", "There is no access key for the lake's bucket", {
      advice: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment or in .env",
    });
  }
  return {
    accessKeyId: awsAccessKeyId,
    secretAccessKey: awsSecretAccessKey,
    ...(awsSessionToken === undefined ? {} : { sessionToken: awsSessionToken }),
  };
}
