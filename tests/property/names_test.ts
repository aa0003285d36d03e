/** Tables and columns of every name end in lake tables that are as the source is. */
import assert from "node:assert/strict";
import { identifier } from "../../lib/engine/quote.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertVerified, captureJob } from "./capture_job.ts";

/** Names that Weir, the engine or a table format uses too, and names that differ in case alone. */
const columnNames = [
  ..."_op _ordinal _delete _replaces _unchanged _refused _old_id _old__op _born _root _missing _prior_id _text_a".split(
    " ",
  ),
  ..."_array _element _texts _document _suspect _weir_document_0 rowid filename file_row_number _file _pos".split(" "),
  ..."_row_id _KEY_id _SEQUENCE_NUMBER _VALUE_KIND element item rows texts vectors lake fresh typed latest root".split(
    " ",
  ),
  ..."wanted place hash text vector key reason refused ordinal position path day i x row columns select table".split(
    " ",
  ),
  ...[
    "Name",
    "name",
    "NAME",
    "name_",
    "a b",
    'quo"te',
    "it's",
    "a.b",
    "a,b",
    "semi;colon",
    "ärger",
    "日本",
    "_",
    "$1",
    "{}",
  ],
  ...["\\back", "new\nline", "%s", "_id", "NULL", "null_", "true", "-- no"],
];

Deno.test("columns of every name arrive, through copy, updates, key changes and deletes", () =>
  withPostgres(({ client, url }) =>
    withTemporaryFolder(async (lake) => {
      const named = columnNames.map(identifier);
      const list = named.map((name) => `${name} text`).join(", ");
      await client.query(
        `CREATE TABLE odd (${list}, "Day" date, day_of numeric(5,2)[], PRIMARY KEY ("_op", "Name", "name", "a.b",
           "ordinal", "key", "reason", "refused", "typed", "latest", "lake", "root", "i", "x"));
         ALTER TABLE odd ALTER "_delete" SET STORAGE EXTERNAL; ALTER TABLE odd ALTER "texts" SET STORAGE EXTERNAL`,
      );
      const row = (mark: string) => columnNames.map((_, index) => `'${mark}${index}'`).join(", ");
      const insert = async (mark: string, day: string) =>
        void await client.query(`INSERT INTO odd VALUES (${row(mark)}, '${day}', ARRAY[1.5, 'NaN'])`);
      for (const mark of ["a", "b", "c", "d"]) await insert(mark, "infinity");
      await client.query(`UPDATE odd SET "_delete" = repeat('x', 3000), "texts" = repeat('y', 3000) WHERE "_op" < 'c'`);
      const outcome = await captureJob({
        url,
        lake,
        tables: ["odd"],
        embed: ["Name", "_name", "texts"],
        work: async () => {
          await insert("e", "2024-02-29");
          await client.query(`UPDATE odd SET "_ordinal" = 'changed' WHERE "_op" < 'b'`);
          await client.query(`UPDATE odd SET "name" = 'moved' WHERE "_op" < 'b'`);
          await client.query(`DELETE FROM odd WHERE "_op" > 'c' AND "_op" < 'd'`);
          await client.query(`UPDATE odd SET "Day" = '0044-03-15 BC' WHERE "_op" > 'd'`);
          await client.query(`ALTER TABLE odd ADD "DAY" int`);
          await client.query(`UPDATE odd SET "DAY" = 7`);
          await client.query(`ALTER TABLE odd DROP "NAME"; ALTER TABLE odd RENAME "_root" TO "__unchanged"`);
          await client.query(`UPDATE odd SET "DAY" = 8, "__unchanged" = 'z'`);
        },
      });
      assertVerified(outcome, 1);
      assert.ok(outcome.deadLetters > 0);
      assert.deepEqual(outcome.verified.map(({ rows }) => rows), [4, 4]);
      assertVerified(await captureJob({ url, lake, tables: ["odd"] }), 1);
    }), { settings: { wal_level: "logical" } }));
