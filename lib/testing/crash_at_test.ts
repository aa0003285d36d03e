import assert from "node:assert/strict";
import { armFailPoints, failPoint } from "../fail_point.ts";
import { crashAt, failOnceAt, parseHits } from "./crash_at.ts";

async function pass(...points: readonly string[]): Promise<void> {
  for (const point of points) await failPoint(point);
}

Deno.test("a crash waits for a table commit, then for the n-th hit, and tells how often each point was passed", async () => {
  const stopped: string[] = [];
  const lines: string[] = [];
  const plan = {
    point: "x.step",
    hit: 2,
    stop: (point: string) => stopped.push(point),
    report: (line: string) => lines.push(line),
  };
  const hits = crashAt(plan);
  try {
    await pass("x.step", "x.step", "x.step");
    assert.deepEqual(stopped, [], "nothing is committed yet");
    await pass("x.afterCommit", "x.step");
    assert.deepEqual(stopped, []);
    await pass("x.step");
    assert.deepEqual(stopped, ["x.step"]);
    await pass("x.step");
    assert.equal(stopped.length, 1, "it stops once");
    assert.deepEqual(parseHits(lines.join("\n")), new Map([["x.afterCommit", 1], ["x.step", 5]]));
    assert.equal(hits.get("x.step"), 6);
  } finally {
    armFailPoints(undefined);
  }
});

Deno.test("the default way to stop is SIGKILL to the own process", async () => {
  const [points, crash] = ["../fail_point.ts", "./crash_at.ts"].map((path) => new URL(path, import.meta.url).href);
  const program = `import { failPoint } from "${points}"; import { crashAt } from "${crash}";
    crashAt({ point: "x.afterCommit" });
    await failPoint("x.afterCommit");
    console.error("still alive");`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, program);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--allow-run", file],
    stderr: "piped",
  });
  const { signal, stderr } = await command.output();
  await Deno.remove(file);
  const output = new TextDecoder().decode(stderr);
  assert.equal(signal, "SIGKILL", output);
  assert.deepEqual(parseHits(output), new Map([["x.afterCommit", 1]]));
  assert.doesNotMatch(output, /still alive/);
});

Deno.test("a point that fails once passes before and after", async () => {
  failOnceAt("y.step", 2);
  try {
    await pass("y.step", "y.other");
    await assert.rejects(pass("y.step"), /Planned failure at y.step/);
    await pass("y.step");
  } finally {
    armFailPoints(undefined);
  }
});
