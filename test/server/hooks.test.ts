// Hooks over real HTTP and a real store: who is let in, what is read, and what starts once.

import { createHmac } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Run } from "../../src/engine/run.js";
import { type LocalHost, openLocalHost } from "../../src/hosts/local/host.js";
import { openSecrets } from "../../src/hosts/local/secrets.js";
import { type RunningServer, startServer } from "../../src/server/server.js";

const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOKEN = "a-token-of-32-characters-or-more";

const FLOWS: { [id: string]: string } = {
  standard: `secrets: [HOOK_KEY]
context: { type: object, required: [amount], properties: { amount: { type: number } } }
triggers:
  - { type: webhook, path: standard, signature: { scheme: standard_webhooks, secret: HOOK_KEY } }`,
  mapped: `secrets: [HMAC_KEY]
triggers:
  - type: webhook
    path: team/mapped
    signature: { scheme: hmac, secret: HMAC_KEY, header: X-Sig, id_header: X-Id }
    respond: result
    context:
      name: "\${{ trigger.body.name }}"
      kind: "\${{ trigger.headers['x-kind'] }}"
      page: "\${{ trigger.query.page }}"
outputs: { hello: "\${{ context.name }}" }`,
  slack: `secrets: [HMAC_KEY]
triggers: [{ type: webhook, path: slack, signature: { scheme: slack, secret: HMAC_KEY } }]`,
  plain: "triggers: [{ type: webhook, path: plain }]",
  unset: `secrets: [NOWHERE]
triggers: [{ type: webhook, path: unset, signature: { scheme: github, secret: NOWHERE } }]`,
  failing: `triggers: [{ type: webhook, path: failing, respond: result }]
steps: [{ id: a, type: fail, config: { message: secret reason } }]`,
};

let dir: string;
let host: LocalHost;
let server: RunningServer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "flows-hooks-"));
  await mkdir(join(dir, "flows"));
  for (const [id, text] of Object.entries(FLOWS)) {
    const steps = "steps: [{ id: a, type: delay, config: { seconds: 0 } }]";
    const all = `id: ${id}\n${text}\n${text.includes("steps:") ? "" : steps}\n`;
    await writeFile(join(dir, "flows", `${id}.yaml`), all);
  }
  const environment = {
    FLOWS_SECRET_HOOK_KEY: KEY,
    FLOWS_SECRET_HMAC_KEY: "s3cret-of-the-hmac",
  };
  const log = { info() {}, warn() {}, error() {} };
  const folders = { flows: join(dir, "flows"), store: join(dir, "store") };
  const secrets = openSecrets({ environment });
  const uses = { watch: false, triggers: true, secrets, version: "1.2.3", log };
  const onFailure = (error: Error) => {
    throw error;
  };
  host = await openLocalHost({ ...folders, ...uses, onFailure });
  const options = { host: "127.0.0.1", port: 0, version: "1.2.3", token: TOKEN, log };
  server = await startServer(host, options);
});

afterAll(async () => {
  await server.close();
  await host.close();
  await rm(dir, { recursive: true, force: true });
});

interface Answered {
  status: number;
  body: { [name: string]: unknown };
}

async function post(
  path: string,
  body: string,
  headers: { [name: string]: string } = {},
): Promise<Answered> {
  const type = { "content-type": "application/json" };
  const init = { method: "POST", body, headers: { ...type, ...headers } };
  const answer = await fetch(`${server.url}/hooks/${path}`, init);
  return { status: answer.status, body: (await answer.json()) as Answered["body"] };
}

function signed(id: string, body: string, at = new Date()): { [name: string]: string } {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": new Webhook(KEY).sign(id, at, body),
  };
}

const hmac = (text: string) =>
  createHmac("sha256", "s3cret-of-the-hmac").update(text).digest("hex");

async function run(answered: Answered): Promise<Run> {
  const found = await host.runner.get(String(answered.body.run_id));
  if (found === undefined) throw new Error(JSON.stringify(answered));
  return found;
}

const BODY = '{"amount": 12.5}';

describe("given a hook with a signature, when a delivery comes", () => {
  test("signed: it needs no token, and the body is the run's context", async () => {
    const answered = await post("standard", BODY, signed("msg_1", BODY));
    expect(answered.status).toBe(202);
    const started = await run(answered);
    expect(started.context).toEqual({ amount: 12.5 });
    expect(started.trigger).toMatchObject({
      type: "webhook",
      path: "standard",
      delivery_id: "msg_1",
    });
  });

  test("again, by its id: the first run is named, also when many come at once", async () => {
    const headers = signed("msg_2", BODY);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post("standard", BODY, headers)),
    );
    expect(new Set(answers.map(({ body }) => body.run_id)).size).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 202]);
    const retried = await post(
      "standard",
      BODY,
      signed("msg_2", BODY, new Date(Date.now() + 5_000)),
    );
    expect(retried).toMatchObject({ status: 200, body: { run_id: answers[0]?.body.run_id } });
  });

  test("too old, forged, or not signed: 401, and nothing starts", async () => {
    const before = (await host.runner.list({ limit: 200 })).runs.length;
    const old = signed("msg_3", BODY, new Date(Date.now() - 301_000));
    const tries = [old, signed("msg_3", "{}"), {}, { authorization: `Bearer ${TOKEN}` }];
    for (const headers of tries) {
      const answered = await post("standard", BODY, headers as { [name: string]: string });
      expect(answered).toMatchObject({ status: 401, body: { kind: "bad_signature" } });
    }
    expect((await host.runner.list({ limit: 200 })).runs).toHaveLength(before);
  });

  test("signed, but no JSON: 400; a context that does not fit: 422; too large: 413", async () => {
    expect(await post("standard", "{", signed("m", "{"))).toMatchObject({ status: 400 });
    expect(await post("standard", "{}", signed("m", "{}"))).toMatchObject({
      status: 422,
      body: { kind: "context_mismatch" },
    });
    expect(await post("standard", "[1]", signed("m", "[1]"))).toMatchObject({ status: 422 });
    const large = JSON.stringify({ amount: 1, text: "x".repeat(1_100_000) });
    expect(await post("standard", large, signed("m", large))).toMatchObject({ status: 413 });
    const headers = { ...signed("m", BODY), "content-type": "text/plain" };
    expect(await post("standard", BODY, headers)).toMatchObject({ status: 415 });
  });

  test("whose secret is not set here: 503, and the secret's name stays in the log", async () => {
    const answered = await post("unset", "{}", { "x-hub-signature-256": "sha256=00" });
    expect(answered).toMatchObject({ status: 503, body: { kind: "no_secret" } });
    expect(JSON.stringify(answered.body)).not.toContain("NOWHERE");
  });

  test("from another host name or another site's page: it is not let in", async () => {
    const site = { ...signed("m", BODY), origin: "https://evil.example" };
    expect(await post("standard", BODY, site)).toMatchObject({ status: 403 });
  });
});

