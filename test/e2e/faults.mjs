// Loaded into a server before its first module: counts its calls that write or sync files, and lets
// one of them go wrong. FAULT is `kill:n`, `eio:n` or `short:n`; the last two count the journal's
// own writes alone.

import fs from "node:fs";

const [kind, number] = (process.env.FAULT ?? "").split(":");
const { O_DSYNC } = fs.constants;
const { openSync, write, writeSync, fsync, fsyncSync, renameSync } = fs;
/** Descriptors whose writes are durable when they answer: the journal's. */
const committing = new Set();
/** The log is no file of the store. */
const LAST_STANDARD_FD = 2;
let calls = 0;

if (kind === "kill") killInOne();
else if (kind === "eio" || kind === "short") spoilOne();

function killInOne() {
  const isDue = () => {
    calls += 1;
    return calls === Number(number);
  };
  const die = () => process.kill(process.pid, "SIGKILL");
  fs.write = (fd, bytes, offset, length, position, done) => {
    if (fd > LAST_STANDARD_FD && isDue()) {
      writeSync(fd, bytes, offset, length >> 1, position);
      die();
    }
    write(fd, bytes, offset, length, position, done);
  };
  fs.writeSync = (fd, ...rest) => {
    if (fd > LAST_STANDARD_FD && isDue()) die();
    return writeSync(fd, ...rest);
  };
  const before =
    (call) =>
    (...rest) => {
      if (isDue()) die();
      return call(...rest);
    };
  Object.assign(fs, {
    fsync: before(fsync),
    fsyncSync: before(fsyncSync),
    renameSync: before(renameSync),
  });
}

function spoilOne() {
  fs.openSync = (path, flags, mode) => {
    const fd = openSync(path, flags, mode);
    committing.delete(fd);
    if ((flags & O_DSYNC) === O_DSYNC) committing.add(fd);
    return fd;
  };
  fs.write = (fd, bytes, offset, length, position, done) => {
    if (committing.has(fd)) calls += 1;
    if (!committing.has(fd) || calls !== Number(number)) {
      write(fd, bytes, offset, length, position, done);
    } else if (kind === "short") {
      write(fd, bytes, offset, length >> 1, position, done);
    } else {
      const error = Object.assign(new Error("EIO: i/o error, write"), { code: "EIO" });
      setImmediate(done, error, 0);
    }
  };
}
