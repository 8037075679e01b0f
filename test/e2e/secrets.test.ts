// Secrets through the built command: each way to leak one is tried, then all output is searched.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FINISHED, type Run } from "../../src/engine/run.js";
import { place, serve } from "../cli/harness.js";
import { leakySubscriber } from "./leaky.js";

/** Told apart from all other text, and with characters that encodings change. */
const TOKEN = 'tok"en/4f9c+27<ab>e1';
const PASSWORD = "correct horse, battery staple";

describe("a workflow that tries to leak its secrets", () => {
  it("does not: neither store nor output nor API nor log has one in any form", async () => {
    const leaky = await leakySubscriber(({ headers }) => String(headers["x-token"]));
    const here = await place({
      ...flows(leaky.url, leaky.paths),
      "secrets/PASSWORD": `${PASSWORD}\n`,
    });
    const server = await serve(here, ["--secrets", "secrets"], { FLOWS_SECRET_TOKEN: TOKEN });
    const said: string[] = [];
    const ask = async (path: string, body?: unknown) => {
      const text = await answer(server.url, path, body);
      said.push(text);
      return text;
    };
    const runs: Run[] = [];
    for (const path of leaky.paths) {
      runs.push(await runOf(ask, `leak_${path.slice(1)}`, { told: `they sent ${TOKEN}` }));
    }
    await sayItYourself(ask);
    await ask(`/api/workflows/${encodeURIComponent(PASSWORD)}`);
    await ask(`/api/${encodeURIComponent(TOKEN)}`);
    await ask("/api/runs?limit=200");
    said.push((await here.flows(["runs", "--json"])).stdout);
    said.push((await here.flows(["show", runs[0]?.id ?? ""])).stdout);
    server.child.kill("SIGTERM");
    const { stdout, stderr } = await server.done;
    said.push(stdout, stderr, ...(await everyFile(join(here.dir, ".workflows"))));

    expect(leaky.heard).toEqual(leaky.paths.map(() => TOKEN));
    expect(runs.map(({ status }) => status)).toEqual(leaky.paths.map(statusOf));
    for (const text of said) expect(formIn(text)).toBeUndefined();
    expect(said.join("").split("REDACTED").length).toBeGreaterThan(2 * leaky.paths.length);
  });

  it("nor where a program says them, or the body of a delivery", async () => {
    const here = await place({ "flows/shell.yaml": SHELL, "secrets/PASSWORD": PASSWORD });
    const args = ["--allow-shell", "--secrets", "secrets"];
    const server = await serve(here, args, { FLOWS_SECRET_TOKEN: TOKEN });
    const said: string[] = [];
    const ask = async (path: string, body?: unknown) => {
      const text = await answer(server.url, path, body);
      said.push(text);
      return text;
    };
    const query = `?told=${encodeURIComponent(TOKEN)}`;
    for (const [code, status] of [
      [0, "completed"],
      [3, "failed"],
    ]) {
      const body = { code, told: `they sent ${TOKEN}`, [PASSWORD]: [TOKEN] };
      const { run_id } = JSON.parse(await ask(`/hooks/told${query}`, body)) as { run_id: string };
      await ask(`/api/runs/${run_id}/events`);
      expect(JSON.parse(await ask(`/api/runs/${run_id}`))).toMatchObject({ status });
      await ask(`/api/runs/${run_id}/logs`);
      said.push((await here.flows(["logs", run_id])).stdout);
    }
    server.child.kill("SIGTERM");
    const { stdout, stderr } = await server.done;
    said.push(stdout, stderr, ...(await everyFile(join(here.dir, ".workflows"))));
    expect(said.map(formIn).filter(Boolean)).toEqual([]);
    expect(said.join("").split("REDACTED").length).toBeGreaterThan(20);
    // Else no program has said anything.
    expect(said.join("")).toContain("the program says");
  });

  it("and without a server, in a command that runs it here, it does not either", async () => {
    const leaky = await leakySubscriber(({ headers }) => String(headers["x-token"]));
    const here = await place({
      ...flows(leaky.url, ["/status"]),
      "secrets/PASSWORD": PASSWORD,
      "secrets/TOKEN": TOKEN,
    });
    const args = ["--secrets", "secrets", "trigger", "leak_status", "--set", `told=${TOKEN}`];
    const { code, stdout, stderr } = await here.flows(args);
    expect(leaky.heard).toEqual([TOKEN]);
    expect([code, formIn(stdout), formIn(stderr)]).toEqual([1, undefined, undefined]);
    for (const text of await everyFile(join(here.dir, ".workflows"))) {
      expect(formIn(text)).toBeUndefined();
    }
  });
});

