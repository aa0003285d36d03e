/** Every setting of every job, declared once. */
import { InvalidValue, type Setting } from "./setting.ts";
import {
  bytes,
  choice,
  choices,
  decimal,
  httpUrl,
  integer,
  list,
  secretText,
  secretUrl,
  text,
  toggle,
} from "./kinds.ts";

/** Vectors for one captured table, which may leave out its namespace: the columns whose texts they stand for. */
export interface EmbedRequest {
  readonly table: string;
  readonly columns: readonly string[];
}

/** The settings, under the names the jobs use. */
export const settings = {
  postgresUrl: secretUrl({
    environment: "POSTGRES_URL",
    help: "Capture from this server instead of the embedded one; nothing is generated there without --generate",
    protocols: ["postgres:", "postgresql:"],
  }),
  postgresPort: integer({
    flag: "postgres-port",
    help: "Port of the embedded server; without it the last one, or a free one",
    minimum: 1,
    maximum: 65_535,
  }),
  tables: list({
    flag: "tables",
    help:
      "Tables to capture, as namespace.table; * and ? stand for any characters and any one character, ! before one leaves it out",
    placeholder: "PATTERN,…",
  }),
  embed: embed(),
  sample: decimal({
    flag: "sample",
    help: "Share of the keys to compare, chosen by hash: the same share is the same keys",
    defaultText: "1",
    placeholder: "SHARE",
    minimum: 0.000001,
    maximum: 1,
  }),
  waitSeconds: decimal({
    flag: "wait-seconds",
    help: "Longest time to wait for a running job to carry its tables to where the source is",
    defaultText: "60",
    placeholder: "SECONDS",
    minimum: 0,
    maximum: 86_400,
  }),
  lake: text({
    flag: "lake",
    help: "Where the lake tables are: a folder, s3://bucket/prefix or gs://bucket/prefix",
    defaultText: "data/lake",
    placeholder: "PLACE",
  }),
  s3Endpoint: {
    ...httpUrl({
      flag: "s3-endpoint",
      environment: "AWS_ENDPOINT_URL_S3",
      help: "Object store of an s3:// or gs:// lake, where it is not AWS's or Google's own",
      placeholder: "http://127.0.0.1:9000",
    }),
    otherEnvironment: "AWS_ENDPOINT_URL",
  },
  s3Region: {
    ...text({
      flag: "s3-region",
      environment: "AWS_REGION",
      help: "Region of the bucket of an s3:// lake",
      defaultText: "us-east-1",
      placeholder: "REGION",
    }),
    otherEnvironment: "AWS_DEFAULT_REGION",
  },
  s3Addressing: choice({
    flag: "s3-addressing",
    help: "Whether the bucket's name stands in the path or before the host's name; auto: before it at AWS alone",
    defaultText: "auto",
    choices: ["auto", "path", "virtual"],
  }),
  lakeCacheBytes: bytes({
    flag: "lake-cache",
    help: "Disk space for files of a lake in a bucket that are read again and again",
    defaultText: "2GiB",
    minimum: 2 ** 20,
    maximum: 2 ** 45,
  }),
  awsAccessKeyId: text({
    environment: "AWS_ACCESS_KEY_ID",
    help: "Access key of an s3:// lake; HMAC key of a gs:// lake",
    placeholder: "AKIA…",
  }),
  awsSecretAccessKey: secretText({
    environment: "AWS_SECRET_ACCESS_KEY",
    help: "Secret of that key",
    placeholder: "the secret",
  }),
  awsSessionToken: secretText({
    environment: "AWS_SESSION_TOKEN",
    help: "Token of temporary credentials",
    placeholder: "the token",
  }),
  formats: choices({
    flag: "formats",
    help: "Table formats to write",
    defaultText: "iceberg,paimon",
    choices: ["iceberg", "paimon", "delta"],
  }),
  mirror: choices({
    flag: "mirror",
    help: "Formats in which Iceberg tables are shown too, out of the same files; not with --formats of the same name",
    defaultText: "none",
    choices: ["none", "delta", "paimon"],
  }),
  icebergVersion: choice({
    flag: "iceberg-version",
    help: "Version of new Iceberg tables: 3 deletes by deletion vectors, 2 by position deletes",
    defaultText: "3",
    choices: ["2", "3"],
  }),
  icebergCatalog: choice({
    flag: "iceberg-catalog",
    help: "What keeps the versions of Iceberg tables: files beside each table, or an Iceberg REST catalog",
    defaultText: "file",
    choices: ["file", "rest"],
  }),
  icebergRestUri: httpUrl({
    flag: "iceberg-rest-uri",
    help: "The REST catalog: the part before /v1/config",
    placeholder: "http://127.0.0.1:8181",
  }),
  icebergWarehouse: text({
    flag: "iceberg-warehouse",
    help: "Which of the REST catalog's warehouses, where it has several",
    placeholder: "NAME",
  }),
  icebergOauthUri: httpUrl({
    flag: "iceberg-oauth-uri",
    help: "Gives out tokens for ICEBERG_REST_CREDENTIAL; without it the REST catalog itself does",
    placeholder: "https://login.example/oauth/token",
  }),
  icebergOauthScope: text({
    flag: "iceberg-oauth-scope",
    help: "What such a token is to be good for",
    defaultText: "catalog",
    placeholder: "SCOPE",
  }),
  icebergRestToken: secretText({
    environment: "ICEBERG_REST_TOKEN",
    help: "Token that the REST catalog knows us by",
    placeholder: "the token",
  }),
  icebergRestCredential: secretText({
    environment: "ICEBERG_REST_CREDENTIAL",
    help: "OAuth2 client credentials that tokens are fetched with",
    placeholder: "client:secret",
  }),
  deltaDeletes: choice({
    flag: "delta-deletes",
    help:
      "How rows leave new Delta tables: marked by deletion vectors, or by writing their files anew, for older readers",
    defaultText: "vectors",
    choices: ["vectors", "rewrite"],
  }),
  model: choice({
    flag: "model",
    help: "Embedding model; hash (128 dimensions, or as many as named) is deterministic and carries no meaning",
    defaultText: "hash",
    choices: ["hash", "hash:128", "hash:256", "hash:384"],
  }),
  holders: integer({
    flag: "holders",
    help: "Account holders to generate",
    defaultText: "1000",
    minimum: 2,
    maximum: 100_000_000,
  }),
  payments: integer({
    flag: "payments",
    help: "Payments to generate; each is two rows, one per side",
    defaultText: "10000",
    minimum: 0,
    maximum: 1_000_000_000,
  }),
  seed: integer({
    flag: "seed",
    help: "Seed of the generator; the same seed and clock give the same rows",
    defaultText: "1",
    minimum: 0,
    maximum: 4_294_967_295,
  }),
  rate: integer({
    flag: "rate",
    help: "Rows a second that the generator writes while following; without it 1,000, or what SLEEP says",
    minimum: 1,
    maximum: 1_000_000,
  }),
  generate: toggle({
    flag: "generate",
    help: "Generate into the server of POSTGRES_URL too, creating the tables there",
  }),
  follow: toggle({ flag: "follow", help: "Run until Ctrl-C" }),
  resync: toggle({ flag: "resync", help: "Start over: new slot, and every table copied again" }),
  slot: text({
    flag: "slot",
    help: "Replication slot and publication at the source; without it a name made of the job and the lake's folder",
    placeholder: "NAME",
    only: { form: /^[a-z0-9_]{1,63}$/, remedy: "Give 1 to 63 of the characters a to z, 0 to 9 and _" },
  }),
  teardown: toggle({ flag: "teardown", help: "Drop the slot and the publication, and end" }),
  batchSeconds: decimal({
    flag: "batch-seconds",
    help: "Longest time between two table commits",
    defaultText: "1",
    placeholder: "SECONDS",
    minimum: 0.05,
    maximum: 3600,
  }),
  batchRows: integer({
    flag: "batch-rows",
    help: "Most rows in one micro-batch",
    defaultText: "100000",
    minimum: 1,
    maximum: 10_000_000,
  }),
  maxValueBytes: bytes({
    flag: "max-value-bytes",
    help: "Largest single value; a larger one becomes NULL and a dead letter",
    defaultText: "64MiB",
    minimum: 2 ** 10,
    maximum: 2 ** 29,
  }),
  maxRetainedWalBytes: bytes({
    flag: "max-retained-wal-bytes",
    help: "Write-ahead log the source may keep for a failing table before that table is given up",
    defaultText: "8GiB",
    minimum: 2 ** 20,
    maximum: 2 ** 50,
  }),
  deadLetterShare: decimal({
    flag: "dead-letter-share",
    help: "Share of dead letters among the rows above which the job stops",
    defaultText: "0.05",
    placeholder: "SHARE",
    minimum: 0,
    maximum: 1,
  }),
  memoryLimitBytes: bytes({
    flag: "memory-limit",
    help: "Memory DuckDB may use; the process itself needs some beside it",
    defaultText: "768MiB",
    minimum: 2 ** 26,
    maximum: 2 ** 45,
  }),
  threads: integer({
    flag: "threads",
    help: "Threads DuckDB may use for one statement; table formats and the next batch have one each beside it",
    defaultText: "1",
    minimum: 1,
    maximum: 512,
  }),
  upkeep: choice({
    flag: "upkeep",
    help: "Merge small files and expire old snapshots beside the batches, or leave that to deno task maintain",
    defaultText: "on",
    choices: ["on", "off"],
  }),
  targetFileBytes: bytes({
    flag: "target-file-size",
    help: "Size that data files are merged towards",
    defaultText: "128MiB",
    minimum: 2 ** 16,
    maximum: 2 ** 40,
  }),
  mergeFiles: integer({
    flag: "merge-files",
    help: "Files of about one size (Paimon: sorted runs of a bucket) that are merged once so many stand side by side",
    defaultText: "10",
    minimum: 2,
    maximum: 1000,
  }),
  deletedShare: decimal({
    flag: "deleted-share",
    help: "Share of deleted rows from which a large file is written anew",
    defaultText: "0.3",
    placeholder: "SHARE",
    minimum: 0.01,
    maximum: 1,
  }),
  keepHours: decimal({
    flag: "keep-hours",
    help: "How long snapshots are kept to be read; a Delta table made earlier keeps what its properties say, if longer",
    defaultText: "1",
    placeholder: "HOURS",
    minimum: 0,
    maximum: 876_000,
  }),
  keepSnapshots: integer({
    flag: "keep-snapshots",
    help: "Newest snapshots that are kept however old they are (Iceberg, Paimon)",
    defaultText: "10",
    minimum: 1,
    maximum: 1_000_000,
  }),
  mostSnapshots: integer({
    flag: "most-snapshots",
    help: "Snapshots that are kept at most, however young they are (Iceberg, Paimon)",
    minimum: 1,
    maximum: 1_000_000,
  }),
  dryRun: toggle({ flag: "dry-run", help: "Print what would be done, and do nothing" }),
  orphanDays: decimal({
    flag: "orphan-days",
    help: "Files that no table refers to are orphans from this age on; below 1 no other job may write meanwhile",
    defaultText: "3",
    placeholder: "DAYS",
    minimum: 0,
    maximum: 36_500,
  }),
  removeOrphans: toggle({
    flag: "remove-orphans",
    help: "Delete orphans. Without it they are counted: nothing brings back a file of somebody else's that lay there",
  }),
  bucketBytes: bytes({
    flag: "bucket-size",
    help: "Average size of a Paimon table's buckets from which more of them are advised",
    defaultText: "4GiB",
    minimum: 2 ** 10,
    maximum: 2 ** 50,
  }),
  rescale: toggle({ flag: "rescale", help: "Write Paimon tables whose buckets are too large anew, in more of them" }),
  json: toggle({ flag: "json", help: "Print one JSON object on standard output at the end, and nothing else there" }),
} as const;

/** `table:column,column`. Commas part columns, so that several tables take several flags, or semicolons in the environment. */
function embed(): Setting<readonly EmbedRequest[]> {
  return {
    flag: "embed",
    environment: "WEIR_EMBED",
    help:
      "Add vectors of these columns to a captured table; may be given several times (in the environment: part by ;)",
    placeholder: "TABLE:COLUMN,…",
    secret: false,
    repeatable: true,
    parse: (texts) => {
      const requests = texts.flatMap((given) => given.split(";")).filter((given) => given.trim() !== "").map(
        embedRequest,
      );
      return requests.find((request) => request instanceof InvalidValue) ?? requests.filter(isRequest);
    },
  };
}

function isRequest(request: EmbedRequest | InvalidValue): request is EmbedRequest {
  return !(request instanceof InvalidValue);
}

function embedRequest(given: string): EmbedRequest | InvalidValue {
  const colon = given.indexOf(":");
  const table = given.slice(0, Math.max(colon, 0)).trim();
  const columns = given.slice(colon + 1).split(",").map((name) => name.trim());
  if (table !== "" && columns.every((name) => name !== "")) return { table, columns };
  return new InvalidValue("does not name a table and its columns", "Write it as table:column,column");
}
