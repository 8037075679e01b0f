// The thread that writes run documents: on the main thread they would cost most of its time.

import { parentPort, workerData } from "node:worker_threads";
import { nodeDisk } from "./disk.js";
import { DocumentWriter, unpackBatch } from "./document-writer.js";

const writer = new DocumentWriter(nodeDisk, workerData as string);
parentPort?.on("message", (batch: string) => {
  parentPort?.postMessage(writer.handle(unpackBatch(batch)));
});
