// SPDX-License-Identifier: Apache-2.0
// Writes the manifests: migrate.yaml comes first, ringdown.yaml is what runs, autoscaler.yaml is for who has an adapter.
"use strict";
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { stringify } = require("yaml");
const { migration, autoscaler, config, service, headless, nodes, budget, ingress, network } = require("./build/ringdown");

const files = {
  "migrate.yaml": [migration],
  "ringdown.yaml": [config, service, headless, nodes, budget, ingress, network],
  "autoscaler.yaml": [autoscaler],
};
const folder = process.argv[2] ?? __dirname;
const top = "# SPDX-License-Identifier: Apache-2.0\n# Written by npm run manifests from ringdown.ts: change that.\n";

for (const [name, objects] of Object.entries(files)) {
  const parts = objects.map((each) => stringify(each, { aliasDuplicateObjects: false }));
  writeFileSync(join(folder, name), top + parts.join("---\n"));
}
