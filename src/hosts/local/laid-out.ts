// Lays JSON out for people, as `JSON.stringify(value, null, 2)` does. From text to text, without
// making the values, since each run's document goes through here.

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN = 123;
const CLOSE = 125;

const breaks = ["\n"];

/** `json` is as `JSON.stringify` writes it: without spaces. */
export function laidOut(json: string): string {
  let text = "";
  let from = 0;
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        at = closingQuote(json, at);
        break;
      case COLON:
        text += `${json.slice(from, at + 1)} `;
        from = at + 1;
        break;
      case COMMA:
        text += json.slice(from, at + 1) + lineBreak(depth);
        from = at + 1;
        break;
      case OPEN:
      case OPEN_LIST: {
        const next = json.charCodeAt(at + 1);
        if (next === CLOSE || next === CLOSE_LIST) {
          at += 1;
          break;
        }
        depth += 1;
        text += json.slice(from, at + 1) + lineBreak(depth);
        from = at + 1;
        break;
      }
      case CLOSE:
      case CLOSE_LIST:
        depth -= 1;
        text += json.slice(from, at) + lineBreak(depth);
        from = at;
        break;
    }
  }
  return text + json.slice(from);
}

function closingQuote(json: string, opening: number): number {
  for (let at = json.indexOf('"', opening + 1); ; at = json.indexOf('"', at + 1)) {
    let before = at - 1;
    while (json.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 1) return at;
  }
}

function lineBreak(depth: number): string {
  for (let next = breaks.length; next <= depth; next += 1) breaks.push(`${breaks[next - 1]}  `);
  return breaks[depth] ?? "\n";
}
