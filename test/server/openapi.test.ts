// The OpenAPI document: valid, complete, and as true as the table that it is made from.

import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FINISHED, TRANSITIONS } from "../../src/engine/run.js";
import { PROBLEMS } from "../../src/server/problem.js";
import { ROUTES } from "../../src/server/routes.js";
import { RUN_STATUSES } from "../../src/server/schemas.js";
import { DOCUMENT, matches, startTest, type TestServer } from "./test-server.js";

let server: TestServer;
beforeAll(async () => {
  server = await startTest();
});
afterAll(() => server.close());

describe("/openapi.json", () => {
  it("is OpenAPI 3.1, of this version", async () => {
    const { body } = await server.get("/openapi.json");
    expect(body.openapi).toBe("3.1.0");
    expect(body.info).toMatchObject({ version: "1.2.3", license: { identifier: "MIT" } });
    expect(body).not.toHaveProperty("security");
  });

  it("speaks of the token where one is wanted", async () => {
    const other = await startTest({ token: "secret-secret-secret" });
    const headers = { authorization: "Bearer secret-secret-secret" };
    const { body } = await other.get("/openapi.json", headers);
    expect(body.security).toEqual([{ token: [] }]);
    await other.close();
  });

  it("has each route of the table, and no other", async () => {
    const { body } = await server.get("/openapi.json");
    const described = Object.entries(body.paths as { [path: string]: object }).flatMap(
      ([path, methods]) => Object.keys(methods).map((name) => `${name.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
  });

  it("has the routes that were promised", () => {
    const promised = [
      ...["POST /api/workflows", "GET /api/workflows", "GET /api/workflows/{id}"],
      ...["POST /api/workflows/{id}/trigger", "GET /api/runs", "GET /api/runs/{run_id}"],
      ...["cancel", "pause", "resume", "retry"].map((name) => `POST /api/runs/{run_id}/${name}`),
      ...["GET /api/runs/{run_id}/events", "GET /health", "GET /openapi.json", "GET /docs"],
    ];
    const table = ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect(table).toEqual(expect.arrayContaining(promised));
  });
});

describe("the document", () => {
  const operations = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
    Object.entries(methods as object).map(([method, operation]) => ({ path, method, operation })),
  );

  it("names each operation once", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("declares each parameter of a path, and says what each answer is", () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const inPath = operation.parameters.filter((parameter: { in: string }) => {
        return parameter.in === "path";
      });
      expect(
        inPath.map((parameter: { name: string }) => parameter.name),
        path,
      ).toEqual(named);
      for (const response of Object.values<{ description: string }>(operation.responses)) {
        expect(response.description, path).not.toBe("");
      }
    }
  });

  it("has only references that lead somewhere", () => {
    const references = [...JSON.stringify(DOCUMENT).matchAll(/"\$ref":"([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(20);
    for (const [, reference] of references) {
      const found = reference!
        .slice(2)
        .split("/")
        .reduce((at, key) => at?.[key], DOCUMENT);
      expect(found, reference).toBeDefined();
    }
  });

  it("has only schemas that a strict validator compiles", () => {
    const strict = new Ajv2020({ strict: true, strictTuples: true, allowUnionTypes: false });
    addFormats.default(strict);
    const schemas = Object.entries(DOCUMENT.components.schemas);
    const inline = JSON.stringify(schemas).replaceAll("#/components/schemas/", "");
    for (const [name, schema] of JSON.parse(inline)) strict.addSchema({ $id: name, ...schema });
    for (const [name] of schemas) expect(strict.getSchema(name), name).toBeTypeOf("function");
    for (const { operation } of operations) {
      for (const { schema } of operation.parameters) strict.compile(schema);
      const content = operation.requestBody?.content["application/json"];
      if (content) strict.compile(content.schema);
    }
  });

  it("has all statuses of a run, and all kinds of problem", () => {
    expect([...RUN_STATUSES].sort()).toEqual(Object.keys(TRANSITIONS).sort());
    expect(RUN_STATUSES).toEqual(expect.arrayContaining([...FINISHED]));
    expect(DOCUMENT.components.schemas.Problem.properties.kind.enum).toEqual(Object.keys(PROBLEMS));
  });

  it("finds a wrong answer wrong: the tests of the other files rely on it", async () => {
    const run_id = await server.trigger();
    const { body } = await server.get(`/api/runs/${run_id}`);
    const at = ["components", "schemas", "Run"];
    expect(matches(body, at)).toEqual([]);
    expect(matches({ ...body, status: "done" }, at)).not.toEqual([]);
    expect(matches({ ...body, id: "run_1" }, at)).not.toEqual([]);
    expect(matches({ ...body, steps: { a: {} } }, at)).not.toEqual([]);
  });
});
