// Writes a definition into its flow file: one more editor, which saves only what is valid.

import { lstat, mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { Put, PutRights, ServedWorkflow } from "../../engine/runner.js";
import type { Diagnostic } from "../../flow/diagnostic.js";
import { findExpressions } from "../../flow/expression/index.js";
import { Findings } from "../../flow/findings.js";
import { hostParts, isSecret } from "../../flow/fixed-host.js";
import { readFlowFile as parseFlowFile } from "../../flow/flow-file.js";
import type { Json, JsonObject } from "../../flow/json.js";
import { buildModel, get, stepsOf } from "../../flow/model.js";
import type { TextNode } from "../../flow/tree.js";
import { MAX_FLOW_DEPTH, MAX_FLOW_FILE_BYTES } from "../../limits.js";
import type { Checker } from "./checker.js";
import { isNear } from "./egress.js";
import { editedText, newText } from "./flow-edit.js";
import { type FlowEntry, readFlowFile, unreadable } from "./flow-folder.js";
import { saveText } from "./save-text.js";

export interface PutContext {
  /** The folder of flow files. */
  dir: string;
  may: PutRights;
  checker: Checker;
  files(): Promise<FlowEntry[]>;
  list(): ServedWorkflow[];
  /** Reads the file again, checks and serves it. */
  look(file: string): Promise<void>;
}

export async function putDefinition(definition: JsonObject, context: PutContext): Promise<Put> {
  const { id } = definition;
  const named = typeof id === "string" && ID.test(id) ? `${id}.yaml` : "workflow.yaml";
  const excess = excessOf(definition);
  if (excess !== undefined) return refuse(named, "size", excess);
  const files = await context.files();
  const entry = context.list().find((each) => each.id === id);
  const existing = files.find(({ file }) => file === entry?.file);
  if (existing !== undefined) return update(definition, existing, context);
  if (typeof id === "string") {
    const taken = takenName(id, files, context.list());
    if (taken !== undefined) return refuse(named, "workflow-id", taken);
  }
  return create(definition, named, context);
}

const ID = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

/** What the YAML library would choke on is not given to it. */
function excessOf(definition: JsonObject): string | undefined {
  let level: Json[] = [definition];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_FLOW_DEPTH)
      return `the definition is nested deeper than ${MAX_FLOW_DEPTH} levels`;
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
  }
  const bytes = Buffer.byteLength(JSON.stringify(definition));
  if (bytes <= MAX_FLOW_FILE_BYTES) return undefined;
  return `the definition has ${bytes} bytes; at most ${MAX_FLOW_FILE_BYTES / 1024} KiB are kept`;
}

/** Disks that take `Foo` and `foo` for one name would mix two workflows up. */
function takenName(
  id: string,
  files: FlowEntry[],
  workflows: ServedWorkflow[],
): string | undefined {
  const low = id.toLowerCase();
  const twin = workflows.find((each) => each.id.toLowerCase() === low && each.id !== id);
  if (twin !== undefined) {
    return `the id "${id}" differs only in case from "${twin.id}" in ${twin.file}`;
  }
  const there = files.find(
    ({ file }) => /^[^/]*(?=\.(?:ya?ml|json)$)/.exec(file.toLowerCase())?.[0] === low,
  );
  if (there === undefined) return undefined;
  return `a new file ${id}.yaml would stand beside ${there.file}, which has another id`;
}

async function create(definition: JsonObject, file: string, context: PutContext): Promise<Put> {
  const text = newText(file, definition);
  const diagnostics = await errorsOf(file, text, context);
  if (diagnostics !== undefined) return { diagnostics };
  await mkdir(context.dir, { recursive: true });
  const path = join(await realpath(context.dir), file);
  if ((await lstat(path).catch(() => undefined)) !== undefined) {
    return refuse(file, "unreadable", `${file} is there, but is no flow file that can be read`);
  }
  return save(definition, { file, path, text, created: true }, context);
}

