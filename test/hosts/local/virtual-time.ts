// Time that the test turns: timers fire in order, at once, and the same way each time.

import { vi } from "vitest";

interface Alarm {
  at: number;
  seq: number;
  ms: number;
  act: (() => void) | null;
}

const realImmediate = setImmediate;

export class VirtualTime {
  now = Date.parse("2026-01-02T03:04:05.000Z");
  #seq = 0;
  #alarms: Alarm[] = [];

  /** From now on timers of this process are ours; `vi.unstubAllGlobals` gives them back. */
  install(): this {
    const set = (act: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): object =>
      this.#set(() => act(...args), ms);
    const clear = (handle?: { alarm?: Alarm }): void => {
      if (handle?.alarm) handle.alarm.act = null;
    };
    vi.stubGlobal("setTimeout", set);
    vi.stubGlobal("clearTimeout", clear);
    vi.stubGlobal("setImmediate", (act: (...args: unknown[]) => void, ...args: unknown[]) =>
      set(act, 0, ...args),
    );
    vi.stubGlobal("clearImmediate", clear);
    return this;
  }

  /** Lets this much time pass, or less, once `isDone`. */
  async pass(ms: number, isDone: () => boolean = () => false): Promise<void> {
    const end = this.now + ms;
    await turn();
    while (!isDone()) {
      const next = this.#next();
      if (!next || next.at > end) break;
      this.now = Math.max(this.now, next.at);
      const { act } = next;
      next.act = null;
      act?.();
      await turn();
    }
    if (!isDone()) this.now = end;
  }

  async until(isDone: () => boolean): Promise<void> {
    await this.pass(3_600_000, isDone);
    if (!isDone()) throw new Error("it did not come to pass within an hour");
  }

  async result<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await this.until(() => isSettled);
    return promise;
  }

  /** What was waiting is forgotten: its process is gone. */
  forget(): void {
    this.#alarms = [];
  }

  #set(act: () => void, ms: number): object {
    const alarm: Alarm = { at: 0, seq: 0, ms, act: null };
    const arm = (): object => {
      this.#seq += 1;
      const armed = { ...alarm, at: this.now + Math.max(0, ms), seq: this.#seq, act };
      handle.alarm = armed;
      this.#alarms.push(armed);
      return handle;
    };
    const handle = {
      alarm,
      ref: () => handle,
      unref: () => handle,
      refresh: () => {
        handle.alarm.act = null;
        return arm();
      },
    };
    return arm();
  }

  #next(): Alarm | undefined {
    let first: Alarm | undefined;
    let spent = 0;
    for (const alarm of this.#alarms) {
      if (alarm.act === null) spent += 1;
      else if (!first || alarm.at < first.at || (alarm.at === first.at && alarm.seq < first.seq)) {
        first = alarm;
      }
    }
    if (spent > 16) this.#alarms = this.#alarms.filter(({ act }) => act !== null);
    return first;
  }
}

/** All that follows by promises has happened. */
function turn(): Promise<void> {
  return new Promise((resolve) => realImmediate(resolve));
}
