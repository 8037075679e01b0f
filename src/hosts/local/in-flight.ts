// Counts the calls that are under way: beyond a number of them no new run should be taken, and a
// host which goes down lets them end.

import type { Outcome } from "../../engine/command.js";
import type { LoopPorts } from "../../engine/ports.js";
import type { Tally } from "./tally.js";

export class InFlight {
  readonly #limit: number;
  #count = 0;
  #idle = () => {};

  constructor(
    limit: number,
    readonly tally: Pick<Tally, "called">,
  ) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  isFull(): boolean {
    return this.#count >= this.#limit;
  }

  /** The same, counted from its start to its report, or to where it is stopped. */
  counted(call: LoopPorts["call"]): LoopPorts["call"] {
    return (what, report) => {
      const started = performance.now();
      let isOver = false;
      let reported: Outcome | undefined;
      const over = () => {
        if (isOver) return;
        isOver = true;
        this.tally.called(what, reported, performance.now() - started);
        this.#count -= 1;
        if (this.#count === 0) this.#idle();
      };
      this.#count += 1;
      const stop = call(what, (outcome) => {
        reported = outcome;
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
