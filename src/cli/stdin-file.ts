// A flow file whose text comes from stdin, as an editor sends what is not saved yet.

import { decodeFlowText } from "../hosts/local/index.js";
import { MAX_FLOW_FILE_BYTES } from "../limits.js";
import { type Found, homeOf } from "./flow-files.js";

/** The file need not be there. No more is kept than is needed to say that it is too much. */
export async function onStdin(file: string, flows: string): Promise<Found> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    if (length <= MAX_FLOW_FILE_BYTES) chunks.push(chunk);
    length += chunk.length;
  }
  const bytes = Buffer.concat(chunks).subarray(0, MAX_FLOW_FILE_BYTES + 1);
  const read = decodeFlowText(file, bytes);
  return "text" in read
    ? { files: [{ file, text: read.text, home: homeOf(file, flows) }], diagnostics: [] }
    : { files: [], diagnostics: [read.diagnostic] };
}