describe("a secret that has no value", () => {
  it("is missed at the start, and its step fails with the two ways to give it", async () => {
    const here = await place(flows("http://127.0.0.1:9", ["/body"]));
    const { code, stdout, stderr } = await here.flows(["trigger", "leak_body", "--json"], {
      env: { FLOWS_SECRET_PASSWORD: PASSWORD },
    });
    expect(code).toBe(1);
    const why = /the secret TOKEN has no value here: .*FLOWS_SECRET_TOKEN, or .*--secrets DIR/;
    expect(stderr).toMatch(why);
    const run = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Run;
    expect(run.error).toMatchObject({ kind: "secret", step_id: "leak" });
    expect(run.error?.message).toMatch(why);
  });

  it("is missed by a server at its start, and by no command for another workflow", async () => {
    const here = await place({
      ...flows("http://127.0.0.1:9", ["/body"]),
      "flows/other.yaml":
        "id: other\nsteps: [{ id: done, type: set, config: { values: { a: 1 } } }]\n",
    });
    const { code, stderr } = await here.flows(["trigger", "other"]);
    expect([code, /secret/.test(stderr)]).toEqual([0, false]);
    const server = await serve(here);
    await server.said(/the secret TOKEN has no value here/);
  });

  it("stops a command whose folder of secrets is not there", async () => {
    const here = await place(flows("http://127.0.0.1:9", ["/body"]));
    const { code, stderr } = await here.flows(["--secrets", "none", "trigger", "leak_body"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/the folder of secrets none cannot be read \(ENOENT\)/);
  });
});

type Ask = (path: string, body?: unknown) => Promise<string>;

async function answer(url: string, path: string, body?: unknown): Promise<string> {
  const json = { "content-type": "application/json" };
  const send = { method: "POST", headers: json, body: JSON.stringify(body) };
  const response = await fetch(url + path, body === undefined ? {} : send);
  return response.text();
}

async function runOf(ask: Ask, workflow: string, context: object): Promise<Run> {
  const triggered = await ask(`/api/workflows/${workflow}/trigger`, { context });
  const { run_id } = JSON.parse(triggered) as { run_id: string };
  // Every change as it was sent, and then the run as it ended.
  await ask(`/api/runs/${run_id}/events`);
  const run = JSON.parse(await ask(`/api/runs/${run_id}`)) as Run;
  expect(FINISHED.has(run.status)).toBe(true);
  return run;
}

/** A person or another program says it, where there is a place to say something. */
async function sayItYourself(ask: Ask): Promise<void> {
  const answered = await ask("/api/workflows/patient/trigger", { context: { told: PASSWORD } });
  const { run_id: id } = JSON.parse(answered) as { run_id: string };
  await ask(`/api/runs/${id}/signal`, { name: "go", data: { told: TOKEN } });
  await ask(`/api/runs/${id}/approve`, { comment: `the word is ${PASSWORD}` });
  const other = await ask("/api/workflows/patient/trigger", { context: {} });
  const { run_id } = JSON.parse(other) as { run_id: string };
  await ask(`/api/runs/${run_id}/cancel`, { reason: `because of ${TOKEN}` });
  await ask("/api/workflows/patient/trigger", { context: { told: { [TOKEN]: 1 } } });
  await ask("/api/workflows/patient/trigger", { [PASSWORD]: 1 });
}

function statusOf(path: string): string {
  return ["/status", "/redirect", "/garbage", "/endless"].includes(path) ? "failed" : "completed";
}

/** Each calls one path, then says again what it was told. */
function flows(url: string, paths: string[]): { [file: string]: string } {
  const leaks = paths.map((path) => {
    const id = `leak_${path.slice(1)}`;
    return [`flows/${id}.yaml`, leak(id, url + path)];
  });
  return { ...Object.fromEntries(leaks), "flows/patient.yaml": PATIENT };
}

function leak(id: string, url: string): string {
  return `id: ${id}
secrets: [TOKEN, PASSWORD]
on_error: { next_step_id: say_why }
steps:
  - id: leak
    type: http
    config:
      url: ${url}
      method: POST
      headers: { x-token: "\${{ secrets.TOKEN }}", authorization: "Basic \${{ secrets.PASSWORD }}" }
      body: { token: "\${{ secrets.TOKEN }}", "in": ["<\${{ secrets.PASSWORD }}>"] }
  - id: repeat
    type: set
    config: { values: { again: "\${{ steps.leak.output }}", told: "\${{ context.told }}" } }
    next_step_id: null
  - id: say_why
    type: fail
    config: { message: "\${{ error.message }}, and I was told \${{ context.told }}" }
outputs: { all: "\${{ steps.repeat.output.again }}" }
`;
}

const PATIENT = `id: patient
context:
  type: object
  properties: { told: { type: string } }
steps:
  - { id: hear, type: wait, config: { signal: go } }
  - { id: ask, type: approval, config: { message: "may I?" } }
`;

/** Says its secrets to both of its streams, then passes on what it has said, or why it failed. */
const SHELL = `id: shell
secrets: [TOKEN, PASSWORD]
context: { type: object, properties: { code: { type: integer }, told: { type: string } } }
triggers: [{ type: webhook, path: told }]
on_error: { next_step_id: say_why }
steps:
  - id: say
    type: shell
    config:
      script: |
        echo "the program says $TOKEN and $PASSWORD"
        printf %s "$PASSWORD" | base64 >&2
        printf %s "$TOKEN" | od -An -tx1 | tr -d ' \\n'
        exit "$CODE"
      env:
        TOKEN: "\${{ secrets.TOKEN }}"
        PASSWORD: "\${{ secrets.PASSWORD }}"
        CODE: "\${{ string(context.code) }}"
  - id: note
    type: log
    config: { message: "\${{ steps.say.output.stdout }} \${{ context.told }}" }
    next_step_id: null
  - id: say_why
    type: fail
    config: { message: "\${{ error.message }} \${{ context.told }}" }
`;

const FORMS = [TOKEN, PASSWORD].flatMap((secret) => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
  encodeURIComponent(secret),
  secret.replace(/[^\x21-\x7e]/g, ""),
  Buffer.from(secret).toString("hex"),
  Buffer.from(secret).toString("base64").slice(0, 16),
  Buffer.from(`user:${secret}`).toString("base64").slice(8, 24),
]);

function formIn(text: string): string | undefined {
  return FORMS.find((form) => text.includes(form));
}

async function everyFile(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(5);
  return Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), "utf8")));
}
