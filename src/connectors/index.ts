// Every step type there is: the map of connectors, and the catalog that the language reads.

import type { Catalog, StepType } from "../flow/catalog.js";
import type { JsonObject } from "../flow/json.js";
import { approval } from "./approval.js";
import { branch } from "./branch.js";
import type { Connector } from "./connector.js";
import { delay } from "./delay.js";
import { fail } from "./fail.js";
import { foreach } from "./foreach.js";
import { http } from "./http.js";
import { log } from "./log.js";
import { parallel } from "./parallel.js";
import { set } from "./set.js";
import { shell } from "./shell.js";
import { wait } from "./wait.js";
import { webhook } from "./webhook.js";
import { workflow } from "./workflow.js";

/** By step type. Has no prototype: a step of type `constructor` finds nothing. */
export type Connectors = { readonly [type: string]: Connector };

export const connectors: Connectors = byType([
  delay,
  webhook,
  http,
  shell,
  log,
  branch,
  foreach,
  parallel,
  set,
  workflow,
  approval,
  wait,
  fail,
]);

export const catalog: Catalog = catalogOf(connectors);

export function catalogOf(from: Connectors): Catalog {
  return byType(Object.values(from).map(toStepType));
}

function byType<T extends { type: string }>(items: T[]): { [type: string]: T } {
  const map = Object.create(null) as { [type: string]: T };
  for (const item of items) map[item.type] = item;
  return map;
}

function toStepType({
  type,
  description,
  config,
  output,
  planned,
  harmless,
  run,
}: Connector): StepType {
  return {
    type,
    description,
    config: plain(config),
    ...(output && { output: plain(output) }),
    control: run === undefined,
    ...(harmless && { harmless }),
    ...(planned && { planned }),
  };
}

/** TypeBox's schemas carry hidden properties: what leaves this room is JSON alone. */
function plain(schema: object): JsonObject {
  return JSON.parse(JSON.stringify(schema)) as JsonObject;
}
