// Texts that are secrets, wherever they stand.

export const SECRET_TEXT = new RegExp(
  [
    "^(?:Bearer|Basic) +[\\w+/=.~-]{16,}$",
    "\\bgh[pousr]_\\w{30,}",
    "\\bgithub_pat_\\w{30,}",
    "\\bglpat-[\\w-]{20,}",
    "\\bsk_live_\\w{16,}",
    "\\bxox[abprs]-[\\w-]{10,}",
    "\\bAKIA[0-9A-Z]{16}\\b",
    "\\bAIza[\\w-]{35}",
    "-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "^https?://[^/@\\s:]+:[^/@\\s]+@",
  ].join("|"),
);
