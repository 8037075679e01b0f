// The page of the API's documentation: Swagger UI, from this machine's disk.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Type } from "../flow/type.js";
import type { Answer } from "./answer.js";
import { Problem, quote } from "./problem.js";
import { type Param, type Route, route } from "./route.js";

/** The only files there are; none is found by a path that a client sends. */
const FILES = {
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
  "favicon-32x32.png": "image/png",
  "start.js": "text/javascript; charset=utf-8",
} as const;

type FileName = keyof typeof FILES;

const fileParam: Param<FileName> = {
  schema: Type.Enum(Object.keys(FILES) as FileName[]),
  parse: (text) => (Object.hasOwn(FILES, text) ? (text as FileName) : undefined),
  otherwise: (text) => new Problem("not_found", `The documentation has no file ${quote(text)}.`),
};

/** Scripts only from here. Swagger UI sets styles on its elements, which `self` would not allow. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mini-Zaps API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** Without the outside validator, and deaf to options in the page's address. */
const START = `window.ui = window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  queryConfigEnabled: false,
  validatorUrl: null,
});
`;

const getPage = route({
  method: "GET",
  scope: "read",
  path: "/docs",
  id: "get_docs",
  tag: "server",
  summary: "Read this documentation in a browser",
  answers: {
    200: { description: "The page.", content_type: "text/html", schema: Type.String() },
  },
  problems: [],
  async handle() {
    const headers = {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": PAGE_POLICY,
    };
    return { status: 200, body: PAGE, headers };
  },
});

const getFile = route({
  method: "GET",
  scope: "read",
  path: "/docs/{file}",
  id: "get_docs_file",
  tag: "server",
  summary: "A file of the documentation's page",
  params: { file: fileParam },
  answers: { 200: { description: "The file.", content_type: "*/*" } },
  problems: [],
  handle: ({ params }) => readDocsFile(params.file),
});

async function readDocsFile(name: FileName): Promise<Answer> {
  const headers = { "content-type": FILES[name] };
  if (name === "start.js") return { status: 200, body: START, headers };
  return { status: 200, body: new Uint8Array(await readFile(join(FOLDER, name))), headers };
}

const FOLDER = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

export const DOCS_ROUTES: readonly Route[] = [getPage, getFile];