describe("given a hook with a mapping and respond: result, when a delivery comes", () => {
  test("the context is made from body, headers and query; the answer has the outputs", async () => {
    const body = '{"name": "Ada ${{ 1 + 1 }}"}';
    const headers = { "x-sig": hmac(body), "x-id": "d1", "x-kind": "hi", cookie: "a=b" };
    const answered = await post("team/mapped?page=3&token=t", body, headers);
    expect(answered).toMatchObject({
      status: 200,
      body: { status: "completed", output: { hello: "Ada ${{ 1 + 1 }}" } },
    });
    const { context, trigger } = await run(answered);
    expect(context).toEqual({ name: "Ada ${{ 1 + 1 }}", kind: "hi", page: "3" });
    expect(trigger).toMatchObject({ delivery_id: "d1", query: { page: "3" } });
    expect(Object.keys(trigger.headers as object)).not.toContain("x-sig");
    expect(JSON.stringify(trigger)).not.toMatch(/a=b|token/);
  });

  test("an expression that has no value is a 422, which says which", async () => {
    const headers = { "x-sig": hmac("{}"), "x-kind": "hi" };
    const answered = await post("team/mapped?page=3", "{}", headers);
    expect(answered).toMatchObject({ status: 422 });
    expect(answered.body.detail).toContain('The context of the webhook "team/mapped" of "mapped"');
  });

  test("a run that fails is a 500 that does not say why", async () => {
    const answered = await post("failing", "{}", { authorization: `Bearer ${TOKEN}` });
    expect(answered).toMatchObject({ status: 500, body: { kind: "run_failed" } });
    expect(answered.body.detail).not.toContain("secret reason");
  });
});

describe("given other hooks, when a delivery comes", () => {
  const slack = (body: string, at = Math.floor(Date.now() / 1_000)) => ({
    "x-slack-request-timestamp": String(at),
    "x-slack-signature": `v0=${hmac(`v0:${at}:${body}`)}`,
  });

  test("slack: a form is read, a question for the address answered, a replay known", async () => {
    const form = "command=%2Fgo&text=a+b&payload=%7B%22a%22%3A1%7D";
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const headers = { ...slack(form), ...type };
    const first = await post("slack", form, headers);
    expect(first.status).toBe(202);
    expect((await run(first)).context).toEqual({ command: "/go", text: "a b", payload: { a: 1 } });
    expect(await post("slack", form, headers)).toMatchObject({
      status: 200,
      body: { run_id: first.body.run_id },
    });
    const question = '{"type":"url_verification","challenge":"c3"}';
    expect(await post("slack", question, slack(question))).toEqual({
      status: 200,
      body: { challenge: "c3" },
    });
    const event = '{"event_id":"Ev1","n":1}';
    const again = slack(event, Math.floor(Date.now() / 1_000) - 10);
    const [one, two] = [
      await post("slack", event, slack(event)),
      await post("slack", event, again),
    ];
    expect(two).toMatchObject({ status: 200, body: { run_id: one.body.run_id } });
  });

  test("without a signature: the token is needed, and an idempotency-key counts", async () => {
    expect(await post("plain", "{}")).toMatchObject({
      status: 401,
      body: { kind: "unauthorized" },
    });
    const headers = { authorization: `Bearer ${TOKEN}`, "idempotency-key": "k" };
    const first = await post("plain", '{"a":1}', headers);
    expect(first.status).toBe(202);
    expect(JSON.stringify((await run(first)).trigger)).not.toContain(TOKEN);
    expect((await post("plain", '{"a":1}', headers)).body.run_id).toBe(first.body.run_id);
  });

  test("of an unknown path: 404, and without the token 401", async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (const path of ["nothing", "a/b/c/d/e/f", "..%2Fplain", "%00"]) {
      expect(await post(path, "{}", headers), path).toMatchObject({ status: 404 });
    }
    expect(await post("nothing", "{}")).toMatchObject({ status: 401 });
    const bare = await fetch(`${server.url}/hooks/`, { method: "POST", headers });
    expect(bare.status).toBe(404);
  });
});
