/** Writes the README's sections of the jobs from their declarations. */
import { everyJob } from "../../jobs/jobs.ts";
import { jobSections, marks } from "./readme_jobs.ts";

const readme = new URL("../../README.md", import.meta.url);
const [begin, end] = marks;
const [before = "", rest = ""] = (await Deno.readTextFile(readme)).split(begin);
const after = rest.slice(rest.indexOf(end));
if (!after.startsWith(end)) throw new Error(`README.md lacks ${begin} or ${end}`);
await Deno.writeTextFile(readme, `${before}${begin}\n\n${jobSections(everyJob())}\n\n${after}`);
