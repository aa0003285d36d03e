import assert from "node:assert/strict";
import { WeirError } from "../errors.ts";
import { settings } from "./declarations.ts";
import { environmentExample } from "./environment_example.ts";
import { paymentSettings } from "../domain/payments/settings.ts";
import { generatorSettings, pickListVariable } from "./generator.ts";
import { bytes, choices, decimal, integer, list, toggle } from "./kinds.ts";
import { nearest } from "./nearest.ts";
import { redaction } from "./redaction.ts";
import { givenFlags, givenSecrets, resolveSettings, type SettingSources } from "./resolve.ts";
import { type Declarations, InvalidValue } from "./setting.ts";

const everySetting = { ...settings, ...generatorSettings };

function sources(given: {
  readonly flags?: Record<string, string[]>;
  readonly environment?: Record<string, string>;
  readonly file?: Record<string, string>;
}): SettingSources {
  return {
    flags: new Map(Object.entries(given.flags ?? {})),
    environment: (name) => given.environment?.[name],
    file: given.file ?? {},
  };
}

function configurationError(matching: RegExp): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof WeirError && thrown.kind === "configuration" && matching.test(thrown.message);
}

Deno.test("every default is a valid value, and names are unique", () => {
  const values = resolveSettings(settings, sources({}));
  assert.equal(values.lake, "data/lake");
  assert.deepEqual(values.formats, ["iceberg", "paimon"]);
  assert.equal(values.batchSeconds, 1);
  assert.equal(values.maxValueBytes, 64 * 2 ** 20);
  assert.equal(values.postgresUrl, undefined);
  assert.deepEqual(values.tables, []);
  assert.equal(values.follow, false);
  const declared: Declarations = everySetting;
  const names = Object.values(declared).map(({ environment }) => environment);
  assert.equal(new Set(names).size, names.length);
});

Deno.test("a flag goes before the environment, that before .env, that before the default", () => {
  const declared = { rate: settings.rate };
  const environment = { WEIR_RATE: "20" };
  const file = { WEIR_RATE: "30" };
  const rate = (given: Parameters<typeof sources>[0]) => resolveSettings(declared, sources(given)).rate;
  assert.equal(rate({ flags: { rate: ["10"] }, environment, file }), 10);
  assert.equal(rate({ environment, file }), 20);
  assert.equal(rate({ file }), 30);
  assert.equal(resolveSettings({ lake: settings.lake }, sources({})).lake, "data/lake");
  assert.equal(rate({ environment: { WEIR_RATE: "" }, file }), 30, "an empty variable is no value");
});

Deno.test("a wrong value names the setting, its origin and the remedy", () => {
  const attempt = () => resolveSettings({ rate: settings.rate }, sources({ environment: { WEIR_RATE: "fast" } }));
  assert.throws(attempt, configurationError(/--rate "fast" \(environment WEIR_RATE\) is not a whole number/));
  assert.throws(attempt, { advice: "Give a number from 1 to 1,000,000" });
});

Deno.test("the generator's settings take what the generator can read, and refuse the rest with their names", () => {
  const given = { NUM_ACCOUNTS: "2", ROE: " 17.25 ", PICK_LIST_EVENT_TYPE: "a:1,b:2" };
  const values = resolveSettings(generatorSettings, sources({ environment: given }));
  assert.deepEqual([values.NUM_ACCOUNTS, values.ROE, values.NUM_CREDCARDS], ["2", "17.25", "2"]);
  assert.equal(values[pickListVariable("eventType")], "a:1,b:2");
  assert.equal(paymentSettings(values).rateMillionths, 17_250_000n);
  const wrong: Readonly<Record<string, RegExp>> = {
    NUM_ACCOUNTS: /NUM_ACCOUNTS "x" \(environment NUM_ACCOUNTS\) cannot be used/,
    ROE: /ROE/,
    COUNTRY_CODE: /COUNTRY_CODE/,
    PICK_LIST_GENDER: /PICK_LIST_GENDER "x" .* is no list of gender: Cannot read value 1/,
    PICK_LIST_MEMBER: /is no list of member/,
  };
  for (const [name, message] of Object.entries(wrong)) {
    const attempt = () => resolveSettings(generatorSettings, sources({ environment: { [name]: "x" } }));
    assert.throws(attempt, configurationError(message));
  }
});

