// A connector's file with all that it imports, as one script; or what is wrong with it, and where.

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Message } from "esbuild";
import type { Diagnostic } from "../../../flow/diagnostic.js";

export interface Bundle {
  /** Absolute. */
  file: string;
  /** With the way back to the user's own lines at its end. */
  code: string;
}

/** `name`: the file's, in diagnostics. */
export async function bundle(
  file: string,
  name: string,
): Promise<{ bundle: Bundle } | { diagnostics: Diagnostic[] }> {
  // Loaded when there is a connector: most folders have none.
  const { build } = await import("esbuild");
  try {
    const { outputFiles } = await build({
      entryPoints: [file],
      // Places in messages and in stack traces are then relative to the file.
      absWorkingDir: dirname(file),
      bundle: true,
      write: false,
      platform: "node",
      format: "cjs",
      target: "node20",
      sourcemap: "inline",
      sourcesContent: false,
      logLevel: "silent",
      // Of this package, whether the user's folder has it installed or not.
      alias: { "mini-zaps": builtFile("define.js") },
    });
    return { bundle: { file, code: outputFiles[0]?.text ?? "" } };
  } catch (error) {
    const { errors } = error as { errors?: Message[] };
    if (errors === undefined) throw error;
    return { diagnostics: errors.map((each) => toDiagnostic(each, name)) };
  }
}

function toDiagnostic({ text, location }: Message, name: string): Diagnostic {
  const message = `the connector cannot be built: ${text}`;
  if (location === null) return connectorMistake(name, message);
  const { line, column, length, lineText, file } = location;
  const said = name.endsWith(file) ? message : `${message} (in ${file})`;
  // In bytes, from 0.
  const start = charactersIn(lineText, column) + 1;
  const end = charactersIn(lineText, column + Math.max(length, 1)) + 1;
  return connectorMistake(name, said, {
    line,
    column: start,
    end_column: Math.max(end, start + 1),
  });
}

function charactersIn(line: string, bytes: number): number {
  return Buffer.from(line).subarray(0, bytes).toString().length;
}

export function connectorMistake(
  file: string,
  message: string,
  { line, column, end_column } = { line: 1, column: 1, end_column: 2 },
): Diagnostic {
  const place = { line, column, end_line: line, end_column };
  return { file, ...place, kind: "connector", severity: "error", message };
}

/** Node and esbuild read JavaScript; where the sources run as they are, the built one. */
export function builtFile(name: string): string {
  const isSource = import.meta.url.endsWith(".ts");
  const built = isSource ? "../../../../dist/hosts/local/user-connectors/" : "./";
  return fileURLToPath(new URL(`${built}${name}`, import.meta.url));
}
