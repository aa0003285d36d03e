/** What a user says of mirrors, and takes back: asked for, left out, ended, and asked for in two ways at once. */
import assert from "node:assert/strict";
import { LocalStorage } from "../../lib/storage/local.ts";
import { hintPath, metadataPath } from "../../lib/table/iceberg/metadata_file.ts";
import { parseMetadata } from "../../lib/table/iceberg/metadata.ts";
import { assertComplete, assertRefused, runJob } from "./real_job.ts";
import { changeEverything, withScene } from "./scene.ts";

Deno.test("mirrors come to what their tables hold, are not forgotten by leaving out a flag, and end with their folders", async (test) => {
  await withScene(async (scene) => {
    const { url, folder, lake } = scene;
    const flags = ["--lake", lake, "--formats", "iceberg", "--dead-letter-share", "1"];
    const run = (...more: readonly string[]) => runJob({ job: "pipeline", folder, url, flags: [...flags, ...more] });
    const properties = async () => {
      const table = "iceberg/payments/accounts";
      const storage = new LocalStorage(lake);
      const version = Number(new TextDecoder().decode((await storage.read(hintPath(table)))!));
      const path = metadataPath(table, version);
      const text = new TextDecoder().decode((await storage.read(path))!);
      const { "weir.mirrored-as": as, "gc.enabled": gc } = parseMetadata(text, path).properties;
      return [as, gc];
    };
    await test.step("asked for in two ways, or of tables that are not written", async () => {
      assertRefused(await run("--mirror", "iceberg"), { kind: "configuration", says: /--mirror/ });
      const twice = await runJob({
        ...{ job: "pipeline", folder, url },
        flags: ["--lake", lake, "--formats", "iceberg,delta", "--mirror", "delta"],
      });
      assertRefused(twice, { kind: "configuration", says: /both name delta.*Leave delta out/ });
      const none = await runJob({
        ...{ job: "pipeline", folder, url },
        flags: ["--lake", lake, "--formats", "paimon", "--mirror", "delta"],
      });
      assertRefused(none, { kind: "configuration", says: /does not write any.*Add iceberg/ });
    });
    await test.step("two runs, with changes of every kind between them", async () => {
      for (let round = 0; round < 2; round++) {
        const end = await run("--mirror", "delta,paimon");
        assertComplete(end, 3);
        const shown = end.outcome.mirrors.map(({ format, name, isCurrent }) => [format, name, isCurrent]);
        const names = ["account_holders", "accounts", "transactions"];
        assert.deepEqual(shown, names.flatMap((name) => [["delta", name, true], ["paimon", name, true]]));
        await changeEverything(scene, round);
      }
      assert.deepEqual(await properties(), ["delta,paimon", "false"]);
    });
    await test.step("left out", async () => {
      const says = /accounts?\S* is shown as delta too.*Add delta to --mirror/;
      assertRefused(await run("--mirror", "paimon"), { kind: "precondition", says });
    });
    await test.step("asked for where tables are written, which stay as they are", async () => {
      const written = { job: "pipeline", folder, url } as const;
      const elsewhere = ["--lake", `${lake}-written`, "--dead-letter-share", "1"];
      assertComplete(await runJob({ ...written, flags: [...elsewhere, "--formats", "iceberg,delta"] }), 6);
      const says = /a Delta table that is no mirror stands there.*Leave delta in --formats/;
      const shown = await runJob({ ...written, flags: [...elsewhere, "--formats", "iceberg", "--mirror", "delta"] });
      assertRefused(shown, { kind: "precondition", says });
      assert.doesNotMatch(shown.log, /tried again later/);
      assertComplete(await runJob({ ...written, flags: [...elsewhere, "--formats", "iceberg,delta"] }), 6);
    });
    await test.step("ended", async () => {
      await Deno.remove(`${lake}/delta`, { recursive: true });
      assertComplete(await run("--mirror", "paimon"), 3);
      assert.deepEqual(await properties(), ["paimon", "false"]);
      await Deno.remove(`${lake}/paimon`, { recursive: true });
      const end = await run();
      assertComplete(end, 3);
      assert.deepEqual([await properties(), end.outcome.mirrors], [[undefined, undefined], []]);
    });
  });
});
