/** The main job as a user starts it, with pick lists of its own from every place they may stand in. */
import assert from "node:assert/strict";
import { rowsPerSecond } from "../../jobs/wiring/generation.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";

const root = new URL("../../", import.meta.url).pathname;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function pipeline(environment: Readonly<Record<string, string>>, args: readonly string[]): Promise<Ended> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-prompt", "-P=pipeline", "jobs/pipeline.ts", "--json", ...args],
    cwd: root,
    env: { NO_COLOR: "1", ...environment },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("pick lists and settings of environment, file and table show in the rows the job writes", () =>
  withPostgres(async ({ client, url }) => {
    const name = `lists-${crypto.randomUUID()}`;
    const file = `data/state/${name}.json`;
    const lake = `data/lake/${name}`;
    await client.query("CREATE TABLE allowed (list text, value text, weight numeric)");
    await client.query("INSERT INTO allowed VALUES ('messageType', 'TABLE', 1), ('eventType', 'hidden', 1)");
    await Deno.mkdir(`${root}data/state`, { recursive: true });
    await Deno.writeTextFile(`${root}${file}`, '{"eventType": {"FILE": 1}, "accountType": {"hidden": 1}}');
    const environment = {
      POSTGRES_URL: url,
      PICK_LIST_ACCOUNT_TYPE: "ENVIRONMENT",
      NUM_ACCOUNTS: "1",
      DEST_COUNTRY: "IRL",
      TXN_AMNT_LOW: "5",
      TXN_AMNT_HIGH: "5",
      ROE: "2",
    };
    const flags = ["--generate", "--holders", "20", "--payments", "20", "--pick-list-table", "public.allowed"];
    // What becomes of the rows is not looked at.
    const quick = ["--formats", "iceberg", "--model", "hash"];
    const args = [...flags, ...quick, "--lake", lake, "--pick-lists", file];
    try {
      const refused = await pipeline({ ...environment, PICK_LIST_GENDER: "X" }, args);
      assert.equal(refused.code, 1);
      assert.match(JSON.parse(refused.stdout).error.message, /PICK_LIST_GENDER "X" .*is no list of gender/);
      const none = await client.query("SELECT to_regclass('transactions') AS made");
      assert.equal(none.rows[0].made, null, "nothing was generated");

      const run = await pipeline(environment, args);
      assert.equal(run.code, 0, run.stderr);
      const found = await client.query(
        `SELECT string_agg(DISTINCT eventtype, ',') AS events, string_agg(DISTINCT msgtype, ',') AS messages,
           string_agg(DISTINCT destinationcountry, ',') AS countries, string_agg(DISTINCT amount->>'value', ',') AS amounts,
           (SELECT string_agg(DISTINCT a->>'accountType', ',') FROM accountholders,
              jsonb_array_elements(accounts->'bankAccounts') AS a) AS accounts,
           (SELECT max(jsonb_array_length(accounts->'bankAccounts')) FROM accountholders) AS most
         FROM transactions`,
      );
      assert.deepEqual(found.rows, [{
        events: "FILE",
        messages: "TABLE",
        countries: "IRL",
        amounts: "10.00",
        accounts: "ENVIRONMENT",
        most: 1,
      }]);
    } finally {
      await Deno.remove(`${root}${file}`);
      await Deno.remove(`${root}${lake}`, { recursive: true }).catch(() => {});
    }
  }, { settings: { wal_level: "logical" } }));

Deno.test("--rate goes before SLEEP, which goes before the default pace", () => {
  assert.equal(rowsPerSecond({ rate: 7, sleepMs: 125 }), 7);
  assert.equal(rowsPerSecond({ rate: undefined, sleepMs: 125 }), 16);
  assert.equal(rowsPerSecond({ rate: undefined, sleepMs: 0 }), undefined);
  assert.equal(rowsPerSecond({ rate: undefined, sleepMs: undefined }), 1000);
});
