// Sends inputs and holds each to a time. A machine may pause: an answer that came late is asked for
// again, alone, and is too slow only if it is late each time.

/** ms in which each is answered. */
export const BOUND_MS = 250;
/** Inputs under way at a time; each is one of these lanes' only one. */
const LANES = 8;
const TRIES = 3;

export interface Input {
  /** Said when something is wrong with its answer. */
  what: string;
  /** Resolves when it is answered; to what is wrong with the answer, if anything is. */
  send(): Promise<string | undefined>;
}

export interface Sent {
  count: number;
  /** Of the ms that each took, in order. */
  took: number[];
  /** Those that were asked again, since they had been late. */
  again: number;
}

/** Throws at the first whose answer is wrong, or that is late each time. */
export async function sendAll(inputs: Iterator<Input>): Promise<Sent> {
  const took: number[] = [];
  const late: Input[] = [];
  const lane = async () => {
    for (let step = inputs.next(); step.done !== true; step = inputs.next()) {
      const ms = await timed(step.value);
      took.push(ms);
      if (ms > BOUND_MS) late.push(step.value);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const input of late) await inTime(input);
  return { count: took.length, took: took.sort((a, b) => a - b), again: late.length };
}

/** Alone, and in time at least once. */
export async function inTime(input: Input): Promise<void> {
  const took: number[] = [];
  while (took.length < TRIES) {
    const ms = await timed(input);
    if (ms <= BOUND_MS) return;
    took.push(Math.round(ms));
  }
  throw new Error(`${input.what}: answered after ${took.join(", ")} ms, each time`);
}

/** The same for inputs that are sent together, in the time of one: else by halves, down to one. */
export async function inTimeTogether<T>(
  inputs: readonly T[],
  send: (inputs: readonly T[]) => Promise<number>,
): Promise<void> {
  const took: number[] = [];
  while (took.length < (inputs.length === 1 ? TRIES : 1)) {
    const ms = await send(inputs);
    if (ms <= BOUND_MS) return;
    took.push(Math.round(ms));
  }
  if (inputs.length === 1) throw new Error(`${inputs[0]}: took ${took.join(", ")} ms, each time`);
  const half = inputs.length >> 1;
  await inTimeTogether(inputs.slice(0, half), send);
  await inTimeTogether(inputs.slice(half), send);
}

async function timed({ what, send }: Input): Promise<number> {
  const began = performance.now();
  const trouble = await send();
  if (trouble !== undefined) throw new Error(`${what}: ${trouble.slice(0, 500)}`);
  return performance.now() - began;
}
