// SPDX-License-Identifier: Apache-2.0
// pack - what vite built, compressed twice, and a C file that holds it all: `node pack.mjs DIST OUT`.
//
// OUT/console_files.c defines what control/console_files.h declares. OUT/sizes.json says how much the browser loads
// at first (index.html, its scripts and its style sheet, compressed), which a ctest compares with the limit.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { extname, join, relative, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

const [dist, out] = process.argv.slice(2).map((p) => resolve(p));

function all(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? all(path) : [path];
    });
}

const brotli = (data) =>
  brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length } });

rmSync(join(out, "packed"), { recursive: true, force: true });
mkdirSync(join(out, "packed"), { recursive: true });

const files = all(dist).map((path, i) => {
  const name = "/" + relative(dist, path).replaceAll("\\", "/");
  const type = TYPES[extname(path)];
  if (!type) throw new Error(`${name}: there is no type for this; add it to scripts/pack.mjs`);
  const plain = readFileSync(path);
  const forms = { plain, gzip: gzipSync(plain, { level: 9 }), br: brotli(plain) };
  for (const [form, data] of Object.entries(forms)) writeFileSync(join(out, "packed", `${i}.${form}`), data);
  return { i, name, type, forms, hashed: /^\/assets\/.+-[\w-]{8}\.\w+$/.test(name), hash: createHash("sha256").update(plain).digest("hex").slice(0, 16) };
});

const FORMS = ["plain", "gzip", "br"];
const label = (f, form) => `console_${f.i}_${form}`;

function bytes(f, form) {
  const path = join(out, "packed", `${f.i}.${form}`);
  return `__asm__(".section .rodata\\n"
        ".global ${label(f, form)}\\n"
        "${label(f, form)}:\\n"
        ".incbin \\"${path}\\"\\n"
        ".byte 0\\n"
        ".previous\\n");
extern const char ${label(f, form)}[];
`;
}

function row(f) {
  const forms = FORMS.map((form) => `{${label(f, form)}, ${f.forms[form].length}}`).join(", ");
  return `    {"${f.name}", "${f.type}", "${f.hash}", ${f.hashed}, {${forms}}},\n`;
}

writeFileSync(
  join(out, "console_files.c"),
  `/* SPDX-License-Identifier: Apache-2.0 */
/* Made by runtime/console/scripts/pack.mjs. */
#include "control/console_files.h"

${files.flatMap((f) => FORMS.map((form) => bytes(f, form))).join("")}
const struct console_file console_files[] = {
${files.map(row).join("")}};
const unsigned console_n_files = ${files.length};
`,
);

const index = files.find((f) => f.name === "/index.html");
const html = index.forms.plain.toString();
const first = files.filter((f) => f === index || html.includes(`"${f.name}"`));
const sum = (list, form) => list.reduce((n, f) => n + f.forms[form].length, 0);
const sizes = {
  first: { files: first.map((f) => f.name), gzip: sum(first, "gzip"), br: sum(first, "br") },
  all: { files: files.length, plain: sum(files, "plain"), gzip: sum(files, "gzip"), br: sum(files, "br") },
};
writeFileSync(join(out, "sizes.json"), JSON.stringify(sizes, null, 2) + "\n");