Deno.test("the main job may read every environment name of the generator, and no other job may", async () => {
  const text = await Deno.readTextFile(new URL("../../deno.json", import.meta.url));
  const { permissions } = JSON.parse(text) as { permissions: Record<string, { env?: readonly string[] | boolean }> };
  const granted = (set: string, name: string) => {
    const names = permissions[set]?.env;
    return Array.isArray(names) &&
      names.some((held) => held === name || (held.endsWith("*") && name.startsWith(held.slice(0, -1))));
  };
  for (const { environment, flag } of Object.values(generatorSettings)) {
    assert.ok(granted("pipeline", environment), environment);
    if (flag === undefined) assert.ok(!granted("capture", environment), environment);
  }
});

Deno.test("what was given is flags again: in order, without secrets, without what .env gives the next time too", () => {
  const given = {
    flags: { lake: ["--odd"], tables: ["a,!b", "c"], follow: ["true"], generate: ["false"] },
    environment: { POSTGRES_URL: "postgres://me:s3cret@db/app", WEIR_RATE: "5", WEIR_RESYNC: "yes", WEIR_LAKE: "no" },
    file: { WEIR_SEED: "7" },
  };
  assert.equal(
    givenFlags(settings, sources(given)).join(" "),
    "--tables a,!b --tables c --lake=--odd --rate 5 --no-generate --follow --resync",
  );
});

Deno.test("a secret is not shown in the error about it", () => {
  const attempt = () => resolveSettings(settings, sources({ environment: { POSTGRES_URL: "s3cret" } }));
  assert.throws(attempt, (thrown) =>
    configurationError(/^POSTGRES_URL .*is not a connection string/)(thrown) &&
    !(thrown as WeirError).message.includes("s3cret"));
});

Deno.test("numbers, sizes, lists and switches read what people write", () => {
  const described = { flag: "x", help: "", minimum: 0, maximum: 10 ** 12, defaultText: "1" };
  assert.equal(integer(described).parse(["1_000,000"]), 1_000_000);
  assert.ok(integer(described).parse(["1.5"]) instanceof InvalidValue);
  assert.ok(integer(described).parse(["-1"]) instanceof InvalidValue);
  assert.equal(decimal({ ...described, placeholder: "S" }).parse([".25"]), 0.25);
  assert.equal(bytes(described).parse(["1.5GiB"]), 1.5 * 2 ** 30);
  assert.ok(bytes(described).parse(["5 apples"]) instanceof InvalidValue);
  assert.deepEqual(list({ flag: "x", help: "", placeholder: "X" }).parse(["a, b", "c,"]), ["a", "b", "c"]);
  const formats = choices({ flag: "x", help: "", defaultText: "a", choices: ["a", "b"] });
  assert.deepEqual(formats.parse(["b,a"]), ["a", "b"]);
  assert.ok(formats.parse(["b,z"]) instanceof InvalidValue);
  assert.equal(toggle({ flag: "x", help: "" }).parse(["yes"]), true);
  assert.ok(toggle({ flag: "x", help: "" }).parse(["maybe"]) instanceof InvalidValue);
});

Deno.test("--embed names a table and its columns, more than one by several flags or by semicolons", () => {
  const expected = [{ table: "a", columns: ["x", "y"] }, { table: "s.b", columns: ["z"] }];
  assert.deepEqual(settings.embed.parse(["a:x,y", "s.b:z"]), expected);
  assert.deepEqual(settings.embed.parse(["a:x,y; s.b:z"]), expected);
  for (const wrong of ["a", "a:", ":x", "a:x,,y"]) {
    assert.ok(settings.embed.parse([wrong]) instanceof InvalidValue, wrong);
  }
});

Deno.test("--model takes every form of a model's name, and nothing that is none", () => {
  const right = [
    "hash",
    "hash:256",
    "./model",
    "data/models/mine",
    "../a b/model",
    "/srv/model",
    "BAAI/bge-small-en-v1.5",
    "a/b@refs/pr/1",
  ];
  for (const name of right) assert.equal(settings.model.parse([name]), name);
  for (const wrong of ["", "hsh", "hash:100", "model", "a/b@", "https://a/b"]) {
    assert.ok(settings.model.parse([wrong]) instanceof InvalidValue, wrong);
  }
});

Deno.test("--lake takes a folder as it is and as the URI that jobs print, and leaves buckets alone", () => {
  for (const same of ["data/lake", "s3://bucket/prefix", "gs://bucket"]) {
    assert.equal(settings.lake.parse([same]), same);
  }
  assert.equal(settings.lake.parse(["file:///srv/a%20lake"]), "/srv/a lake");
  for (const wrong of ["", "file://elsewhere/lake"]) assert.ok(settings.lake.parse([wrong]) instanceof InvalidValue);
});

