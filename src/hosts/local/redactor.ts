// Takes the values of secrets out of texts and JSON, whoever wrote them there.

import type { Json } from "../../flow/json.js";
import { REDACTED } from "../../flow/redact.js";
import { formsOf } from "./secret-forms.js";

export class Redactor {
  readonly #known = new Set<string>();
  #forms: string[] = [];
  #pattern: RegExp | undefined;

  /** From now on. What is learned is never forgotten: an old key may still be good elsewhere. */
  learn(value: string): void {
    if (this.#known.has(value)) return;
    this.#known.add(value);
    this.#forms = [...new Set([...this.#forms, ...formsOf(value)])];
    this.#forms.sort((a, b) => b.length - a.length);
    this.#pattern = new RegExp(this.#forms.map(literal).join("|"), "g");
  }

  /** The same value where there is nothing to take out. Keys are looked at, too. */
  json<T extends Json>(value: T): T {
    return this.#pattern === undefined ? value : (this.#clean(value) as T);
  }

  /** One line of JSON stays one: in it, a number that is a secret is more than its digits. */
  text(text: string): string {
    if (this.#pattern === undefined || !this.#finds(text)) return text;
    return this.#cleanLine(text) ?? text.replace(this.#pattern, REDACTED);
  }

  #finds(text: string): boolean {
    if (this.#pattern === undefined) return false;
    this.#pattern.lastIndex = 0;
    return this.#pattern.test(text);
  }

  #cleanLine(text: string): string | undefined {
    if (!/^\s*[{["]/.test(text)) return undefined;
    try {
      const value = JSON.parse(text) as Json;
      return `${JSON.stringify(this.#clean(value))}${text.endsWith("\n") ? "\n" : ""}`;
    } catch {
      return undefined;
    }
  }

  #clean(value: Json): Json {
    if (typeof value === "string") return value.replace(this.#pattern as RegExp, REDACTED);
    if (typeof value === "number") return this.#known.has(String(value)) ? REDACTED : value;
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#clean(item));
      return items.every((item, index) => item === value[index]) ? value : items;
    }
    const before = Object.entries(value);
    const after = before.map(([key, item]): [string, Json] => [
      key.replace(this.#pattern as RegExp, REDACTED),
      this.#clean(item),
    ]);
    const isSame = after.every(([key, item], index) => {
      return key === before[index]?.[0] && item === before[index]?.[1];
    });
    return isSame ? value : Object.fromEntries(after);
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
