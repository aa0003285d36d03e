import assert from "node:assert/strict";
import { RestCatalogServer } from "../../../testing/rest_catalog_server.ts";
import { ownTables } from "./own_tables.ts";
import { RestCatalog } from "./rest_catalog.ts";

Deno.test("of all tables in a catalog, over its pages, those are ours that say how far their source was read", async () => {
  await using server = new RestCatalogServer();
  const make = (namespace: string, name: string, properties: Readonly<Record<string, string>>) => {
    server.tables.namespaces.add(`/${namespace}`);
    server.tables.commit(`/${namespace}.${name}`, {
      requirements: [{ type: "assert-create" }],
      updates: [{ action: "set-properties", updates: properties }],
    });
  };
  const ours = { "weir.position": "test:1/1@0/5" };
  make("shop", "orders", ours);
  make("shop", "copied anew", {});
  make("bank", "holders", ours);
  make("bank", "accounts", ours);
  make("bank|of others", "holders", ours);
  make("theirs", "orders", { owner: "somebody" });
  const catalog = new RestCatalog({ uri: server.uri, credentials: { kind: "none" } });
  assert.deepEqual(await ownTables(catalog), [
    { namespace: "bank", name: "accounts" },
    { namespace: "bank", name: "holders" },
    { namespace: "shop", name: "orders" },
  ]);
});
