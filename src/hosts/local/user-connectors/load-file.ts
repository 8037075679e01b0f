// One file of a user's step types: a connector, or what is wrong with it.

import { readFile } from "node:fs/promises";
import type { TSchema } from "typebox";
import type { Connector } from "../../../connectors/connector.js";
import { misfit } from "../../../engine/output.js";
import { ConnectorError } from "../../../engine/ports.js";
import type { Diagnostic } from "../../../flow/diagnostic.js";
import { CONNECTOR_STOP_MS } from "../../../limits.js";
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

export async function loadFile(
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
