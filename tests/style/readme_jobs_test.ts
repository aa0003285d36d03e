import assert from "node:assert/strict";
import { everyJob } from "../../jobs/jobs.ts";
import { takenSettings } from "../../jobs/wiring/job_listing.ts";
import { helpText } from "../../lib/cli/help.ts";
import { groups, jobSections, marks } from "./readme_jobs.ts";
import { root } from "./source_tree.ts";

async function sections(): Promise<string> {
  const readme = await Deno.readTextFile(`${root}/README.md`);
  const [begin, end] = marks;
  return readme.slice(readme.indexOf(begin) + begin.length, readme.indexOf(end));
}

const flagsIn = (text: string) => new Set([...text.matchAll(/--[a-z][a-z0-9-]*/g)].map(([flag]) => flag));

Deno.test("the README says of every job what its declaration says; deno task readme-jobs writes it", async () => {
  const words = (text: string) => text.split(/\s+/).filter((word) => word !== "").join(" ");
  assert.equal(words(await sections()), words(jobSections(everyJob())));
});

Deno.test("a job's section of the README has every flag of its --help, and no other", async () => {
  const text = await sections();
  const paragraphs = text.split(/^(?=### |- Flags)/m);
  const paragraphOf = (start: string) => paragraphs.find((each) => each.startsWith(start)) ?? assert.fail(start);
  for (const job of everyJob()) {
    const section = paragraphOf(`### \`deno task ${job.name}\``).replace(/\s+/g, " ");
    const taken = Object.keys(groups).filter((name) => section.includes(`those of ${name}`));
    const told = [
      section,
      ...[...taken.map((name) => `of ${name}`), "of every job"].map((name) => paragraphOf(`- Flags ${name}`)),
    ];
    const entries = helpText(job, takenSettings(job)).split("\n").filter((line) => /^ {2}--/.test(line));
    assert.ok(entries.length > 3);
    assert.deepEqual(flagsIn(told.join("\n").replace(job.summary, "")), flagsIn(entries.join("\n")), job.name);
  }
});
