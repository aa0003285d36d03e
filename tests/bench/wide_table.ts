/** The 20-column table that throughput is measured with, and the raw limits it is held against. */
import type pg from "pg";

const columns = [
  ...Array.from({ length: 6 }, (_, index) => [`i${index}`, "bigint", `g * ${index + 3}`] as const),
  ...Array.from(
    { length: 6 },
    (_, index) => [`s${index}`, "text", `'text value ' || (g * ${31 + index} % 10007)`] as const,
  ),
  ...Array.from({ length: 3 }, (_, index) => [`t${index}`, "timestamptz", `now() - g * interval '1 second'`] as const),
  ...Array.from({ length: 3 }, (_, index) => [`d${index}`, "numeric(12,2)", `(g % 100000) / 100.0`] as const),
  ["f", "double precision", "g / 7.0"] as const,
];

/** Makes `public.wide`: the key and 19 other columns. */
export async function createWide(client: pg.Client): Promise<void> {
  await client.query(
    `CREATE TABLE wide (id bigint PRIMARY KEY, ${columns.map(([name, type]) => `${name} ${type}`).join(", ")})`,
  );
}

/** Inserts rows `from` to `to`, in source commits of so many rows. */
export async function insertWide(
  client: pg.Client,
  rows: { readonly from: number; readonly to: number; readonly commitRows: number },
): Promise<void> {
  const values = columns.map(([, , sql]) => sql).join(", ");
  for (let first = rows.from; first <= rows.to; first += rows.commitRows) {
    const last = Math.min(first + rows.commitRows - 1, rows.to);
    await client.query(`INSERT INTO wide SELECT g, ${values} FROM generate_series(${first}, ${last}) AS g`);
  }
}

/** For so long: 40 % inserts, 50 % updates and 10 % deletes in commits of 1000 changes, keys uniform over the table. Gives their number. */
export async function mixChanges(
  client: pg.Client,
  options: { readonly seconds: number; readonly rows: number; readonly changesPerSecond: number },
): Promise<number> {
  const { seconds, rows, changesPerSecond } = options;
  const anyKey = `(random() * ${rows})::bigint`;
  const keys = (count: number) => `(SELECT DISTINCT ${anyKey} FROM generate_series(1, ${count}))`;
  const startedMs = performance.now();
  let made = 0;
  let next = rows + 1;
  while (performance.now() - startedMs < seconds * 1000) {
    await client.query("BEGIN");
    await insertWide(client, { from: next, to: next + 399, commitRows: 400 });
    const updated = await client.query(`UPDATE wide SET i0 = i0 + 1, s0 = s0 || '!' WHERE id IN ${keys(500)}`);
    const deleted = await client.query(`DELETE FROM wide WHERE id IN ${keys(100)}`);
    await client.query("COMMIT");
    next += 400;
    made += 400 + (updated.rowCount ?? 0) + (deleted.rowCount ?? 0);
    const aheadMs = made / changesPerSecond * 1000 - (performance.now() - startedMs);
    if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
  }
  return made;
}

/** Milliseconds of `pg_recvlogical` (Debian: postgresql-client) from a slot to a point; undefined where it is missing. */
export async function rawReceive(
  url: string,
  options: { readonly slot: string; readonly publication: string; readonly endLsn: string },
): Promise<number | undefined> {
  const program = await clientProgram("pg_recvlogical");
  if (program === undefined) return undefined;
  const startedMs = performance.now();
  const { code, stderr } = await new Deno.Command(program, {
    args: [
      `--dbname=${url}`,
      `--slot=${options.slot}`,
      "--start",
      "--no-loop",
      `--endpos=${options.endLsn}`,
      "--option=proto_version=1",
      `--option=publication_names=${options.publication}`,
      "--file=/dev/null",
    ],
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - startedMs;
}

/** Milliseconds of `psql` copying the table to nowhere; undefined where it is missing. */
export async function rawCopy(url: string): Promise<number | undefined> {
  const program = await clientProgram("psql");
  if (program === undefined) return undefined;
  const startedMs = performance.now();
  const { code, stderr } = await new Deno.Command(program, {
    args: [url, "--command=\\copy wide to /dev/null"],
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - startedMs;
}

async function clientProgram(name: string): Promise<string | undefined> {
  for (const version of [18, 17, 16, 15]) {
    const path = `/usr/lib/postgresql/${version}/bin/${name}`;
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  return undefined;
}
