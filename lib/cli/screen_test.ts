import assert from "node:assert/strict";
import { Screen } from "./screen.ts";

/** A terminal that keeps what is written to it. */
function keptTerminal(columns: number, rows: number) {
  const kept = { text: "", columns, rows };
  const terminal = {
    write: (text: string) => void (kept.text += text),
    size: () => ({ columns: kept.columns, rows: kept.rows }),
    isColoured: false,
  };
  const taken = () => {
    const { text } = kept;
    kept.text = "";
    return text;
  };
  return { terminal, kept, taken };
}

Deno.test("only lines that changed are written, and all of them when the terminal has another size", () => {
  const { terminal, kept, taken } = keptTerminal(20, 3);
  using screen = new Screen(terminal);
  screen.draw(["one", "two"]);
  assert.match(taken(), /one[\s\S]*two/);
  screen.draw(["one", "2"]);
  const second = taken();
  assert.ok(second.includes("\x1b[2;1H\x1b[2K2"));
  assert.ok(!second.includes("one") && !second.includes("\x1b[3;1H"));
  screen.draw(["one", "2"]);
  assert.equal(taken(), "");
  kept.rows = 1;
  screen.draw(["one", "2"]);
  const resized = taken();
  assert.ok(resized.includes("\x1b[2J") && resized.includes("one") && !resized.includes("2;1H"));
});

Deno.test("the terminal is given back once, and nothing is drawn on it after that", () => {
  const { terminal, taken } = keptTerminal(20, 3);
  const program = new EventTarget();
  const screen = new Screen(terminal, program);
  assert.ok(taken().startsWith("\x1b[?1049h\x1b[?25l"));
  screen[Symbol.dispose]();
  assert.ok(taken().endsWith("\x1b[?25h\x1b[?1049l"));
  screen.draw(["late"]);
  screen[Symbol.dispose]();
  program.dispatchEvent(new Event("unload"));
  assert.equal(taken(), "");
});

Deno.test("a program that ends gives the terminal back", () => {
  const { terminal, taken } = keptTerminal(20, 3);
  const program = new EventTarget();
  using _screen = new Screen(terminal, program);
  program.dispatchEvent(new Event("unload"));
  assert.ok(taken().endsWith("\x1b[?25h\x1b[?1049l"));
});
