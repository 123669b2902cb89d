// SPDX-License-Identifier: Apache-2.0
// rest.js - what the simulated Twilio answers, before Twilio's own description of its REST API: a double that
// is kinder than the real one would let mistakes through.
import Ajv2020 from 'ajv/dist/2020.js';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SCHEMA_FILE = 'twilio-rest.schema.json';

// Each is wrong in one way; a judge that accepts one is not believed.
const wrong = [
  { request: 'GET /Calls/CA1.json', status: 200, answer: { sid: 'CA1' } },
  { request: 'GET /Calls/CA1.json', status: 200, answer: { status: 'over' } },
  { request: 'POST /Messages.json', status: 201, answer: { num_segments: 1 } },
  { request: 'POST /Messages.json', status: 201, answer: { colour: 'red' } },
  { request: 'POST /Messages.json', status: 400, answer: { message: 'no code' } },
  { request: 'GET /IncomingPhoneNumbers/PN1.json', status: 200, answer: { voice_method: 'PUT' } },
];

const resources = [
  { path: '/Calls', resource: 'call', list: 'calls' },
  { path: '/Messages', resource: 'message', list: 'messages' },
  { path: '/IncomingPhoneNumbers', resource: 'incoming_phone_number', list: 'incoming_phone_numbers' },
];

// A list is an envelope with one member that holds the resources.
function parts({ request, status, answer }) {
  const [, path] = request.split(' ');
  const kind = resources.find((one) => path.startsWith(one.path));
  const resource = `api.v2010.account.${kind.resource}`;
  if (status >= 400) return [['RestError', answer]];
  const members = answer[kind.list];
  return Array.isArray(members) ? members.map((one) => [resource, one]) : [[resource, answer]];
}

function restJudge(schema) {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(schema);
  return (line) => parts(line).flatMap(([name, value]) => {
    const valid = ajv.getSchema(`${schema.$id}#/$defs/${name}`);
    const known = schema.$defs[name].properties;
    const unknown = Object.keys(value).filter((key) => !(key in known)).map((key) => `no field ${key}`);
    const errors = valid(value) ? [] : valid.errors.map((e) => `${e.instancePath} ${e.message}`);
    return [...unknown, ...errors].map((why) => `${line.request} (${line.status}): ${why}`);
  });
}

export function judgeRest(file, tell) {
  const folder = process.env.RINGDOWN_SCHEMAS;
  const path = folder && join(folder, SCHEMA_FILE);
  if (!path || !existsSync(path)) {
    tell('skip', `rest: ${folder ? `${folder} has no ${SCHEMA_FILE}` : 'RINGDOWN_SCHEMAS is unset'}, so the `
      + 'simulated Twilio was not compared with the real one');
    return;
  }
  const judge = restJudge(JSON.parse(readFileSync(path, 'utf8')));
  const missed = wrong.filter((line) => judge(line).length === 0);
  tell(missed.length ? 'fail' : 'ok', `rest: refuses ${wrong.length} answers that Twilio never gives`,
    missed.map((line) => `accepted: ${JSON.stringify(line.answer)}`));
  if (!existsSync(file)) {
    tell('fail', `rest: ${file} is not there; the unit tests write it when RINGDOWN_REST_LOG names it`);
    return;
  }
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const answered = lines.filter((line) => line.answer);
  const complaints = answered.flatMap(judge);
  tell(complaints.length || !answered.length ? 'fail' : 'ok', `rest: ${answered.length} answers of the simulated Twilio`,
    complaints);
}
