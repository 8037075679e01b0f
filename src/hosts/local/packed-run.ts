// The text of a run that sleeps: its JSON without what the index has, and with one control
// character for each phrase that most runs have. JSON has no control characters of its own.

/**
 * Each begins with a quote, which is quick to look for. The first that fits is taken. They are a
 * part of FORMAT, since a checkpoint has packed texts: others may only follow.
 */
const PHRASES = [
  '"status":"running","context":{',
  '"status":"paused","context":{',
  '"trigger":{"type":"manual"},"steps":{"',
  '"trigger":{"type":"manual","idempotency_key":"',
  '"trigger":{"type":"schedule"',
  '"trigger":{"type":"webhook"',
  '":{"status":"completed","attempt":1,"iteration":0,"started_at":"',
  '":{"status":"waiting","attempt":1,"iteration":0,"started_at":"',
  '"finished_at":null,"output":null,"error":null,"until":"',
  '"finished_at":null,"output":null,"error":null,"signal":"',
  '"error":null,"output":null,"created_at":"',
  '"finished_at":null,"open":["',
  '"output":null,"error":null}',
  '","request_hash":"',
  '","finished_at":"',
  '","started_at":"',
  '"],"step_count":',
];
const NEWLINE = 10;

const codes = PHRASES.map((_, i) => String.fromCharCode(i + 1 < NEWLINE ? i + 1 : i + 2));
const phraseOf = new Map(codes.map((code, i) => [code, PHRASES[i] ?? ""]));
const codeOf = new Map(PHRASES.map((phrase, i) => [phrase, codes[i] ?? ""]));
const ANY_PHRASE = new RegExp(PHRASES.map((p) => p.replace(/[{}[\]]/g, "\\$&")).join("|"), "g");
const ANY_CODE = new RegExp(`[${codes.join("")}]`, "g");

export function packed(json: string): string {
  return json.replace(ANY_PHRASE, (phrase) => codeOf.get(phrase) ?? phrase);
}

export function unpacked(text: string): string {
  return text.replace(ANY_CODE, (code) => phraseOf.get(code) ?? code);
}
