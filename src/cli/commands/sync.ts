// `flows sync`: reads the whole flows folder again; answers when every file is checked and served.

import { EXIT, type ExitCode } from "../exit.js";
import type { Common } from "../options.js";
import { withHost } from "../reach.js";
import { printWorkflows } from "./list.js";

export async function sync(common: Common): Promise<ExitCode> {
  const workflows = await withHost(common, { for: "look" }, ({ host }) => host.workflows.sync());
  printWorkflows(workflows, common);
  return workflows.every(({ valid }) => valid) ? EXIT.done : EXIT.failed;
}
