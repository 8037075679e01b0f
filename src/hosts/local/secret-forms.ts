// The ways in which a secret comes back: as it is, escaped, encoded, or in the middle of base64.

import { MIN_SECRET_PIECE } from "../../limits.js";

/** Every text that gives the value away, longest first: none is a part of one that comes later. */
export function formsOf(value: string): string[] {
  const forms = new Set<string>();
  for (const text of [value, ...pieces(value)]) {
    const inJson = escaped(text);
    const plain = [text, inJson, escaped(inJson), ascii(text), inJson.replaceAll("/", "\\/")];
    for (const form of [...plain, ...inUrl(text), ...inMarkup(text)]) forms.add(form);
    for (const form of [...inBase64(text), ...inHex(text)]) forms.add(form);
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

/** Keys are shown line by line, and of a secret address others see the path alone. */
function pieces(value: string): string[] {
  const secret = value.replace(/^https?:\/\/[^/?#]*/i, "");
  return secret.split(/[\s/?&=#]+/).filter((piece) => {
    return piece.length >= MIN_SECRET_PIECE && piece !== value;
  });
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** As JSON is written by those who keep to ASCII. */
function ascii(text: string): string {
  const code = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return escaped(text).replace(/[\u0080-\uffff]/g, code);
}

/** Half a character cannot be encoded. */
function inUrl(text: string): string[] {
  const whole = text.replace(/\p{Surrogate}/gu, "\ufffd");
  const common = encodeURIComponent(whole);
  const code = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  const strict = common.replace(/[!'()*]/g, code);
  const encoded = [common, strict, encodeURI(whole), strict.replaceAll("%20", "+")];
  const lower = (form: string) => form.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  return [...encoded, ...encoded.map(lower)];
}

function inMarkup(text: string): string[] {
  const by = (codes: { [char: string]: string }) =>
    text.replace(/[&<>"']/g, (char) => codes[char] ?? `&#${char.charCodeAt(0)};`);
  const named = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  const quoted = { ...named, '"': "&quot;" };
  return [
    by({}),
    by({ ...named, '"': '"', "'": "'" }),
    by({ ...quoted, "'": "'" }),
    by(quoted),
    by({ ...quoted, "'": "&#x27;" }),
    by({ ...quoted, "'": "&apos;" }),
  ];
}

function inHex(text: string): string[] {
  const hex = Buffer.from(text).toString("hex");
  return [hex, hex.toUpperCase()];
}

/**
 * Inside longer base64 (`user:secret`, say) a text begins at one of three places in a group. The
 * characters that its neighbours have a part in are left out.
 */
function inBase64(text: string): string[] {
  const bytes = Buffer.from(text);
  const alone = bytes.toString("base64").replace(/=+$/, "");
  const inside = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor(((before + bytes.length) * 8) / 6);
    return whole.slice(from, to);
  });
  const forms = [alone, ...inside];
  return [...forms, ...forms.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))];
}
