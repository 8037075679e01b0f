// Those who send, read or answer slowly, or never: nobody else waits for them.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { ended, later, MAIN, type Place, place, serve } from "../cli/harness.js";
import { inTime } from "./bounded.js";

/** Clients of each kind, and calls of each subscriber. */
const EACH = 40;

/** Sent to the server, and then nothing more; of the last one, a byte now and then. */
const UNFINISHED = [
  "",
  "GET /hea",
  "GET /health HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\nx: ",
  "POST /api/workflows/patient/trigger HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\n" +
    "content-type: application/json\r\ncontent-length: 1000000\r\n\r\n{",
  "POST /api/workflows/patient/trigger HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\n" +
    "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nfffff\r\n{",
];

it("given clients who never finish, when others ask, then they are answered in time", async () => {
  const here = await place({ "flows/patient.yaml": PATIENT });
  const { url } = await serve(here);
  const { port } = new URL(url);
  const texts = UNFINISHED.map((text) => text.replaceAll("PORT", port));
  const clients = await Promise.all(texts.map((text) => hold(Number(port), text)));
  // The others send nothing more.
  for (const client of [...(clients[2] ?? []), ...(clients[3] ?? [])]) void drip(client, "", "x");
  await othersAreServed(url);
  expect(clients.flat().filter(({ destroyed }) => destroyed)).toEqual([]);
});

it("given subscribers who never finish, when others ask, then they are too", async () => {
  const port = await slowSubscriber();
  const flows = Object.keys(SLOW).map((id) => [`flows/${id}.yaml`, calling(port, id)]);
  const here = await place({ ...Object.fromEntries(flows), "flows/patient.yaml": PATIENT });
  const { url } = await serve(here);
  const calls = Object.keys(SLOW).flatMap((id) => Array<string>(EACH).fill(id));
  const runs = await Promise.all(calls.map((id) => trigger(url, id)));
  await othersAreServed(url);
  for (const run of runs) {
    expect(await ended(url, run)).toMatchObject({ status: "failed", error: { kind: "timeout" } });
  }
});

it("given more clients than files it may open, then the store still has its own", async () => {
  const here = await place({ "flows/quick.yaml": QUICK });
  const { url } = await serveWith(here, 128);
  const { port } = new URL(url);
  const clients = await hold(Number(port), "POST /api/workflows/quick/trigger", 200);
  while (clients.every(({ destroyed }) => !destroyed)) await pause(5);
  const [client] = clients.filter(({ destroyed }) => !destroyed);
  const answer = new Promise((resolve) => client?.once("data", (text) => resolve(String(text))));
  client?.write(`?wait=30s HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  expect(await answer).toMatch(/^HTTP\/1\.1 200 .*"status":"completed"/s);
  const id = /run_\w{26}/.exec(String(await answer))?.[0];
  const document = join(here.dir, ".workflows", "runs", `${id}.json`);
  while (!existsSync(document)) await pause(5);
});

/** A server that may open so many files. */
async function serveWith(here: Place, files: number): Promise<{ url: string }> {
  const command = `ulimit -n ${files}; exec "$0" "$@"`;
  const args = ["-c", command, process.execPath, MAIN, "serve", "--port", "0"];
  const child = spawn("bash", args, { cwd: here.dir, stdio: ["ignore", "pipe", "ignore"] });
  later(async () => {
    child.kill("SIGKILL");
    await once(child, "close");
  });
  const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  return { url: line.trim() };
}

async function othersAreServed(url: string): Promise<void> {
  for (let n = 0; n < 10; n++) {
    for (const what of ["GET /health", "POST /api/workflows/patient/trigger"]) {
      await inTime({ what, send: () => ask(url, what) });
    }
  }
}

/** By the flow that calls it: what is sent at first, and then for ever. */
const SLOW: { readonly [id: string]: { first: string; more: string } } = {
  silent: { first: "", more: "" },
  body: { first: "HTTP/1.1 200 OK\r\n\r\n", more: "x" },
  headers: { first: "HTTP/1.1 200 OK\r\n", more: "x: 1\r\n" },
  chunks: { first: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", more: "1\r\nx\r\n" },
  hints: { first: "", more: "HTTP/1.1 103 Early Hints\r\nx: 1\r\n\r\n" },
};

const PATIENT = `id: patient
steps:
  - { id: hear, type: wait, config: { signal: go } }
`;

const QUICK = `id: quick
steps:
  - { id: keep, type: set, config: { values: { a: 1 } } }
`;

function calling(port: number, id: string): string {
  return `id: ${id}
steps:
  - { id: call, type: webhook, timeout: 1s, config: { url: "http://127.0.0.1:${port}/${id}" } }
`;
}

/** Connections that have sent this, and stay. */
async function hold(port: number, bytes: string, length = EACH): Promise<Socket[]> {
  const clients = Array.from({ length }, () => connect(port, "127.0.0.1"));
  later(async () => {
    for (const client of clients) client.destroy();
  });
  await Promise.all(
    clients.map(
      (client) =>
        new Promise<void>((resolve) => {
          client
            .on("error", () => resolve())
            .on("connect", () => client.write(bytes, () => resolve()));
        }),
    ),
  );
  return clients;
}

async function ask(url: string, what: string): Promise<string | undefined> {
  const [method = "", path] = what.split(" ");
  const answer = await fetch(url + path, { method });
  const text = await answer.text();
  return answer.ok ? undefined : text;
}

async function trigger(url: string, workflow: string): Promise<string> {
  const answer = await fetch(`${url}/api/workflows/${workflow}/trigger`, { method: "POST" });
  return ((await answer.json()) as { run_id: string }).run_id;
}

async function slowSubscriber(): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => {});
    socket.once("data", (head) => {
      const { first, more } = SLOW[/\/(\w*)/.exec(head.toString())?.[1] ?? ""] ?? {
        first: "",
        more: "",
      };
      void drip(socket, first, more);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  later(async () => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

async function drip(socket: Socket, first: string, more: string): Promise<void> {
  socket.write(first);
  while (!socket.destroyed) {
    await pause(50);
    socket.write(more);
  }
}
