/** A new file that takes many small pieces: the system is asked to write a megabyte at a time. */

const bufferBytes = 2 ** 20;

/** Written by {@linkcode add}; what is still buffered needs {@linkcode flush}. Disposing closes it. */
export class BufferedFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #buffer = new Uint8Array(bufferBytes);
  #used = 0;

  /** Throws what the system says where there is such a file already. */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { write: true, createNew: true });
  }

  /** Takes a copy of the bytes. */
  add(bytes: Uint8Array): void {
    if (this.#used + bytes.length > bufferBytes) this.flush();
    if (bytes.length > bufferBytes) return this.#write(bytes);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Hands everything to the system. */
  flush(): void {
    this.#write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #write(bytes: Uint8Array): void {
    for (let written = 0; written < bytes.length;) written += this.#file.writeSync(bytes.subarray(written));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
