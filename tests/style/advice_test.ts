import assert from "node:assert/strict";
import { errorPolicy } from "../../lib/errors.ts";
import { everyJob } from "../../jobs/jobs.ts";
import { takenSettings } from "../../jobs/wiring/job_listing.ts";
import { ownJobs } from "../../jobs/wiring/own_jobs.ts";
import { settings } from "../../lib/settings/declarations.ts";
import type { Setting } from "../../lib/settings/setting.ts";
import { typeScriptFiles } from "./source_tree.ts";

/** Of Deno itself, of Docker, and the name of any flag. */
const otherFlags = [
  "help",
  "install",
  "allow-",
  "allow-net",
  "unstable-",
  "no-",
  "no-prompt",
  "profile",
  "wait",
  "flag",
];

/** These start programs of others, which have flags of their own. */
const startsOthers =
  /^(lib\/embedded\/cluster|jobs\/wiring\/(doctor\/tools|jupyter\/\w+|deno_command|binary\/(binary_permissions|compiled)))\.ts$/;

/** What a user may read. */
function isSpoken(path: string): boolean {
  return /^(lib|jobs)\/.*(?<!_test)\.ts$/.test(path) && !startsOthers.test(path);
}

Deno.test("every flag that a message, an advice or the README speaks of is there", async () => {
  const jobs = [...everyJob(), ...await ownJobs(everyJob())];
  const declared = [settings, ...jobs.map(takenSettings)].flatMap((each) =>
    Object.values<Setting<unknown>>(each).map(({ flag }) => flag)
  );
  const known = new Set([...declared, ...otherFlags]);
  const files = (await typeScriptFiles()).filter(({ path }) => isSpoken(path));
  const readme = { path: "README.md", text: await Deno.readTextFile(new URL("../../README.md", import.meta.url)) };
  const unknown = [...files, readme].flatMap(({ path, text }) =>
    [...text.matchAll(/(?<![-\w])--([a-z][a-z0-9-]*)/g)].filter(([, flag = ""]) => !known.has(flag)).map(([flag]) =>
      `${path}: ${flag}`
    )
  );
  assert.deepEqual(unknown, []);
});

Deno.test("an advice to choose something else names the flag that chooses it", async () => {
  for (
    const [kind, flag] of [["portTaken", "--postgres-port"], ["tooManyDeadLetters", "--dead-letter-share"]] as const
  ) {
    assert.ok(errorPolicy(kind).advice.includes(flag), kind);
  }
  const files = (await typeScriptFiles()).filter(({ path }) => isSpoken(path));
  const advices = files.flatMap(({ text }) => text.match(/"[^"]*[Cc]hoose another[^"]*"/g) ?? []);
  assert.ok(advices.length >= 3);
  assert.deepEqual(advices.filter((advice) => !/--[a-z]/.test(advice)), []);
});
