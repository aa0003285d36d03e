/** Jobs as binaries that run where neither Deno nor this project is. */
import { relative, resolve } from "node:path";
import { requirePermissions } from "../lib/cli/permission.ts";
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { binariesText } from "./wiring/binary/binaries_text.ts";
import { type Binary, Packing } from "./wiring/binary/compiled.ts";
import { jobPrograms, namedPrograms } from "./wiring/binary/job_program.ts";
import { programSize } from "./wiring/binary/laid_out.ts";

export const job = declareJob({
  name: "compile",
  summary: "Compile jobs into binaries that run where neither Deno nor this project is",
  operand: { placeholder: "JOB,…", help: "Jobs to compile, by the names of their tasks; without it all" },
  stops: "after the binary in hand",
  settings: {
    out: declared.binariesOut,
    hosts: declared.binaryHosts,
    folders: declared.binaryFolders,
    dryRun: { ...declared.dryRun, help: "Print how large the parts of the binaries are, and make none" },
  },
  main: async ({ settings, operand, signal, progress, print }) => {
    const { out, hosts, folders, dryRun } = settings;
    requirePermissions("compile", dryRun ? [] : [{ kind: "folder", path: resolve(out) }]);
    const programs = namedPrograms(jobPrograms(), operand);
    const binaries: Binary[] = [];
    await using packing = new Packing();
    for (const program of programs) {
      if (signal.aborted) break;
      progress.update({ activity: `${dryRun ? "measuring" : "compiling"} ${program.name}`, rows: 0 });
      if (dryRun) {
        binaries.push({ job: program.name, ...await programSize(program.script), path: null, bytes: null });
        continue;
      }
      const binary = await packing.compile(program, { out, more: { hosts, folders } });
      binaries.push({ ...binary, path: relative(".", binary.path ?? "") });
    }
    print(binariesText(binaries));
    return { ok: binaries.length === programs.length, binaries };
  },
});

if (import.meta.main) await runJob(job);
