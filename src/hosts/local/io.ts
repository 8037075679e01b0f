// The world as connectors may touch it. What speaks HTTP is loaded at the first request.

import type { HttpRequest, HttpResponse, Io } from "../../engine/ports.js";
import { DEFAULT_EGRESS, type EgressPolicy, type Lookup } from "./egress.js";
import type { HttpClient } from "./http-client.js";
import { followRedirects } from "./redirects.js";

export interface LocalIo extends Pick<Io, "http"> {
  /** Breaks off what is under way. */
  close(): Promise<void>;
}

export function createIo(policy: EgressPolicy = DEFAULT_EGRESS, lookup?: Lookup): LocalIo {
  const near = opener(policy, lookup);
  const far = opener({ ...policy, private_names: [] }, lookup);
  return {
    http: (request) => followRedirects(request, near.send, far.send),
    close: async () => {
      await Promise.all([near.close(), far.close()]);
    },
  };
}

function opener(policy: EgressPolicy, lookup?: Lookup): HttpClient {
  let opening: Promise<HttpClient> | undefined;
  return {
    async send(request: HttpRequest): Promise<HttpResponse> {
      opening ??= import("./http-client.js").then(({ openHttp }) => openHttp(policy, lookup));
      return (await opening).send(request);
    },
    close: async () => (await opening)?.close(),
  };
}
