// Times of CEL without a clock: the same answer on every host, whatever its own time zone is.

import { Duration } from "@marcbachmann/cel-js/evaluator";

/** What a date, a duration or a time zone cannot be. */
export class TimeError extends Error {}

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

export function parseTimestamp(text: string): Date {
  const parts = text.length <= 40 ? RFC_3339.exec(text) : null;
  const date = new Date(parts === null ? Number.NaN : text.toUpperCase());
  // `Date` rolls the 31st of April over to May.
  const days = parts === null ? 0 : daysIn(Number(parts[1]), Number(parts[2]));
  if (parts === null || Number.isNaN(date.getTime()) || Number(parts[3]) > days) {
    throw new TimeError(
      `${quote(text)} is no time: write it like "2026-01-31T09:30:00Z" or with "+01:00"`,
    );
  }
  return date;
}

/** Seconds since 1970. */
export function timestampOf(seconds: number): Date {
  const date = new Date(seconds * 1000);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) {
    throw new TimeError(`${seconds} seconds since 1970 are beyond the years 1 to 9999`);
  }
  return date;
}

const DURATION = /^[+-]?(?:\d{1,15}(?:\.\d{1,9})?(?:h|ms|m|s|us|µs|ns))+$/;
const DURATION_PART = /(\d+)(?:\.(\d+))?(h|ms|m|s|us|µs|ns)/g;
const NANOS: { readonly [unit: string]: bigint } = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
};

/** As in Go: `1h30m`, `1.5s`, `-2m`. The library's own parser takes cubic time. */
export function parseDuration(text: string): Duration {
  if (text.length > 64 || !DURATION.test(text)) {
    throw new TimeError(`${quote(text)} is no duration: write it like "1h30m" or "1.5s"`);
  }
  let nanos = 0n;
  for (const [, whole = "0", fraction = "", unit = "s"] of text.matchAll(DURATION_PART)) {
    const size = NANOS[unit] ?? 0n;
    nanos += BigInt(whole) * size + (BigInt(fraction.padEnd(9, "0")) * size) / 1_000_000_000n;
  }
  if (text.startsWith("-")) {
    nanos = -nanos;
  }
  return new Duration(nanos / 1_000_000_000n, Number(nanos % 1_000_000_000n));
}

/** `90s`, `1.5s`: what `duration()` reads back. */
export function durationText(duration: Duration): string {
  const nanos = duration.seconds * 1_000_000_000n + BigInt(duration.nanos);
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  const sign = nanos < 0n ? "-" : "";
  return `${sign}${size / 1_000_000_000n}${fraction === "" ? "" : `.${fraction}`}s`;
}

/** By the name of the method, as CEL counts: months, days of the month and of the year from 0. */
export const DATE_PARTS: { readonly [method: string]: (date: Date) => number } = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - startOfYear(date)) / 86_400_000),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};

export const DURATION_PARTS: { readonly [method: string]: (duration: Duration) => bigint } = {
  getHours: (duration) => duration.getHours(),
  getMinutes: (duration) => duration.getMinutes(),
  getSeconds: (duration) => duration.getSeconds(),
  getMilliseconds: (duration) => duration.getMilliseconds(),
};

/** The date whose UTC parts are what a clock shows in the zone at that moment. */
export function inZone(date: Date, zone: string): Date {
  const offset = /^([+-])(\d\d):(\d\d)$/.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(date.getTime() + (offset[1] === "-" ? -minutes : minutes) * 60_000);
  }
  const shown: { [part: string]: number } = {};
  for (const { type, value } of clockOf(zone).formatToParts(date)) {
    shown[type] = Number(value);
  }
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
  const moved = new Date(0);
  moved.setUTCFullYear(year, month - 1, day);
  moved.setUTCHours(hour % 24, minute, second, date.getUTCMilliseconds());
  return moved;
}

/** Few: flows name a handful of zones, but data may name any. */
const clocks = new Map<string, Intl.DateTimeFormat>();
const MAX_CLOCKS = 50;

function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    clock = makeClock(zone);
    if (clocks.size >= MAX_CLOCKS) {
      clocks.clear();
    }
    clocks.set(zone, clock);
  }
  return clock;
}

function makeClock(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US-u-ca-iso8601-nu-latn", {
      timeZone,
      hourCycle: "h23",
      ...{ year: "numeric", month: "numeric", day: "numeric" },
      ...{ hour: "numeric", minute: "numeric", second: "numeric" },
    });
  } catch {
    throw new TimeError(`${quote(timeZone)} is no time zone: write it like "Europe/Paris"`);
  }
}

function startOfYear(date: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return start.getTime();
}

function daysIn(year: number, month: number): number {
  const last = new Date(0);
  last.setUTCFullYear(year, month, 0);
  return last.getUTCDate();
}

function quote(text: string): string {
  return text.length > 40 ? `"${text.slice(0, 40)}…"` : `"${text}"`;
}
