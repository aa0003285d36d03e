import assert from "node:assert/strict";
import { join } from "node:path";
import { WeirError } from "../errors.ts";
import { PostgresConnection } from "../source/postgres/connection.ts";
import { withPostgres } from "../testing/with_postgres.ts";
import { withTemporaryFolder } from "../testing/temporary_folder.ts";
import { loadPickLists } from "./pick_list_sources.ts";

const values = (list: { entries: readonly { value: unknown; weight: number }[] }) =>
  list.entries.map(({ value, weight }) => `${value}:${weight}`).join();

Deno.test("environment comes before file, file before database, database before the committed lists", () =>
  withTemporaryFolder((folder) =>
    withPostgres(async ({ client, url }) => {
      await client.query("CREATE TABLE public.allowed_values (list text, value jsonb, weight numeric)");
      await client.query(`INSERT INTO public.allowed_values VALUES
        ('accountType', '"FromDatabase"', 1), ('eventType', '"DB"', 2), ('messageType', '"DB"', 3),
        ('cardBin', '{"cardType": "Visa", "prefix": "4111", "length": 16}', 1), ('cardType', '"Visa"', 2.5),
        ('notOurs', '"x"', 1)`);
      const file = join(folder, "lists.json");
      await Deno.writeTextFile(file, JSON.stringify({ accountType: { FromFile: 1 }, eventType: { FromFile: 2 } }));
      const connection = await PostgresConnection.open(url);
      try {
        const lists = await loadPickLists({
          environment: { accountType: "Environment:4,Other:1", eventType: " " },
          file,
          database: { connection, table: "public.allowed_values" },
        });
        assert.equal(values(lists.accountType), "Environment:4,Other:1");
        assert.equal(values(lists.eventType), "FromFile:2");
        assert.equal(values(lists.messageType), "DB:3");
        assert.equal(values(lists.cardType), "Visa:2.5");
        assert.equal(lists.cardBin.entries[0]?.value.prefix, "4111");
        assert.equal(values(lists.gender), "M:48,F:52");
      } finally {
        await connection.close();
      }
    })
  ));

function refusal(matching: RegExp): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof WeirError, String(thrown));
    assert.equal(thrown.kind, "configuration");
    assert.match(thrown.message, matching);
    assert.ok(thrown.advice.length > 20);
    return true;
  };
}

Deno.test("a list that cannot be used says which list of which source, why, and what to do", () =>
  withTemporaryFolder(async (folder) => {
    const file = join(folder, "lists.json");
    const files: readonly [string, RegExp][] = [
      ["[", /file .*lists\.json is no JSON$/],
      ["[]", /holds no JSON object/],
      ['{"acountType": {"a": 1}}', /holds "acountType", which is no list/],
      ['{"gender": {"X": 1}}', /Pick list "gender" of file .* value 1 of the list gender/],
      ['{"cardType": {"Maestro": 1}}', /do not fit together: .*cardBin has no prefix/],
      ['{"eventType": {"a": -1}}', /Pick list "eventType" .*-1 as a weight/],
      ['{"eventType": {}}', /Pick list "eventType" .*without values/],
    ];
    for (const [text, message] of files) {
      await Deno.writeTextFile(file, text);
      await assert.rejects(loadPickLists({ file }), refusal(message), text);
    }
    for (const text of ["M:x", "{", "M:1:2"]) {
      await assert.rejects(
        loadPickLists({ environment: { gender: text } }),
        refusal(/gender of the environment/),
        text,
      );
    }
    const absent = loadPickLists({ file: join(folder, "absent.json") });
    await assert.rejects(absent, refusal(/^Pick list file .*absent\.json cannot be read$/));
  }));

Deno.test("a list may go by the contract's name, in any case", () =>
  withTemporaryFolder(async (folder) => {
    const file = join(folder, "lists.json");
    await Deno.writeTextFile(
      file,
      '{"msgtype": {"A": 1}, "EVENTTYPE": {"B": 1}, "settlement_clearing_system_code": {"C": 1}}',
    );
    const lists = await loadPickLists({ file });
    const found = [lists.messageType, lists.eventType, lists.settlementClearingSystemCode].map(values);
    assert.deepEqual(found, ["A:1", "B:1", "C:1"]);
  }));

Deno.test("a table that is missing, misshapen or of other lists is a configuration error", () =>
  withPostgres(async ({ client, url }) => {
    await client.query(`CREATE TABLE odd (a int); CREATE TABLE "Our Lists" (list text, value text, weight numeric);
      CREATE TABLE negative (list text, value text, weight numeric); INSERT INTO negative VALUES ('eventType', 'a', -1)`);
    const connection = await PostgresConnection.open(url);
    const load = (table: string) => loadPickLists({ database: { connection, table } });
    try {
      await assert.rejects(load("absent"), refusal(/no pick list table absent/));
      await assert.rejects(load("odd"), refusal(/table odd cannot be read: column "list" does not exist/));
      await assert.rejects(load('"Our Lists"'), refusal(/holds none of our lists/));
      await assert.rejects(load("negative"), refusal(/Pick list eventType of table negative .*-1 as a weight/));
      await assert.rejects(load("a.b.c.d"), refusal(/a\.b\.c\.d/));
      await client.query(`INSERT INTO "Our Lists" VALUES ('eventtype', 'pay"ment', 3)`);
      assert.equal(values((await load('"Our Lists"')).eventType), 'pay"ment:3');
    } finally {
      await connection.close();
    }
  }));
