// The id of the run that a workflow step starts: a function of its parent and its key, so that a
// step which is performed again after a crash finds the run it had started.

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Begins with the parent's time, so that ids sort near each other; then 80 bits of a hash. */
export function childRunId(parentRunId: string, key: string): string {
  const text = `${parentRunId}/${key}`;
  let id = parentRunId.slice(0, 14);
  for (const seed of [1, 2, 3, 4]) {
    let hash = mix(text, seed);
    for (let digit = 0; digit < 4; digit++) {
      id += ALPHABET[hash & 31];
      hash >>>= 5;
    }
  }
  return id;
}

/** FNV-1a with a seed, and a last stir so that every bit counts. */
function mix(text: string, seed: number): number {
  let hash = Math.imul(0x811c9dc5, seed);
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
