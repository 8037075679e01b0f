// The hosts of `--allow-host`, as a command is given them.

import { type AllowedHost, parseAllowedHost } from "../hosts/local/index.js";
import { type Common, quoted, usage } from "./options.js";

export function allowedHosts({ allowHost }: Common): AllowedHost[] {
  return allowHost.map((text) => {
    const host = parseAllowedHost(text);
    if (host !== undefined) return host;
    throw usage(
      `--allow-host wants a host, or HOST:PORT, and not ${quoted(text)}.`,
      "name each host with an --allow-host of its own; there are no patterns",
    );
  });
}
