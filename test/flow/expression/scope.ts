// One place in a workflow, with types for every kind of name, that the tests of expressions share.

import { typeEnv, typeOf, withItem } from "../../../src/flow/expression/index.js";

export const env = withItem(
  typeEnv({
    context: {
      type: "object",
      additionalProperties: false,
      properties: {
        region: { type: "string", enum: ["eu", "us"] },
        name: { type: "string" },
        count: { type: "integer" },
        dry_run: { type: "boolean" },
        note: { type: ["string", "null"] },
        tags: { type: "array", items: { type: "string" } },
        lines: {
          type: "array",
          items: {
            type: "object",
            additionalProperties: false,
            properties: { id: { type: "integer" }, amount: { type: "number" } },
          },
        },
        any: {},
      },
    },
    steps: [
      {
        id: "fetch",
        output: { type: "object", properties: { status: { type: "integer" }, body: {} } },
      },
      { id: "send-it" },
      {
        id: "ask",
        output: {
          type: "object",
          properties: { approved: { type: "boolean" } },
          additionalProperties: false,
        },
      },
    ],
    secrets: ["TOKEN", "HOOK"],
  }),
  "invoice",
  typeOf({ type: "object", properties: { id: { type: "string" } } }),
);
