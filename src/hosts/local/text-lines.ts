// Cuts what a program writes into lines, each of bounded length.

import { StringDecoder } from "node:string_decoder";
import { MAX_LOG_LINE } from "../../limits.js";

export class TextLines {
  readonly #decoder = new StringDecoder("utf8");
  readonly #line: (text: string) => void;
  #rest = "";

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  push(chunk: Buffer): void {
    this.#take(this.#decoder.write(chunk));
  }

  /** The last line may have no end. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== "") this.#line(this.#rest);
    this.#rest = "";
  }

  #take(text: string): void {
    const lines = `${this.#rest}${text}`.split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line.replace(/\r$/, ""));
    // A line that never ends is given out in pieces: it must not fill the memory.
    while (this.#rest.length > MAX_LOG_LINE) {
      this.#line(this.#rest.slice(0, MAX_LOG_LINE));
      this.#rest = this.#rest.slice(MAX_LOG_LINE);
    }
  }
}
