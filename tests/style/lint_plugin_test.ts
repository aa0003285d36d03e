import assert from "node:assert/strict";
import plugin from "./lint_plugin.ts";

function findings(source: string): string[] {
  return Deno.lint.runPlugin(plugin, "example.ts", source).map(({ id }) => id);
}

const statements = (count: number) => "  step();\n".repeat(count);

Deno.test("a function over 70 lines is found, in every form a function has", () => {
  const body = `{\n${statements(69)}}`;
  assert.deepEqual(findings(`function a() ${body}`), ["weir/function-length"]);
  assert.deepEqual(findings(`const a = () => ${body};`), ["weir/function-length"]);
  assert.deepEqual(findings(`class A { a() ${body} }`), ["weir/function-length"]);
  assert.deepEqual(findings(`function a() {\n${statements(68)}}`), []);
});

Deno.test("a fourth argument and a default export are found", () => {
  assert.deepEqual(findings("export function f(a: 1, b: 2, c: 3, d: 4) { return [a, b, c, d]; }"), ["weir/parameters"]);
  assert.deepEqual(findings("export function f(a: 1, b: 2, c: {}) { return [a, b, c]; }"), []);
  assert.deepEqual(findings("export default 1;"), ["weir/default-export"]);
});
