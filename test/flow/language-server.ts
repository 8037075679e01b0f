// Speaks LSP over stdio to the real yaml-language-server: offline, with nothing but our schemas.

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

export interface Item {
  label: string;
  documentation?: string | { value: string };
}

export interface Found {
  message: string;
  range: { start: Position };
}

export interface Position {
  line: number;
  character: number;
}

export interface LanguageServer {
  /** Opens the text as a file of `flows/`; the promise is what the server finds wrong with it. */
  open(text: string, name?: string): { uri: string; found: Promise<Found[]> };
  complete(uri: string, position: Position): Promise<Item[]>;
  hover(uri: string, position: Position): Promise<string>;
  close(): Promise<void>;
}

const SETTINGS: { [section: string]: object | null } = {
  yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false } },
  http: { proxy: "", proxyStrictSSL: true },
};

interface Message {
  id?: number | string;
  method?: string;
  params?: { uri: string; diagnostics: Found[]; items: { section: string }[] };
  result?: unknown;
  error?: { message: string };
}

export async function startLanguageServer(): Promise<LanguageServer> {
  const bin = resolve("node_modules/yaml-language-server/bin/yaml-language-server");
  const child = spawn(process.execPath, [bin, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((done) => child.on("close", () => done()));
  const answers = new Map<number | string, (message: Message) => void>();
  const reports = new Map<string, (found: Found[]) => void>();
  let requests = 0;

  const send = (message: object) => {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const ask = <T>(method: string, params: object | null): Promise<T> => {
    const id = ++requests;
    send({ id, method, params });
    return new Promise((done, failed) => {
      answers.set(id, ({ result, error }) => {
        if (error) failed(new Error(`${method}: ${error.message}`));
        else done(result as T);
      });
    });
  };
  readMessages(child.stdout, (message) => {
    const { id, method, params } = message;
    if (method === undefined) answers.get(id ?? "")?.(message);
    else if (method === "textDocument/publishDiagnostics" && params) {
      reports.get(params.uri)?.(params.diagnostics);
    } else if (method === "workspace/configuration" && params) {
      send({ id, result: params.items.map(({ section }) => SETTINGS[section] ?? null) });
    } else if (id !== undefined) send({ id, result: null });
  });

  const rootUri = pathToFileURL(resolve(".")).href;
  const workspace = { configuration: true, workspaceFolders: true };
  const textDocument = { hover: { contentFormat: ["markdown"] }, publishDiagnostics: {} };
  const capabilities = { workspace, textDocument };
  await ask("initialize", { processId: process.pid, rootUri, capabilities });
  send({ method: "initialized", params: {} });
  let files = 0;
  return {
    open(text, name = `untitled-${++files}.yaml`) {
      const uri = pathToFileURL(resolve("flows", name)).href;
      const found = new Promise<Found[]>((done) => reports.set(uri, done));
      const document = { uri, languageId: "yaml", version: 1, text };
      send({ method: "textDocument/didOpen", params: { textDocument: document } });
      return { uri, found };
    },
    async complete(uri, position) {
      const params = { textDocument: { uri }, position };
      return (await ask<{ items: Item[] }>("textDocument/completion", params)).items;
    },
    async hover(uri, position) {
      const params = { textDocument: { uri }, position };
      const said = await ask<{ contents: { value: string } } | null>("textDocument/hover", params);
      return said?.contents.value ?? "";
    },
    async close() {
      await ask("shutdown", null);
      send({ method: "exit" });
      await ended;
    },
  };
}

/** `Content-Length: N`, an empty line, N bytes of JSON; again and again. */
function readMessages(stream: NodeJS.ReadableStream, onMessage: (message: Message) => void): void {
  let buffer = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const head = buffer.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(buffer.toString("ascii", 0, head))?.[1]);
      if (buffer.length < head + 4 + length) return;
      const body = buffer.toString("utf8", head + 4, head + 4 + length);
      buffer = buffer.subarray(head + 4 + length);
      onMessage(JSON.parse(body) as Message);
    }
  });
}