Deno.test("--partition-by names a table and its columns as --embed does, by another sign", () => {
  assert.deepEqual(settings.partitionBy.parse(["a=x,y; s.b=z:1"]), [
    { table: "a", columns: ["x", "y"] },
    { table: "s.b", columns: ["z:1"] },
  ]);
  const wrong = settings.partitionBy.parse(["a:x"]);
  assert.ok(wrong instanceof InvalidValue && wrong.remedy === "Write it as table=column,column");
});

Deno.test("client credentials survive in no text, whole or the secret alone", () => {
  const environment = { ICEBERG_REST_CREDENTIAL: "weir:se:cret/1", ICEBERG_REST_TOKEN: "ey.J0.token" };
  const redact = redaction(givenSecrets(settings, sources({ environment })));
  assert.equal(redact("weir:se:cret/1, se:cret/1 and ey.J0.token"), "***, *** and ***");
});

Deno.test("the secrets of an object store survive in no text, also one that looks like a URL", () => {
  const environment = { AWS_SECRET_ACCESS_KEY: "weir:pass/word+", AWS_SESSION_TOKEN: "FwoGZXIvYXdzEBY" };
  const redact = redaction(givenSecrets(settings, sources({ environment })));
  assert.equal(redact("weir:pass/word+ and FwoGZXIvYXdzEBY"), "*** and ***");
});

Deno.test("the token of the embeddings server holds visible characters alone: a blank one would let everybody in", () => {
  const token = (text: string) =>
    resolveSettings(settings, sources({ environment: { WEIR_SERVE_TOKEN: text } })).serveToken;
  assert.equal(token("s3cret-~!"), "s3cret-~!");
  for (const wrong of [" ", "\t", " s3cret", "s3cret ", "s3 cret", "s\n", "schlüssel"]) {
    assert.throws(() => token(wrong), (thrown: unknown) => {
      const { message, advice } = thrown as WeirError;
      return /WEIR_SERVE_TOKEN.*cannot be used/.test(message) &&
        /without a space/.test(advice);
    });
  }
});

Deno.test("what others call a setting is looked at after its own name", () => {
  const region = (environment: Record<string, string>) => resolveSettings(settings, sources({ environment })).s3Region;
  assert.equal(region({ AWS_DEFAULT_REGION: "eu-west-1" }), "eu-west-1");
  assert.equal(region({ AWS_DEFAULT_REGION: "eu-west-1", AWS_REGION: "us-west-2" }), "us-west-2");
  const endpoint = (environment: Record<string, string>) =>
    resolveSettings(settings, sources({ environment })).s3Endpoint;
  assert.equal(endpoint({ AWS_ENDPOINT_URL: "http://localhost:9000" }), "http://localhost:9000");
  assert.throws(
    () => endpoint({ AWS_ENDPOINT_URL: "localhost:9000" }),
    configurationError(/AWS_ENDPOINT_URL\) is not a URL/),
  );
});

Deno.test("no password survives redaction, wherever it stands", () => {
  const url = "postgres://me:p%40ss%2Fword@db.example/app";
  const secrets = givenSecrets(settings, sources({ environment: { POSTGRES_URL: url } }));
  const redact = redaction(secrets);
  for (
    const text of [
      url,
      "p@ss/word",
      "x p%40ss%2Fword y",
      "postgres://o:other@h/d",
      "password=other",
      "PGPASSWORD='other'",
    ]
  ) {
    assert.doesNotMatch(redact(text), /p@ss|p%40ss|other/, text);
  }
  assert.equal(redact("table public.orders at 0/16B3748"), "table public.orders at 0/16B3748");
});

Deno.test("a mistyped name finds the meant one, a strange one finds none", () => {
  const known = ["batch-rows", "batch-seconds", "follow", "rate"];
  assert.equal(nearest("folow", known), "follow");
  assert.equal(nearest("batch-row", known), "batch-rows");
  assert.equal(nearest("rat", known), "rate");
  assert.equal(nearest("xyzzy", known), undefined);
});

Deno.test(".env.example says what the declarations say", async () => {
  const file = await Deno.readTextFile(new URL("../../.env.example", import.meta.url));
  assert.equal(file, environmentExample(everySetting), "write it again with: deno task env-example");
});
