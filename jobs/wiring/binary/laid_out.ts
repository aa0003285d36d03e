/** A program laid out in a folder of its own: everything that a binary holds, and nothing else. */
import { dirname, join } from "node:path";
import { fitsLibrary, isNeeded } from "./needed_files.ts";
import { placedPackages } from "./placed_packages.ts";
import { type ProgramParts, programParts } from "./program_parts.ts";

/** What a program takes, bytes. */
export interface ProgramSize {
  /** Of the project's own files. */
  readonly fileBytes: number;
  readonly packageBytes: number;
}

/** One file to be copied. */
interface Part {
  readonly from: string;
  /** From the folder. */
  readonly to: string;
  readonly bytes: number;
}

/** How large the job in a script is. */
export async function programSize(script: string): Promise<ProgramSize> {
  const parts = await programParts(script);
  return { fileBytes: bytesOf(await ownFiles(parts)), packageBytes: bytesOf(await packageFiles(parts)) };
}

/**
 * Makes a folder hold the job in a script and nothing else, and says how large it is. What an earlier call laid out there stays where
 * this job needs it too: jobs have most of their packages in common.
 */
export async function layOutProgram(script: string, folder: string): Promise<ProgramSize> {
  const parts = await programParts(script);
  const [own, ofPackages] = [await ownFiles(parts), await packageFiles(parts)];
  const all = [...own, ...ofPackages];
  const there = await keepOnly(new Set(all.map(({ to }) => to)), folder);
  const folders = new Set(all.map(({ to }) => join(folder, dirname(to))));
  for (const each of folders) await Deno.mkdir(each, { recursive: true });
  for (const { from, to } of all) if (!there.has(to)) await Deno.copyFile(from, join(folder, to));
  await writeManifests(parts, folder);
  return { fileBytes: bytesOf(own), packageBytes: bytesOf(ofPackages) };
}

/** Removes everything else from a folder that may be there, and says what is left. */
async function keepOnly(files: ReadonlySet<string>, folder: string): Promise<ReadonlySet<string>> {
  const left = new Set<string>();
  const folders = new Set([...files].flatMap(foldersAbove));
  const visit = async (below: string) => {
    for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
      const path = below === "" ? name : `${below}/${name}`;
      if (isDirectory && folders.has(path)) await visit(path);
      else if (files.has(path)) left.add(path);
      else await Deno.remove(join(folder, path), { recursive: true });
    }
  };
  await Deno.mkdir(folder, { recursive: true });
  await visit("");
  return left;
}

function foldersAbove(path: string): readonly string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, place) => names.slice(0, place + 1).join("/"));
}

/** By these Deno finds the packages beside the program, and looks for them nowhere else. */
async function writeManifests({ asked, packages }: ProgramParts, folder: string): Promise<void> {
  const dependencies = Object.fromEntries(asked.map((id) => {
    const { name, version } = packages.get(id)!;
    return [name, version];
  }));
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies }));
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ nodeModulesDir: "manual", lock: false }));
}

async function ownFiles({ files }: ProgramParts): Promise<readonly Part[]> {
  return await Promise.all(files.map(async (file) => ({ from: file, to: file, bytes: (await Deno.stat(file)).size })));
}

async function packageFiles({ asked, packages }: ProgramParts): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for (const [place, id] of placedPackages(asked, packages)) {
    const from = packages.get(id)?.localPath;
    const manifest = from && await Deno.readTextFile(join(from, "package.json")).catch(() => undefined);
    // A package for another machine is not installed.
    if (!from || !manifest || !fitsLibrary(JSON.parse(manifest))) continue;
    for await (const part of filesBelow(from, place)) parts.push(part);
  }
  return parts;
}

async function* filesBelow(from: string, to: string): AsyncIterable<Part> {
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [join(from, name), `${to}/${name}`];
    if (isDirectory && name !== "node_modules") yield* filesBelow(source, target);
    else if (!isDirectory && isNeeded(target)) {
      const { size, isFile } = await Deno.stat(source);
      if (isFile) yield { from: source, to: target, bytes: size };
    }
  }
}

function bytesOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}
