// SPDX-License-Identifier: Apache-2.0
// `npm run dev` serves the sources and passes /api on to a node: RINGDOWN_ADMIN=http://127.0.0.1:8081.
import { defineConfig } from "vite";

const node = process.env.RINGDOWN_ADMIN ?? "http://127.0.0.1:8081";
const passed = { target: node, changeOrigin: true, headers: { origin: node } };

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    outDir: process.env.RINGDOWN_CONSOLE_OUT ?? "dist",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    sourcemap: false,
    rollupOptions: { output: { entryFileNames: "assets/[name]-[hash].js", chunkFileNames: "assets/[name]-[hash].js" } },
  },
  server: { fs: { allow: [".", "../../docs"] }, proxy: { "/api": passed, "/health": passed } },
});
