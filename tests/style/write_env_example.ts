/** Writes `.env.example` from the declared settings. */
import { settings } from "../../lib/settings/declarations.ts";
import { generatorSettings } from "../../lib/settings/generator.ts";
import { environmentExample } from "../../lib/settings/environment_example.ts";

await Deno.writeTextFile(
  new URL("../../.env.example", import.meta.url),
  environmentExample({ ...settings, ...generatorSettings }),
);
