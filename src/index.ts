// What other programs may import: the language, its diagnostics, and the shapes of what is stored.

export { catalog } from "./connectors/index.js";
export type { Event } from "./engine/event.js";
export type { Failure, Run, RunStatus, StepState, StepStatus } from "./engine/run.js";
export { canonicalJson } from "./flow/canonical.js";
export type { Catalog, StepType } from "./flow/catalog.js";
export { type Checked, check, checkFolder } from "./flow/check.js";
export type { Diagnostic, Kind } from "./flow/diagnostic.js";
export type { Json, JsonObject } from "./flow/json.js";
export { reporters } from "./flow/report/report.js";
export { workflowSchema } from "./flow/schema.js";
export type { Step, Workflow } from "./flow/workflow.js";
export {
  type ConnectorContext,
  type ConnectorDefinition,
  defineConnector,
} from "./hosts/local/user-connectors/define.js";
