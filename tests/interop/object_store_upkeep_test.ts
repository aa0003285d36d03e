/** Upkeep and the past of tables in a bucket, beside a writer, over a network where one request in four goes wrong. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { changesBetween } from "../../lib/query/changes.ts";
import { openLake } from "../../lib/query/lake.ts";
import { tableAt } from "../../lib/query/time_travel.ts";
import type { S3Storage } from "../../lib/storage/s3/s3_storage.ts";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { propertyNames } from "../../lib/table/delta/properties.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import type { UpkeepTable } from "../../lib/table/upkeep.ts";
import { FaultyObjectProxy } from "../../lib/testing/faulty_object_proxy.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { LakeModel, type ModelChange } from "./lake_model.ts";
import { type ObjectServer, objectStoreTests } from "./object_server.ts";
import { everyFourth, storageOf } from "./object_storage.ts";
import { expireOnce, filesAreThoseReferred, mergeOnce } from "./upkeep_steps.ts";

const definition: TableDefinition = {
  namespace: "bank",
  name: "cards",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "name", type: types.string, nullable: true },
  ],
};

const formats = ["iceberg", "paimon", "delta"] as const;
type Format = typeof formats[number];

interface Place {
  readonly storage: S3Storage;
  readonly connection: Connection;
}

/** Of a Delta table that keeps no past. */
const forgetful = {
  [propertyNames.logRetention]: "interval 0 seconds",
  [propertyNames.fileRetention]: "interval 0 seconds",
};

/** As a process of its own would open it. */
function openTable(format: Format, place: Place, retention: Readonly<Record<string, string>> = {}): UpkeepTable {
  const at = { ...place, namespace: definition.namespace, name: definition.name };
  if (format === "paimon") return new PaimonTable({ ...at, folder: "paimon" }) as UpkeepTable;
  const folder = `${format}/bank/cards`;
  if (format === "iceberg") return new IcebergTable({ ...at, folder }) as UpkeepTable;
  const properties = { [propertyNames.checkpointInterval]: "3", ...retention };
  return new DeltaTable({ ...at, folder, properties }) as UpkeepTable;
}

/** Rows that are new, rows that replace others, and deletes: another set each time, the same set in every run. */
function changeOf(step: number): ModelChange {
  const start = (step * 37) % 150;
  return {
    upserts: `SELECT range AS id, 'step ${step} ' || range AS name FROM range(${start}, ${start + 60}, ${
      1 + step % 3
    })`,
    ...(step % 2 === 0 ? { removals: `SELECT range AS id FROM range(${start + 20}, ${start + 90}, 4)` } : {}),
  };
}

/** A table in a bucket over a bad network. */
interface Scene {
  readonly format: Format;
  readonly fixture: DatabaseFixture;
  readonly server: ObjectServer;
}

async function keptUpBesideWriter({ format, fixture, server }: Scene): Promise<void> {
  const { folder, connection } = fixture;
  // A few bytes of cache: whatever nobody reads at the moment is fetched again.
  const place = () => ({ storage: storageOf(server, { folder, cacheBytes: 1000 }), connection });
  const model = new LakeModel(fixture, { definition, table: openTable(format, place(), forgetful) });
  await model.create();
  let [merged, expired, step] = [0, 0, 0];
  for (let round = 0; round < 3; round++) {
    for (let change = 0; change < 4; change++) await model.apply(changeOf(step++));
    const { storage } = place();
    const scene = { fixture, storage, table: openTable(format, { storage, connection }, forgetful) };
    if (await mergeOnce(scene, () => model.apply(changeOf(step++)))) merged++;
    // The writer sees the newest version before files that its own needs may go; in life their age sees to that.
    await model.apply({});
    expired += await expireOnce(scene);
    await filesAreThoseReferred(scene);
  }
  assert.ok(merged >= 2 && expired >= 10, `${merged} merges, ${expired} expired snapshots`);
  const fresh = openTable(format, place());
  using scan = await fresh.scan((await fresh.load())!);
  await model.same(scan.sql, "a fresh process");
}

async function readAsItWas({ format, fixture, server }: Scene): Promise<void> {
  const { folder, connection } = fixture;
  const place = () => ({ storage: storageOf(server, { folder, cacheBytes: 1000 }), connection });
  const model = new LakeModel(fixture, { definition, table: openTable(format, place()) });
  await model.create();
  const steps = 6;
  for (let step = 1; step <= steps; step++) {
    await model.apply(changeOf(step));
    await connection.run(`CREATE TABLE step_${step} AS ${model.rows}`);
  }
  const lake = { storage: place().storage, connection: await fixture.database.connect() };
  const different = (found: string, step: number) =>
    lake.connection.value(
      `SELECT count(*) FROM ((FROM (${found}) EXCEPT ALL FROM step_${step}) UNION ALL (FROM step_${step} EXCEPT ALL FROM (${found})))`,
    );
  for (const step of [steps, 1, 4]) {
    const position = { instance: "test:1/1", offset: `0/${step}` };
    const [view] = await openLake({ ...lake, at: { position } });
    assert.equal(await different(`FROM ${view?.view}`, step), 0n, `the view of step ${step}`);
    using table = await tableAt({ format, namespace: "bank", name: "cards" }, lake, { position });
    assert.equal(await different(table.scan, step), 0n, `the table at step ${step}`);
    using changes = await changesBetween({ format, namespace: "bank", name: "cards" }, lake, {
      from: { position },
    });
    const missed = await lake.connection.value(
      `SELECT count(*) FROM (${changes.select}) AS found
       FULL JOIN (step_${step} AS old FULL JOIN step_${steps} AS new USING (id)) ON found.key.id = id
       WHERE (found.change IS NOT NULL) <> (old.name IS DISTINCT FROM new.name)`,
    );
    assert.equal(missed, 0n, `changes since step ${step}`);
  }
  lake.connection.close();
}

await objectStoreTests("upkeep of tables in a bucket", (withServer) => {
  const promise = (title: string, body: (scene: Scene) => Promise<void>) => {
    for (const format of formats) {
      Deno.test(`${format} in a bucket: ${title}`, () =>
        withServer((server) =>
          withDatabase(async (fixture) => {
            await using proxy = await FaultyObjectProxy.start(server.endpoint, everyFourth());
            await body({ format, fixture, server: { ...server, endpoint: proxy.endpoint } });
            for (const fault of ["denied", "busy", "lost", "cut", "half", "late"] as const) {
              assert.ok((proxy.happened.get(fault) ?? 0) > 5, `${fault}: ${proxy.happened.get(fault)}`);
            }
          })
        ));
    }
  };
  promise(
    "merged and expired beside a writer, it holds every row, and no file too few or too many",
    keptUpBesideWriter,
  );
  promise("it is read as it was, and tells what changed", readAsItWas);
});
