// Counts the calls that are in flight: beyond a number of them no new run should be taken.

import type { LoopPorts } from "../../engine/ports.js";

export interface InFlight {
  call: LoopPorts["call"];
  isFull(): boolean;
}

export function countCalls(call: LoopPorts["call"], limit: number): InFlight {
  let calls = 0;
  return {
    call(asked, report) {
      calls += 1;
      let isOpen = true;
      const ended = (): void => {
        if (isOpen) calls -= 1;
        isOpen = false;
      };
      const stop = call(asked, (outcome) => {
        ended();
        report(outcome);
      });
      return () => {
        ended();
        stop();
      };
    },
    isFull: () => calls >= limit,
  };
}
