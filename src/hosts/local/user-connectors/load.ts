// A user's step types: from the files of a folder to connectors, or to what is wrong with them.

import { lstat, readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { TSchema } from "typebox";
import type { Connector } from "../../../connectors/connector.js";
import { misfit } from "../../../engine/output.js";
import { ConnectorError } from "../../../engine/ports.js";
import type { Diagnostic } from "../../../flow/diagnostic.js";
import { CONNECTOR_STOP_MS, MAX_CONNECTOR_FILES } from "../../../limits.js";
import { forEachOf } from "../pool.js";
import { errorCode } from "../store-error.js";
import { bundle, connectorMistake } from "./bundle.js";
import { ConnectorProcess } from "./connector-process.js";
import { Crew } from "./crew.js";
import { type Definition, definitionOf } from "./definition.js";

/** One file that defines a step type. */
export interface UserConnector {
  name: string;
  /** Tells whether it is another one than before. */
  code: string;
  connector: Connector;
  crew: Crew;
}

export interface UserConnectors {
  /** In the order of their files' names; each type once. */
  found: UserConnector[];
  /** Of files that define none. Sorted by file. */
  diagnostics: Diagnostic[];
}

/** Where the connectors of a flows folder are. */
export function connectorsFolder(flows: string): string {
  return join(dirname(resolve(flows)), "connectors");
}

/**
 * No file runs in this process. `named` is how a file is called in diagnostics; `known` are those
 * loaded before, which are kept where their code is the same.
 */
export async function loadConnectors(
  folder: string,
  named: (file: string) => string = (file) => file,
  known: readonly UserConnector[] = [],
): Promise<UserConnectors> {
  const results = new Map<string, UserConnector | Diagnostic[]>();
  const names = await connectorFiles(folder);
  await forEachOf(names, LOADED_AT_A_TIME, async (file) => {
    results.set(file, await load(join(folder, file), named(file), known));
  });
  const loaded: UserConnectors = { found: [], diagnostics: [] };
  for (const name of names) {
    const result = results.get(name) ?? [];
    if (Array.isArray(result)) loaded.diagnostics.push(...result);
    else add(loaded, result);
  }
  return loaded;
}

const LOADED_AT_A_TIME = 4;

function add({ found, diagnostics }: UserConnectors, next: UserConnector): void {
  const twin = found.find(({ connector }) => connector.type === next.connector.type);
  if (twin === undefined) {
    found.push(next);
    return;
  }
  const message = `the step type "${next.connector.type}" is defined in ${twin.name} already`;
  diagnostics.push(connectorMistake(next.name, message));
}

/** Of the folder itself: what lies deeper is for these to import. */
async function connectorFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return [];
    throw error;
  });
  const files: string[] = [];
  for (const name of names.sort()) {
    const isCode = /\.(?:[cm]?ts|[cm]?js)$/.test(name) && !/\.d\.[cm]?ts$|\.test\./.test(name);
    if (!isCode || name.startsWith(".")) continue;
    if ((await lstat(join(folder, name))).isFile()) files.push(name);
  }
  return files.slice(0, MAX_CONNECTOR_FILES);
}

async function load(
  path: string,
  name: string,
  known: readonly UserConnector[],
): Promise<UserConnector | Diagnostic[]> {
  const built = await bundle(path, name);
  if ("diagnostics" in built) return built.diagnostics;
  const { code } = built.bundle;
  const same = known.find((each) => each.name === name && each.code === code);
  if (same !== undefined) return same;
  const process = new ConnectorProcess(built.bundle);
  const loaded = await process.load().finally(() => process.stop());
  if ("broken" in loaded) {
    const message = `the connector cannot be loaded: ${loaded.broken.split("\n")[0]}`;
    return [connectorMistake(name, message, placeIn(loaded.stack, path))];
  }
  const definition = definitionOf(loaded);
  if (typeof definition === "string") {
    return [connectorMistake(name, definition, await placeOfDefinition(path))];
  }
  const crew = new Crew(built.bundle);
  return { name, code, crew, connector: toConnector(definition, crew) };
}

function toConnector({ output, ...definition }: Definition, crew: Crew): Connector {
  return {
    ...definition,
    config: definition.config as unknown as TSchema,
    ...(output && { output: output as unknown as TSchema }),
    // The process needs its own time to stop, and to be ended.
    stop_ms: 2 * CONNECTOR_STOP_MS,
    run: async (call, io, signal) => {
      const value = await crew.run(call, signal as AbortSignal, io.log);
      const wrong = output && misfit(output, value);
      if (wrong === undefined) return value;
      const message = `the ${call.type} connector gave what its "output" excludes: ${wrong}`;
      throw new ConnectorError({ kind: "invalid_output", message });
    },
  };
}

type Place = { line: number; column: number; end_column: number };

/** The first line of the trace that is in the file itself. */
function placeIn(stack: string, path: string): Place | undefined {
  const at = stack.split("\n").find((line) => line.includes(`${path}:`));
  const [, line, column] = /:(\d+):(\d+)\)?$/.exec(at ?? "") ?? [];
  if (line === undefined) return undefined;
  return { line: Number(line), column: Number(column), end_column: Number(column) + 1 };
}

async function placeOfDefinition(path: string): Promise<Place | undefined> {
  const lines = (await readFile(path, "utf8")).split("\n");
  const word = "defineConnector(";
  const index = lines.findIndex((line) => line.includes(word));
  const start = lines[index]?.indexOf(word);
  if (start === undefined) return undefined;
  return { line: index + 1, column: start + 1, end_column: start + word.length };
}

export function fileNamed(folder: string): (file: string) => string {
  return (file) => `${basename(folder)}/${file}`;
}
