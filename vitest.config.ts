// How the tests run: one process a file, generous time, and a built CLI before the first test.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/bench/**"],
    globalSetup: ["test/build.ts"],
    pool: "forks",
    // Vitest leaves one processor idle; of two, that is half of the machine.
    maxWorkers: "100%",
    // Tests wait for real servers and real child processes on machines that do other things too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    coverage: { provider: "v8", include: ["src/**"], reporter: ["text-summary", "html"] },
  },
});
