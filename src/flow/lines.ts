// From an offset in a text to a line and a column, both from 1.

export interface Position {
  line: number;
  column: number;
}

export class Lines {
  readonly #starts: number[] = [0];
  readonly #bom: number;

  constructor(text: string) {
    this.#bom = text.startsWith("\ufeff") ? 1 : 0;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  /** A byte order mark takes no column. */
  position(offset: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    const start = low === 0 ? this.#bom : (this.#starts[low] ?? 0);
    return { line: low + 1, column: Math.max(0, offset - start) + 1 };
  }
}
