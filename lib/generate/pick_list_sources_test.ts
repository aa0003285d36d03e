import assert from "node:assert/strict";
import { join } from "node:path";
import { WeirError } from "../errors.ts";
import { PostgresConnection } from "../source/postgres/connection.ts";
import { withPostgres } from "../testing/with_postgres.ts";
import { withTemporaryFolder } from "../testing/temporary.ts";
import { loadPickLists, pickListVariable } from "./pick_list_sources.ts";

const values = (list: { entries: readonly { value: unknown; weight: number }[] }) =>
  list.entries.map(({ value, weight }) => `${value}:${weight}`).join();

function isConfiguration(thrown: unknown): boolean {
  return thrown instanceof WeirError && thrown.kind === "configuration";
}

Deno.test("environment comes before file, file before database, database before the committed lists", () =>
  withTemporaryFolder((folder) =>
    withPostgres(async ({ client, url }) => {
      await client.query("CREATE TABLE public.allowed_values (list text, value jsonb, weight numeric)");
      await client.query(`INSERT INTO public.allowed_values VALUES
        ('accountType', '"FromDatabase"', 1), ('eventType', '"FromDatabase"', 2), ('messageType', '"DB"', 3),
        ('cardBin', '{"cardType": "Visa", "prefix": "4111", "length": 16}', 1), ('cardType', '"Visa"', 2.5),
        ('notOurs', '"x"', 1)`);
      const file = join(folder, "lists.json");
      await Deno.writeTextFile(file, JSON.stringify({ accountType: { FromFile: 1 }, eventType: { FromFile: 2 } }));
      const connection = await PostgresConnection.open(url);
      try {
        const lists = await loadPickLists({
          environment: { [pickListVariable("accountType")]: "Environment:4,Other:1", PICK_LIST_EVENT_TYPE: " " },
          file,
          database: { connection, namespace: "public", table: "allowed_values" },
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

Deno.test("a source that is not a list of ours is a configuration error", () =>
  withTemporaryFolder(async (folder) => {
    const file = join(folder, "lists.json");
    for (const text of ["[", "[]", '{"acountType": {"a": 1}}', '{"gender": {"X": 1}}']) {
      await Deno.writeTextFile(file, text);
      await assert.rejects(loadPickLists({ file }), isConfiguration, text);
    }
    await assert.rejects(loadPickLists({ environment: { PICK_LIST_GENDER: "M:x" } }), isConfiguration);
    await assert.rejects(loadPickLists({ environment: { PICK_LIST_GENDER: "{" } }), isConfiguration);
    await assert.rejects(
      loadPickLists({ file: join(folder, "absent.json") }),
      (thrown) => thrown instanceof WeirError && thrown.kind === "storage",
    );
  }));
