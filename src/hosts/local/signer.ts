// Signatures by Node's own hashes.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Signer } from "../../engine/ports.js";

export const signer: Signer = {
  hmac({ hash, key, parts, encoding }) {
    const bytes = "text" in key ? Buffer.from(key.text) : Buffer.from(key.base64, "base64");
    const hmac = createHmac(hash, bytes);
    for (const part of parts) hmac.update(part);
    return hmac.digest(encoding);
  },
  // Hashed first: texts of other lengths take as long.
  equal: (a, b) => timingSafeEqual(digest(a), digest(b)),
};

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
