import assert from "node:assert/strict";
import { patternExpression } from "./catalogue.ts";

Deno.test("a pattern matches names by star and question mark and nothing else", () => {
  const matches = (pattern: string, name: string) => new RegExp(patternExpression(pattern)).test(name);
  assert.ok(matches("orders", "public.orders"));
  assert.ok(matches("sales.*", "sales.orders"));
  assert.ok(matches("*.o?ders", "sales.orders"));
  assert.ok(!matches("sales.*", "xsales.orders"));
  assert.ok(!matches("orders", "public.orders2"));
  assert.ok(!matches("a.b", "axb"));
  assert.ok(matches("a.b(c)$", "a.b(c)$"));
});
