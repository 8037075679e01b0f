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
  let opening: Promise<HttpClient> | undefined;
  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    opening ??= import("./http-client.js").then(({ openHttp }) => openHttp(policy, lookup));
    return (await opening).send(request);
  };
  return {
    http: (request) => followRedirects(request, send),
    close: async () => (await opening)?.close(),
  };
}
