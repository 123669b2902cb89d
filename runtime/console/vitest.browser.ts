// SPDX-License-Identifier: Apache-2.0
// The stories in a browser: one after the other, in one process, against one node (tests/browser/stand.ts).
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    dir: "tests/browser",
    environment: "node",
    setupFiles: ["tests/browser/hooks.ts"],
    pool: "forks",
    poolOptions: { forks: { singleFork: true, isolate: false } },
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    reporters: "default",
  },
});
