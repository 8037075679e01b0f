// Protocols that a store must not have, each made of the right one by leaving something out: what
// searches for lost decisions has to find some in every one of them.

import type { Disk } from "../../../src/hosts/local/disk.js";
import type { SimDisk } from "./sim-disk.js";

export const WEAKENED: { [name: string]: (disk: SimDisk) => Disk } = {
  "writes to the journal are not synced": (disk) =>
    over(disk, { commit: disk.writeLater.bind(disk) }),
  "folders are not synced": (disk) =>
    over(disk, { syncFolder() {}, syncFolderLater: (_path, done) => setImmediate(done, null) }),
  "documents are trusted that were never synced": trustDocuments,
  "segments go before the checkpoint is durable": dropEarly,
  "a checkpoint is renamed before it is synced": (disk) => {
    const checkpoints = new Set<number>();
    return over(disk, {
      open(path, mode) {
        const fd = disk.open(path, mode);
        if (path.endsWith("checkpoint.bin.tmp")) checkpoints.add(fd);
        return fd;
      },
      syncLater: (fd, done) =>
        checkpoints.has(fd) ? void setImmediate(done, null) : disk.syncLater(fd, done),
    });
  },
};

function trustDocuments(disk: SimDisk): Disk {
  const documents = new Set<number>();
  const isRuns = (path: string): boolean => path.includes("/runs");
  return over(disk, {
    open(path, mode) {
      const fd = disk.open(path, mode);
      if (isRuns(path)) documents.add(fd);
      return fd;
    },
    sync: (fd) => (documents.has(fd) ? undefined : disk.sync(fd)),
    syncTree: () => true,
    syncFolder: (path) => (isRuns(path) ? undefined : disk.syncFolder(path)),
  });
}

function dropEarly(disk: SimDisk): Disk {
  let last = 0;
  return over(disk, {
    open(path, mode) {
      const segment = /\/(\d+)\.jsonl$/.exec(path)?.[1];
      if (mode === "commit") last = Number(segment);
      if (path.endsWith("checkpoint.bin.tmp")) {
        const journal = path.replace("checkpoint.bin.tmp", "journal");
        for (const name of disk.readdir(journal)) {
          if (Number.parseInt(name, 10) < last) disk.unlink(`${journal}/${name}`);
        }
      }
      return disk.open(path, mode);
    },
  });
}

/** A disk that does as this one does, but for these calls. */
function over(disk: SimDisk, calls: Partial<Disk>): Disk {
  return new Proxy(disk as Disk, {
    get(target, name: keyof Disk) {
      const call = calls[name] ?? target[name];
      return call.bind(target);
    },
  });
}