async function update(definition: JsonObject, entry: FlowEntry, context: PutContext): Promise<Put> {
  const { file, path } = entry;
  for (let tries = 0; tries < MAX_RACES; tries++) {
    const before = await readFlowFile(entry);
    if (before !== undefined && "diagnostic" in before) return { diagnostics: [before.diagnostic] };
    const text = before && editedText(file, before.text, definition);
    if (before !== undefined && text === undefined) {
      // Someone is in the middle of editing it by hand: their text is not thrown away.
      const broken = await errorsOf(file, before.text, context);
      return { diagnostics: broken ?? [unreadable(file, "the file cannot be edited")] };
    }
    const next = text ?? newText(file, definition);
    const diagnostics = await errorsOf(file, next, context);
    if (diagnostics !== undefined) return { diagnostics };
    const now = await readFlowFile(entry);
    // Saved by another hand meanwhile: begin with what they wrote.
    if (textOf(now) !== textOf(before)) continue;
    return save(definition, { file, path, text: next, created: false }, context);
  }
  return refuse(file, "unreadable", `${file} changes all the time; try again when it is quiet`);
}

const MAX_RACES = 5;

function textOf(read: { text: string } | { diagnostic: Diagnostic } | undefined) {
  return read !== undefined && "text" in read ? read.text : undefined;
}

async function save(
  definition: JsonObject,
  { file, path, text, created }: { file: string; path: string; text: string; created: boolean },
  context: PutContext,
): Promise<Put> {
  await saveText(path, text);
  await context.look(file);
  const workflow = context.list().find((each) => each.id === definition.id);
  if (workflow === undefined) throw new Error(`${file} was written, and changed again at once`);
  return { created, workflow };
}

async function errorsOf(
  file: string,
  text: string,
  { checker, may }: Pick<PutContext, "checker" | "may">,
): Promise<Diagnostic[] | undefined> {
  const { diagnostics } = await checker.try({ file, text });
  const all = [...diagnostics, ...ofOthers({ file, text, found: diagnostics, may })];
  return all.some(({ severity }) => severity === "error") ? all : undefined;
}

/**
 * Whoever may write into the folder may run programs with the host's rights anyway. Whoever has no
 * more than a token of the API does not get that far by it.
 */
function ofOthers({ file, text, found, may }: Upload): Diagnostic[] {
  const findings = new Findings(file, text);
  // What the checker could not read may not be read here, on the thread that all depends on.
  const isSafe = !found.some(({ severity }) => severity === "error");
  const root = isSafe ? parseFlowFile(text, findings) : undefined;
  for (const step of root ? stepsOf(buildModel(root)) : []) {
    if (!may.private_hosts) checkUrl(get(get(step.node, "config"), "url"), findings);
    if (step.type !== "shell") continue;
    const message = "a workflow that comes by the API cannot have shell steps";
    const suggestion = "write it into the flows folder";
    findings.add("step-type", get(step.node, "type") ?? step.node, message, suggestion);
  }
  return findings.sorted();
}

interface Upload {
  file: string;
  text: string;
  found: Diagnostic[];
  may: PutRights;
}

/** Names that lead there are refused at the connection, and hosts that data chooses at the call. */
function checkUrl(url: TextNode | undefined, findings: Findings): void {
  if (url === undefined || typeof url.json !== "string") return;
  const suggestion = "write it into the flows folder";
  // The list that fixes such a host came by the API, too.
  if (hostParts(url.json).some((part) => !isSecret(part))) {
    const message = "a workflow that comes by the API from beyond this machine must name its hosts";
    findings.add("value", url, message, suggestion);
  } else if (leadsNear(url.json)) {
    const message =
      "a workflow that comes by the API may call loopback and private addresses " +
      "only while the server listens on loopback";
    findings.add("value", url, message, suggestion);
  }
}

/** What follows the host has no say in it, whatever its expressions give. */
function leadsNear(url: string): boolean {
  const texts = findExpressions(url).parts.map((part) =>
    part.kind === "literal" ? part.text : "x",
  );
  const address = texts.join("");
  return URL.canParse(address) && isNear(new URL(address));
}

function refuse(file: string, kind: Diagnostic["kind"], message: string): Put {
  return { diagnostics: [{ ...unreadable(file, message), kind }] };
}
