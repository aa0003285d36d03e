import assert from "node:assert/strict";
import { parse } from "yaml";
import { everyJob } from "../../jobs/jobs.ts";
import { ownJobs } from "../../jobs/wiring/own_jobs.ts";
import { root } from "./source_tree.ts";

interface Task {
  readonly description?: string;
  readonly command: string;
}

interface Configuration {
  readonly tasks: Readonly<Record<string, Task>>;
  readonly permissions: Readonly<Record<string, unknown>>;
  readonly imports: Readonly<Record<string, string>>;
}

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

async function configuration(): Promise<Configuration> {
  return JSON.parse(await Deno.readTextFile(`${root}/deno.json`)) as Configuration;
}

Deno.test("every task says what it does and runs with a named permission set, never with all permissions", async () => {
  const { tasks, permissions } = await configuration();
  for (const [name, { description = "", command }] of Object.entries(tasks)) {
    assert.ok(description.length > 20, `${name} has no description`);
    assert.doesNotMatch(command, /(?:^|\s)(?:-A|--allow-\S+|-[RWNESI])(?:\s|=|$)/, name);
    for (const [step] of command.matchAll(/deno (?:run|test)\b[^&]*/g)) {
      const set = /-P=(\w+)/.exec(step)?.[1] ?? "";
      assert.ok(permissions[set] !== undefined, `${name}: ${step.trim()} names no permission set`);
      // Packages ask for more than they need; on a terminal Deno would stop and ask the user each time.
      assert.match(step, / --no-prompt /, name);
    }
  }
});

Deno.test("every task that runs a file of jobs/ is a declared job, with its sentence and a permission set of its name", async () => {
  const { tasks } = await configuration();
  const jobs = new Map([...everyJob(), ...await ownJobs(everyJob())].map((job) => [job.name, job]));
  const files: string[] = [];
  for (const [name, { description, command }] of Object.entries(tasks)) {
    const [, set, file] = / -P=(\w+) jobs\/(\w+)\.ts$/.exec(command) ?? [];
    if (file === undefined) continue;
    files.push(`${file}.ts`);
    assert.equal(set, file, name);
    assert.equal(jobs.get(name)?.summary, description, name);
  }
  const there = [...Deno.readDirSync(`${root}/jobs`)].filter(({ isFile }) => isFile).map(({ name }) => name);
  assert.deepEqual(files.sort(), there.sort());
});

Deno.test("a job's permission set reaches neither every file nor every host nor every program", async () => {
  const { permissions, tasks } = await configuration();
  const sets = Object.values(tasks).flatMap(({ command }) => / -P=(\w+) jobs\//.exec(command)?.[1] ?? []);
  assert.ok(sets.length >= everyJob().length);
  for (const name of sets) {
    for (const [kind, granted] of Object.entries(permissions[name] ?? {})) {
      assert.ok(Array.isArray(granted) && granted.length > 0, `${name} grants all of ${kind}`);
    }
  }
});

Deno.test("every package is pinned to one version", async () => {
  const { imports } = await configuration();
  for (const [name, target] of Object.entries(imports)) assert.match(target, /^npm:.+@\d+\.\d+\.\d+[\w.-]*$/, name);
});

Deno.test("compose.yaml is sound: profiles, health checks, loopback ports, nothing dangling", async () => {
  const compose = parse(await Deno.readTextFile(`${root}/compose.yaml`), { strict: true, uniqueKeys: true }) as Compose;
  const { services } = compose;
  for (const wanted of ["postgres", "kafka", "minio", "iceberg-rest"]) assert.ok(services[wanted], wanted);
  for (const [name, service] of Object.entries(services)) {
    assert.match(service.image, /^[\w./-]+:(?!latest$)[\w.-]+$/, `${name} has a pinned image`);
    assert.ok((service.profiles ?? []).length > 0, `${name} has a profile`);
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, name);
    if (service.ports !== undefined) {
      assert.ok((service.healthcheck?.test ?? []).length > 1, `${name} has a health check`);
    }
    for (const other of Object.keys(service.depends_on ?? {})) {
      assert.ok(
        service.profiles?.every((profile) => services[other]?.profiles?.includes(profile)),
        `${name} → ${other}`,
      );
    }
    for (const volume of service.volumes ?? []) assert.ok((volume.split(":")[0] ?? "") in compose.volumes, volume);
  }
});
