// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  test: { dir: "tests/unit", environment: "node", setupFiles: ["tests/unit/setup.ts"], pool: "threads", reporters: "default" },
});
