/** What the making of a model refuses before it asks the teacher for anything. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { distilFolder, requireNoModel, requireOut } from "../../jobs/wiring/distillation.ts";
import { TextProgress } from "../../lib/cli/progress_text.ts";
import { settings as declared } from "../../lib/settings/declarations.ts";
import { modelSettings } from "../../jobs/wiring/capture_settings.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";

Deno.test("no model is written over another one, nor where nobody named a folder", async () => {
  await assert.rejects(requireNoModel("data/models/weir"), { kind: "configuration", advice: /--replace/ });
  await requireNoModel("data/models/absent");
  assert.throws(() => requireOut(declared.distilOut.defaultText), { advice: /--out data\/models\/mine/ });
});

Deno.test("texts that are too few to be fitted to are refused with how many there should be", async () => {
  await withTemporaryFolder(async (folder) => {
    const model = resolveSettings(modelSettings, { flags: new Map(), environment: () => undefined, file: {} });
    const texts = join(folder, "texts.txt");
    const asked = { ...model, texts, out: folder, dimensions: 8, phrases: 0, holders: 0, payments: 0, seed: 1 };
    const context = {
      signal: new AbortController().signal,
      progress: new TextProgress({ write: () => {} }),
      command: "",
    };
    for (const lines of ["", "Rent of the flat\n"]) {
      await Deno.writeTextFile(texts, lines);
      await assert.rejects(distilFolder(asked, context), { kind: "configuration", advice: /^Give 100 or more/ });
    }
  });
});
