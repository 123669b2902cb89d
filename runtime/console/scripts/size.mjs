// SPDX-License-Identifier: Apache-2.0
// size - exit 1 when what a browser loads at first is more than so many KB, compressed: `node size.mjs SIZES.json KB`.
import { readFileSync } from "node:fs";

const [file, most] = process.argv.slice(2);
const { first, all } = JSON.parse(readFileSync(file, "utf8"));
const kb = (n) => (n / 1024).toFixed(1) + " KB";
console.log(`first load: ${kb(first.gzip)} by gzip, ${kb(first.br)} by brotli (${first.files.length} files); all: ${kb(all.gzip)} (${all.files} files)`);
if (first.gzip > most * 1024) {
  console.error(`that is more than ${most} KB: let a page be loaded when somebody goes there (src/pages.ts)`);
  process.exit(1);
}
