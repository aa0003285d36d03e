/**
 * The whole terminal, drawn again and again in place.
 *
 * Promise: the terminal is given back as it was, whatever ends the process short of a kill; only lines that changed are written,
 * together, so that nothing flickers.
 */

/** The terminal that a job speaks to. */
export interface Terminal {
  readonly write: (text: string) => void;
  /** Cells, as it is now. */
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Whether colours are wanted. */
  readonly isColoured: boolean;
}

/** A second screen without cursor, on which lines that are too long end at the edge. */
const enter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/** What stands between is shown at once, by terminals that know of this. */
const [begin, end] = ["\x1b[?2026h", "\x1b[?2026l"];

/** The terminal while it is drawn on. Disposing gives it back; again does nothing. */
export class Screen implements Disposable {
  readonly #terminal: Terminal;
  readonly #program: EventTarget;
  readonly #leave = () => this[Symbol.dispose]();
  #shown: readonly string[] = [];
  #size = "";
  #isOpen = true;

  /**
   * Takes the terminal.
   *
   * @param program Is told of its own end, as `unload`. Default: this one.
   */
  constructor(terminal: Terminal, program: EventTarget = globalThis) {
    this.#terminal = terminal;
    this.#program = program;
    terminal.write(enter);
    // What is typed would stand among the lines.
    if (Deno.stdin.isTerminal()) Deno.stdin.setRaw(true, { cbreak: true });
    program.addEventListener("unload", this.#leave);
  }

  /** Shows lines, each at most as wide as the terminal; what does not fit below is left out. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const { columns, rows } = this.#terminal.size();
    const isResized = this.#size !== `${columns}x${rows}`;
    if (isResized) this.#shown = [];
    const all = Array.from({ length: rows }, (_, row) => lines[row] ?? "");
    const changed = all.map((line, row) => line === this.#shown[row] ? "" : `\x1b[${row + 1};1H\x1b[2K${line}\x1b[0m`);
    const text = changed.join("");
    if (text !== "") this.#terminal.write(`${begin}${isResized ? "\x1b[2J" : ""}${text}${end}`);
    this.#shown = all;
    this.#size = `${columns}x${rows}`;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#program.removeEventListener("unload", this.#leave);
    if (Deno.stdin.isTerminal()) Deno.stdin.setRaw(false);
    this.#terminal.write(leave);
  }
}
