/** How large the terminal is. */

/** In cells; the usual ones where the terminal does not know, or was closed: what is written then finds that out. */
export function terminalSize(): { readonly columns: number; readonly rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, rows: rows || 24 };
  } catch {
    return { columns: 80, rows: 24 };
  }
}

/** Cells of a line that is printed; undefined where standard output is no terminal, and a line may be of any length. */
export function printedColumns(): number | undefined {
  return Deno.stdout.isTerminal() ? terminalSize().columns : undefined;
}
