// Why a call was stopped, when its time was up; the reason of its signal.

export class TimedOut extends Error {
  override name = "TimedOut";
  constructor(readonly timeout_ms: number) {
    super(`stopped after ${timeout_ms} ms`);
  }
}
