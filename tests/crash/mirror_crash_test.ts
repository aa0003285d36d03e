/** Jobs that are killed at any step of a mirror: the next one has every table, and every mirror shows what its table holds. */
import assert from "node:assert/strict";
import { formatPosition } from "../../lib/change/position.ts";
import { identifier } from "../../lib/engine/quote.ts";
import { Database } from "../../lib/engine/database.ts";
import { openLake } from "../../lib/query/lake.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { mirrorFailPoints } from "../../lib/table/mirror/fail_points.ts";
import { killAtEach, runToEnd, type Scene, withScene } from "./scene.ts";

const flags = { mirror: "delta,paimon" };

/** A mirror's own commits pass those of its format too. */
const points = [
  ...mirrorFailPoints,
  "delta.beforeCommit",
  "delta.afterCommit",
  "paimon.beforeCommit",
  "paimon.afterCommit",
];

Deno.test("killed at every step of a mirror, a restart leaves table and mirrors with the same rows at one position", async (test) => {
  await withScene(async (bare) => {
    const scene: Scene = { ...bare, formats: "iceberg", flags };
    const check = async () => {
      await runToEnd(scene);
      await mirrorsAgree(scene);
    };
    await check();
    // A job says at its start who shows its tables, before it commits anything.
    await killAtEach(scene, { points, test, check, atOnce: (point) => point === "mirror.beforeDeclaration" });
  });
});

/** Every mirror shows the rows of its table, at its snapshot's position. */
async function mirrorsAgree({ lake, folder }: Scene): Promise<void> {
  const temporaryFolder = `${folder}/comparing`;
  await Deno.mkdir(temporaryFolder, { recursive: true });
  const database = await Database.open({ folders: [lake], temporaryFolder });
  const connection = await database.connect();
  try {
    const views = await openLake({ storage: new LocalStorage(lake), connection });
    const written = views.filter(({ mirrorOf }) => mirrorOf === undefined);
    assert.equal(written.length, 3);
    for (const { namespace, name, view, columns, position } of written) {
      const shown = views.filter((each) =>
        each.mirrorOf !== undefined && each.name === name && each.namespace === namespace
      );
      assert.deepEqual(shown.map(({ format }) => format), ["delta", "paimon"]);
      for (const each of shown) {
        assert.deepEqual(each.position && formatPosition(each.position), position && formatPosition(position));
        const names = columns.map((column) => identifier(column.name)).join(", ");
        const differing = await connection.value(`SELECT count(*) FROM (
          (SELECT ${names} FROM ${view} EXCEPT ALL SELECT ${names} FROM ${each.view}) UNION ALL
          (SELECT ${names} FROM ${each.view} EXCEPT ALL SELECT ${names} FROM ${view}))`);
        assert.equal(differing, 0n, `${each.format} ${name}`);
      }
    }
  } finally {
    connection.close();
    database.close();
  }
}
