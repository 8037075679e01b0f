// The JSON Schema of flow files that editors use: generated from the catalog.

import type { Catalog } from "./catalog.js";
import type { JsonObject } from "./json.js";

/** `if`/`then` by step type, not `oneOf`: editors complete the first and give up on the second. */
export function workflowSchema(catalog: Catalog): JsonObject {
  throw new Error(`${Object.keys(catalog).length}`);
}
