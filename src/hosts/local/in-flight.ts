// Counts the calls that are under way: beyond a number of them no new run should be taken, and a
// host which goes down lets them end.

import type { LoopPorts } from "../../engine/ports.js";

export class InFlight {
  readonly #limit: number;
  #count = 0;
  #idle = () => {};

  constructor(limit: number) {
    this.#limit = limit;
  }

  isFull(): boolean {
    return this.#count >= this.#limit;
  }

  /** The same, counted from its start to its report, or to where it is stopped. */
  counted(call: LoopPorts["call"]): LoopPorts["call"] {
    return (what, report) => {
      let isOver = false;
      const over = () => {
        if (isOver) return;
        isOver = true;
        this.#count -= 1;
        if (this.#count === 0) this.#idle();
      };
      this.#count += 1;
      const stop = call(what, (outcome) => {
        report(outcome);
        over();
      });
      return () => {
        stop();
        over();
      };
    };
  }

  /** Resolves when none is left, or when the time is up: with how many are. */
  async ended(within_ms: number): Promise<number> {
    if (this.#count === 0) return 0;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, within_ms);
    });
    clearTimeout(timer);
    return this.#count;
  }
}
