// Where the values of secrets come from, and what keeps them out of everything that is written.

import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TextDecoder } from "node:util";
import type { Json } from "../../flow/json.js";
import { MAX_SECRET_BYTES, MIN_SECRET_CHARS } from "../../limits.js";
import { Redactor } from "./redactor.js";

export interface SecretSources {
  /** Variables named `FLOWS_SECRET_<NAME>`. */
  environment: { readonly [name: string]: string | undefined };
  /** A folder with a file for each secret, named like it. */
  folder?: string;
}

export interface Secrets {
  /** The value as it is now. Throws a SecretError where there is none, or none that will do. */
  secretOf(name: string): string;
  /** Why there is no value, in a sentence; undefined: there is one. */
  missing(name: string): string | undefined;
  /** Without the values of all secrets there are, whatever their names. */
  redact<T extends Json>(value: T): T;
  redactText(text: string): string;
}

/** A secret that a step needs is not there, or is no good; says what to do. */
export class SecretError extends Error {
  override name = "SecretError";
}

const PREFIX = "FLOWS_SECRET_";
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Learns all values there are. Rejects a folder that cannot be read. */
export function openSecrets({ environment, folder }: SecretSources): Secrets {
  const redactor = new Redactor();
  const variables = new Map<string, string>();
  for (const [variable, value = ""] of Object.entries(environment)) {
    const name = variable.slice(PREFIX.length);
    if (variable.startsWith(PREFIX) && NAME.test(name)) variables.set(name, value);
  }
  const files = folder === undefined ? [] : readdirOf(folder).filter((name) => NAME.test(name));
  const secretOf = (name: string): string => {
    const value = variables.get(name) ?? (folder && fileValue(folder, name));
    if (value === undefined || value === "") throw new SecretError(absent(name, folder));
    if (value.length < MIN_SECRET_CHARS) throw new SecretError(tooShort(name, value.length));
    redactor.learn(value);
    return value;
  };
  const missing = (name: string): string | undefined => {
    try {
      secretOf(name);
      return undefined;
    } catch (error) {
      if (error instanceof SecretError) return error.message;
      throw error;
    }
  };
  for (const name of [...variables.keys(), ...files]) missing(name);
  return {
    secretOf,
    missing,
    redact: (value) => redactor.json(value),
    redactText: (text) => redactor.text(text),
  };
}

function readdirOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `the folder of secrets ${folder} cannot be read (${code})`;
    throw new SecretError(`${message}: give one that can, with --secrets DIR`);
  }
}

/** Read each time: a secret is changed by changing its file. A final line break is an editor's. */
function fileValue(folder: string, name: string): string | undefined {
  if (!NAME.test(name)) return undefined;
  const file = join(folder, name);
  const bytes = fileBytes(file);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "");
  } catch {
    throw new SecretError(`the file ${file} of a secret is not UTF-8: write it as text`);
  }
}

function fileBytes(file: string): Buffer | undefined {
  let fd: number;
  try {
    // A pipe would be waited for without the flag.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new SecretError(`the file ${file} of a secret cannot be read (${code})`);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new SecretError(`${file} is no file, so it is no secret`);
    if (stat.size > MAX_SECRET_BYTES) {
      const message = `the file ${file} has ${stat.size} bytes`;
      throw new SecretError(`${message}: a secret has at most ${MAX_SECRET_BYTES}`);
    }
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function absent(name: string, folder: string | undefined): string {
  const file = folder === undefined ? `a file ${name} in the folder of --secrets DIR` : "";
  const inFolder = file === "" ? `the file ${join(folder as string, name)}` : file;
  return (
    `the secret ${name} has no value here: ` +
    `give it in the environment, as ${PREFIX}${name}, or in ${inFolder}`
  );
}

function tooShort(name: string, length: number): string {
  return (
    `the secret ${name} has ${length} characters, and needs at least ${MIN_SECRET_CHARS}: ` +
    "a shorter one cannot be told from other text, to be kept out of it"
  );
}
