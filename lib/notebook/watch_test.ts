import assert from "node:assert/strict";
import { display } from "./table_display.ts";
import { displayOf, watch } from "./watch.ts";

Deno.test("what is shown takes the place of what was shown before, in the forms that it has", async () => {
  const messages: [type: string, content: Record<string, unknown>][] = [];
  const show = displayOf({
    broadcast: (type, content) => Promise.resolve(void messages.push([type, content])),
    format: (shown) => Promise.resolve({ "text/plain": `formatted ${shown}` }),
  });
  const bold = { [display]: () => ({ "text/html": "<b>" }) };
  for (const shown of ["a text", bold, 7, [bold, "a < b"]]) await show(shown);
  assert.deepEqual(messages.map(([type]) => type), ["display_data", ...Array(3).fill("update_display_data")]);
  assert.deepEqual(messages.map(([, { data }]) => data), [
    { "text/plain": "a text" },
    { "text/html": "<b>" },
    { "text/plain": "formatted 7" },
    { "text/html": "<div><b></div>\n<div><pre>a &lt; b</pre></div>", "text/plain": "\na < b" },
  ]);
  const ids = messages.map(([, { transient }]) => (transient as { display_id: string }).display_id);
  assert.equal(new Set(ids).size, 1);
});

Deno.test("without a notebook all states are gone through, and what they throw is thrown", async () => {
  const seen: number[] = [];
  const states = async function* () {
    for (let state = 0; state < 3; state++) {
      await Promise.resolve();
      seen.push(state);
      yield state;
    }
    throw new RangeError("over");
  };
  await assert.rejects(watch(states), RangeError);
  assert.deepEqual(seen, [0, 1, 2]);
});
