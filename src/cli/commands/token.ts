// `flows token create | list | revoke`: who may use the server of a store. It need not be running.

import { randomBytes } from "node:crypto";
import { SCOPES } from "../../engine/runner.js";
import { createToken, isTokenName, listTokens, revokeToken } from "../../hosts/local/index.js";
import { choice } from "../choice.js";
import { CliError, EXIT, type ExitCode } from "../exit.js";
import { type Common, type Options, quoted, usage } from "../options.js";
import { table } from "../table.js";

export async function token(
  common: Common,
  [what = ""]: string[],
  options: Options,
): Promise<ExitCode> {
  return ACTIONS[choice("flows token", what, WORDS)](common, options);
}

const ACTIONS = { create, list, revoke };
const WORDS = Object.keys(ACTIONS) as (keyof typeof ACTIONS)[];

/** The one time that the token is seen. */
function create({ store, output }: Common, options: Options): ExitCode {
  const scope = choice("--scope", (options.scope as string | undefined) ?? "read", [...SCOPES]);
  const name = nameOf(options) ?? `token_${randomBytes(4).toString("hex")}`;
  const text = createToken(store, name, scope);
  if (text === undefined) {
    const hint = "take another --name, or revoke that one first";
    throw new CliError(EXIT.failed, `There is a token ${quoted(name)} already.`, hint);
  }
  if (output.json) output.value({ name, scope, token: text });
  else output.result(text);
  output.say(`The token ${name} grants ${scope}. It is kept nowhere: write it down now.`);
  return EXIT.done;
}

function list({ store, output }: Common): ExitCode {
  const tokens = listTokens(store);
  if (output.json) {
    for (const each of tokens) output.value(each);
    return EXIT.done;
  }
  const rows = tokens.map(({ name, scope, created_at }) => [name, scope, created_at]);
  if (rows.length === 0) output.say("The store has no tokens.");
  else output.result(table(["NAME", "SCOPE", "CREATED"], rows, output.colors));
  return EXIT.done;
}

function revoke({ store, output }: Common, options: Options): ExitCode {
  const name = nameOf(options);
  if (name === undefined) throw usage("flows token revoke wants --name: the token to revoke.");
  if (!revokeToken(store, name)) {
    const hint = "flows token list names those there are";
    throw new CliError(EXIT.notFound, `There is no token ${quoted(name)}.`, hint);
  }
  output.say(`The token ${name} lets nobody in from now on.`);
  return EXIT.done;
}

function nameOf({ name }: Options): string | undefined {
  if (name === undefined || isTokenName(name as string)) return name as string | undefined;
  throw usage("--name wants 1 to 64 letters, digits, _ and -, and begins with no -.");
}
