/**
 * What a job is made of: the modules that it imports, the files and workers that these name by `new URL("…", import.meta.url)`, and
 * the packages that they import or name by `resolve("…")`.
 */
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readProjectFile } from "../../../lib/cli/project_file.ts";
import { WeirError } from "../../../lib/errors.ts";
import { deno } from "../deno_command.ts";
import type { NpmPackage } from "./placed_packages.ts";

/** The parts of one job. */
export interface ProgramParts {
  /** From the project's folder. */
  readonly files: readonly string[];
  /** Names and versions of the packages that its own files ask for, such as `pg@8.23.1`. */
  readonly asked: readonly string[];
  /** Every package of the project, by name and version. */
  readonly packages: ReadonlyMap<string, NpmPackage>;
}

interface GraphModule {
  readonly specifier: string;
  readonly npmPackage?: string;
  readonly error?: string;
  /** What only types need has no `code`. */
  readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
}

/** What `deno info --json` tells. */
interface ModuleGraph {
  readonly modules: readonly GraphModule[];
  readonly redirects: Readonly<Record<string, string>>;
  readonly npmPackages: Readonly<Record<string, NpmPackage>>;
}

const namedFile = /new URL\(\s*"(\.{1,2}\/[^"]+)",\s*import\.meta\.url\s*,?\s*\)/g;
const namedPackage = /\.resolve\(\s*"([^"]+)"\s*\)/g;

/** Finds the parts of the job in a script. Throws `precondition` where a module of it cannot be found. */
export async function programParts(script: string): Promise<ProgramParts> {
  const { imports } = readProjectFile();
  const files = new Set<string>();
  const asked = new Set<string>();
  const packages = new Map<string, NpmPackage>();
  const scripts = [resolve(script)];
  for (const each of scripts) {
    const graph = await moduleGraph(each);
    for (const [name, found] of Object.entries(graph.npmPackages)) packages.set(name, found);
    for (const { specifier, npmPackage } of runModules(graph, each)) {
      if (npmPackage !== undefined) asked.add(npmPackage);
      if (!specifier.startsWith("file:") || files.has(fileURLToPath(specifier))) continue;
      files.add(fileURLToPath(specifier));
      const source = await Deno.readTextFile(new URL(specifier));
      for (const [, name = ""] of source.matchAll(namedPackage)) {
        const target = imports[name]?.replace(/^npm:/, "");
        if (target !== undefined) asked.add(target);
      }
      for (const [, path = ""] of source.matchAll(namedFile)) {
        const named = fileURLToPath(new URL(path, specifier));
        if (!named.endsWith(".ts")) { for await (const file of filesOf(named)) files.add(file); }
        else if (!scripts.includes(named)) scripts.push(named);
      }
    }
  }
  return { files: [...files].map((file) => relative(".", file)).sort(), asked: [...asked].sort(), packages };
}

const graphs = new Map<string, Promise<ModuleGraph>>();

/** Many jobs have the same workers. */
function moduleGraph(script: string): Promise<ModuleGraph> {
  const graph = graphs.get(script) ?? readGraph(script);
  graphs.set(script, graph);
  return graph;
}

async function readGraph(script: string): Promise<ModuleGraph> {
  const { ok, output, report } = await deno(["info", "--json", script]);
  if (ok) return JSON.parse(output) as ModuleGraph;
  throw new WeirError("precondition", `The modules of ${relative(".", script)} cannot be listed`, {
    cause: new Error(report),
    advice: "Run deno install; --debug shows what Deno says",
  });
}

/** Modules that run, in contrast to those that only types come from. */
function runModules({ modules, redirects }: ModuleGraph, script: string): readonly GraphModule[] {
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  const reached = new Map<string, GraphModule>();
  const specifiers = [new URL(`file://${script}`).href];
  for (const named of specifiers) {
    const specifier = redirects[named] ?? named;
    const module = bySpecifier.get(specifier);
    if (module === undefined || reached.has(specifier)) continue;
    if (module.error !== undefined) {
      throw new WeirError("precondition", `A module of ${relative(".", script)} cannot be found`, {
        detail: { path: specifier },
        advice: "Run deno install; then deno check shows what is missing",
      });
    }
    reached.set(specifier, module);
    specifiers.push(...(module.dependencies ?? []).flatMap(({ code }) => code?.specifier ?? []));
  }
  return [...reached.values()];
}

async function* filesOf(path: string): AsyncIterable<string> {
  const { isDirectory } = await Deno.stat(path);
  if (!isDirectory) return yield path;
  for await (const { name } of Deno.readDir(path)) yield* filesOf(join(path, name));
}
