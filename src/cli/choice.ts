// An option that wants one of a few words, with the nearest where it got another.

import { nearest } from "./ids.js";
import { quoted, usage } from "./options.js";

export function choice<T extends string>(option: string, text: string, words: readonly T[]): T {
  const known = words.find((word) => word === text);
  if (known !== undefined) return known;
  const near = nearest(text, words);
  throw usage(
    `${option} wants one of ${words.join(", ")}, not ${quoted(text)}.`,
    near && `did you mean ${near}?`,
  );
}
