// Hostile requests that any client can send: well-formed HTTP, with something nasty in one place.

import { inHeader, inPath, type Maker, NASTY, NASTY_JSON } from "./hostile-values.js";

export interface Request {
  method: "GET" | "POST";
  path: string;
  headers?: { [name: string]: string };
  body?: string;
}

const TRIGGER = "/api/workflows/strict/trigger";
const RUN = `/api/runs/run_${"0".repeat(26)}`;
const JSON_TYPE = { "content-type": "application/json" };

/** Every nasty text at each place that takes an id, and every nasty JSON as a body. */
export const HAND_PICKED: readonly Request[] = [
  ...NASTY.map((text) => get(`/api/workflows/${inPath(text) || "%20"}`)),
  ...NASTY.map((text) => get(`/api/runs/${inPath(text) || "%20"}`)),
  ...NASTY.map((text) => get(`/docs/${inPath(text) || "%20"}`)),
  ...NASTY.map((text) => get(`/api/runs?cursor=${inPath(text)}&limit=0`)),
  ...NASTY_JSON.map((body) => post(TRIGGER, body || "x")),
  ...NASTY_JSON.map((body) => post(TRIGGER, `{"context":${body}}`)),
  ...NASTY_JSON.map((body) => post("/api/workflows", body || "x")),
];

const DOORS: ((make: Maker) => Request)[] = [
  (make) => get(`/api/workflows/x${inPath(make.text())}`),
  (make) => get(`/api/runs/${inPath(make.text())}x`),
  (make) => get(`/api/runs/x${inPath(make.text())}/${make.pick(["events", "logs"])}`),
  (make) => get(`/x${inPath(make.text())}/${inPath(make.text())}`),
  (make) => get(`/hooks/x${inPath(make.text())}`),
  (make) => get(`/api/runs?x${inPath(make.text())}=${inPath(make.text())}`),
  (make) => get(`/api/runs?limit=x${inPath(make.text())}`),
  (make) => get(`/api/runs?status=x${inPath(make.text())}`),
  (make) => get(`/api/schedule?from=x${inPath(make.text())}`),
  (make) => get("/health", { origin: `http://x${inHeader(make.text())}` }),
  (make) => get("/health", { "sec-fetch-site": `x${inHeader(make.text())}` }),
  (make) => post(TRIGGER, "{}", { "content-type": `x/${inHeader(make.text())}` }),
  (make) => post(TRIGGER, "{}", { ...JSON_TYPE, "content-encoding": `x${inHeader(make.text())}` }),
  (make) => post(TRIGGER, `${make.pick(NASTY_JSON)}${make.pick(["", "]", "}", '"'])} x`),
  (make) => post(TRIGGER, `{"context":${make.pick(NASTY_JSON)},"x":1}`),
  (make) => post(TRIGGER, JSON.stringify({ context: { [`x${make.text()}`]: make.text() } })),
  (make) => post(TRIGGER, JSON.stringify({ context: { amount: make.text() } })),
  (make) => post(`${TRIGGER}?wait=x${inPath(make.text())}`, "{}"),
  (make) =>
    post(TRIGGER, "{}", { ...JSON_TYPE, "idempotency-key": "k".repeat(256 + make.below(999)) }),
  (make) => post(`${RUN}/${make.pick(WISHES)}`, JSON.stringify({ [make.text()]: make.text() })),
];

const WISHES = ["cancel", "retry", "signal", "approve", "reject", "pause", "resume"];

/** At one of the doors. */
export function hostileRequest(make: Maker): Request {
  return make.pick(DOORS)(make);
}

function get(path: string, headers: { [name: string]: string } = {}): Request {
  return { method: "GET", path, headers };
}

function post(
  path: string,
  body: string,
  headers: { [name: string]: string } = JSON_TYPE,
): Request {
  return { method: "POST", path, headers, body };
}
