import assert from "node:assert/strict";
import { resolve } from "node:path";
import { findModel, namedModel } from "./model_source.ts";

Deno.test("a folder is named with or without ./, and a name of the hub's form is the folder where there is one", () => {
  for (const name of ["data/models", "./data/models", "data/models/absent"]) {
    assert.deepEqual(namedModel(name), { kind: "folder", path: resolve(name) });
  }
  for (const name of ["organisation/name", "organisation/name@main"]) assert.equal(namedModel(name).kind, "hub");
  assert.throws(() => namedModel("mine"), { advice: /a folder such as \.\/model/ });
});

Deno.test("a folder that is not there is called that, whichever kind of model it was to hold", async () => {
  await assert.rejects(findModel("./data/models/absent"), {
    kind: "configuration",
    message: /no such folder/,
    detail: { path: resolve("data/models/absent") },
    advice: /config\.json/,
  });
});
