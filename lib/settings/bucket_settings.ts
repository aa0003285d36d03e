/** The settings of a lake in a bucket: how it is reached, and with which keys. */
import { settings } from "./declarations.ts";

/** Declarations, in the order `--help` shows them. */
export const bucketSettings = {
  s3Endpoint: settings.s3Endpoint,
  s3Region: settings.s3Region,
  s3Addressing: settings.s3Addressing,
  lakeCacheBytes: settings.lakeCacheBytes,
  awsAccessKeyId: settings.awsAccessKeyId,
  awsSecretAccessKey: settings.awsSecretAccessKey,
  awsSessionToken: settings.awsSessionToken,
};
