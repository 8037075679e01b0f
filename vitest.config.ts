// How the tests run: as many processes as processors, generous time, and a built CLI before the
// first test.

import { defineConfig } from "vitest/config";

/** Tests of the rooms that know no world: nothing of one file can linger for the next. */
const PURE = ["test/{flow,engine,triggers}/**/*.test.ts"];

export default defineConfig({
  test: {
    globalSetup: ["test/build.ts"],
    pool: "forks",
    // Vitest leaves one processor idle; of two, that is half of the machine.
    maxWorkers: "100%",
    // Tests wait for real servers and real child processes on machines that do other things too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    coverage: { provider: "v8", include: ["src/**"], reporter: ["text-summary", "html"] },
    projects: [
      // They share the modules that a process has loaded.
      { extends: true, test: { name: "pure", include: PURE, isolate: false } },
      {
        extends: true,
        test: {
          name: "world",
          include: ["test/**/*.test.ts"],
          exclude: ["test/bench/**", ...PURE],
        },
      },
    ],
  },
});
