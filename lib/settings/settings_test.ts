import assert from "node:assert/strict";
import { WeirError } from "../errors.ts";
import { settings } from "./declarations.ts";
import { environmentExample } from "./environment_example.ts";
import { bytes, choices, decimal, integer, list, toggle } from "./kinds.ts";
import { nearest } from "./nearest.ts";
import { redaction } from "./redaction.ts";
import { givenSecrets, resolveSettings, type SettingSources } from "./resolve.ts";
import { type Declarations, InvalidValue } from "./setting.ts";

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
  const declared: Declarations = settings;
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
  assert.equal(rate({}), 1000);
  assert.equal(rate({ environment: { WEIR_RATE: "" }, file }), 30, "an empty variable is no value");
});

Deno.test("a wrong value names the setting, its origin and the remedy", () => {
  const attempt = () => resolveSettings({ rate: settings.rate }, sources({ environment: { WEIR_RATE: "fast" } }));
  assert.throws(attempt, configurationError(/--rate "fast" \(environment WEIR_RATE\) is not a whole number/));
  assert.throws(attempt, { advice: "Give a number from 1 to 1,000,000" });
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
  assert.equal(file, environmentExample(settings), "write it again with: deno task env-example");
});
