import assert from "node:assert/strict";
import { join } from "node:path";
import { SearchedTable } from "../../jobs/wiring/searched_table.ts";
import { placeSettings } from "../../jobs/wiring/capture_settings.ts";
import { catalogSettings } from "../../lib/settings/catalog_settings.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";

Deno.test("who searches where no table is hears of the lakes of vectors that lie near by", async () => {
  await withTemporaryFolder(async (lake) => {
    await Deno.mkdir(join(lake, "vectors", "mine_1-8"), { recursive: true });
    const declared = { ...placeSettings, ...catalogSettings };
    for (const place of ["", "vectors", "vectors/typo", "vectors/mine_1-8/iceberg/shop/orders"]) {
      const sources = { flags: new Map([["lake", [join(lake, place)]]]), environment: () => undefined, file: {} };
      const settings = {
        ...resolveSettings(declared, sources),
        table: "shop.orders",
        memoryLimitBytes: 2 ** 28,
        threads: 1,
      };
      await assert.rejects(SearchedTable.open(settings, ["iceberg"]), {
        message: /has no tables/,
        advice: new RegExp(`or, for vectors of another model, ${join(lake, "vectors", "mine_1-8")}$`),
      });
    }
  });
});
