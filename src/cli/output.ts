// Where words go: results to stdout, talk to stderr, colour only where a terminal shows it.

import pc from "picocolors";

export type Colors = ReturnType<typeof pc.createColors>;

export interface Output {
  /** `--json` was given: results are JSON, one value a line. */
  readonly json: boolean;
  /** Of stdout, and of stderr. */
  readonly colors: Colors;
  readonly talkColors: Colors;
  /** Somebody looks at stderr: progress may be drawn there. */
  readonly live: boolean;
  result(text: string): void;
  value(value: unknown): void;
  say(text: string): void;
}

let clean = (text: string): string => text;

/** From now on, whatever this process writes goes through `by` first: it takes secrets out. */
export function protectOutput(by: (text: string) => string): void {
  clean = by;
}

/** For what is written past `Output`. */
export function withoutSecrets(text: string): string {
  return clean(text);
}

export function createOutput(json: boolean): Output {
  return {
    json,
    colors: pc.createColors(colorful(process.stdout)),
    talkColors: pc.createColors(colorful(process.stderr)),
    live: process.stderr.isTTY === true && process.env.TERM !== "dumb",
    result: (text) => write(process.stdout, text),
    value: (value) => write(process.stdout, JSON.stringify(value)),
    say: (text) => write(process.stderr, text),
  };
}

export function createColors(on: boolean): Colors {
  return pc.createColors(on);
}

/** `flows runs | head -1` closes the pipe early; that is no trouble of ours. */
export function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
}

/** Texts from files and servers may hold control characters; a terminal must not obey them. */
export function printable(text: string): string {
  return text.replace(CONTROL, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code === 10 ? "\\n" : code === 9 ? " " : `\\x${code.toString(16).padStart(2, "0")}`;
  });
}

const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

function colorful(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== "0";
  return stream.isTTY === true && TERM !== "dumb";
}

function write(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${clean(text)}\n`);
}
