// SPDX-License-Identifier: Apache-2.0
// sbom.js SBOM SCHEMAS - is it CycloneDX 1.5? SCHEMAS is res/schema of the npm package @cyclonedx/cyclonedx-library.
// First a document that lost its format has to be refused, or the answer is not believed.
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const judge = createRequire(path.join(__dirname, '../judge/package.json'));
const Ajv = judge('ajv').default || judge('ajv');

const [file, schemas] = process.argv.slice(2);
const read = (name) => JSON.parse(fs.readFileSync(path.join(schemas, name), 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });

ajv.addSchema(read('spdx.SNAPSHOT.schema.json'), 'http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json');
ajv.addSchema(read('jsf-0.82.SNAPSHOT.schema.json'), 'http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json');
const good = ajv.compile(read('bom-1.5.SNAPSHOT.schema.json'));

const sbom = JSON.parse(fs.readFileSync(file, 'utf8'));
if (good({ ...sbom, bomFormat: 'nothing' })) {
  console.error('the schema refuses nothing');
  process.exit(1);
}
if (!good(sbom)) {
  for (const e of good.errors) console.error(`${e.instancePath}: ${e.message}`);
  process.exit(1);
}
console.log(`CycloneDX ${sbom.specVersion}: ${sbom.components.length} components`);
