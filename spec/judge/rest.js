// SPDX-License-Identifier: Apache-2.0
// rest.js - what the simulated Twilio answers, and what it takes, before Twilio's own description of its REST API: a
// double that is kinder than the real one would let mistakes through. So is what the library sends, as its specs saw it.
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

const wrongForms = [
  { request: 'POST /IncomingPhoneNumbers/PN1.json', status: 200, form: 'VoiceMethod=PUT' },
  { request: 'POST /IncomingPhoneNumbers/PN1.json', status: 200, form: 'voice_url=https://x.example' },
  { request: 'POST /Calls.json', status: 201, form: 'To=%2B13125550100&Timeout=soon' },
];

const resources = [
  { path: '/Calls', resource: 'call', list: 'calls', create: 'CreateCallRequest', update: 'UpdateCallRequest' },
  { path: '/Messages', resource: 'message', list: 'messages', create: 'CreateMessageRequest' },
  { path: '/IncomingPhoneNumbers', resource: 'incoming_phone_number', list: 'incoming_phone_numbers',
    update: 'UpdateIncomingPhoneNumberRequest' },
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

// The fields of a form that was taken; a repeated one is a list. An empty value clears, and is no value.
function fields(form) {
  const value = {};
  for (const [name, text] of new URLSearchParams(form)) {
    if (text === '') continue;
    value[name] = name in value ? [value[name], text].flat() : text;
  }
  return value;
}

function sent({ request, status, form }) {
  const [method, path] = request.split(' ');
  const kind = resources.find((one) => path.startsWith(one.path));
  const name = /\/\w+\//.test(path) ? kind.update : kind.create;
  return method === 'POST' && status < 300 && form && name ? [[name, fields(form)]] : [];
}

function restJudge(schema, parts, coerceTypes = false) {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, coerceTypes });
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
  const schema = JSON.parse(readFileSync(path, 'utf8'));
  const judge = restJudge(schema, parts);
  const judgeForm = restJudge(schema, sent, 'array');
  const missed = [...wrong.filter((line) => judge(line).length === 0),
    ...wrongForms.filter((line) => judgeForm(line).length === 0)];
  tell(missed.length ? 'fail' : 'ok', `rest: refuses ${wrong.length} answers that Twilio never gives, and `
    + `${wrongForms.length} forms that it does not take`, missed.map((line) => `accepted: ${JSON.stringify(line)}`));
  if (!existsSync(file)) {
    tell('fail', `rest: ${file} is not there; the unit tests write it when RINGDOWN_REST_LOG names it`);
    return;
  }
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const answered = lines.filter((line) => line.answer);
  const complaints = answered.flatMap(judge);
  tell(complaints.length || !answered.length ? 'fail' : 'ok', `rest: ${answered.length} answers of the simulated Twilio`,
    complaints);
  const forms = lines.filter((line) => sent(line).length);
  const strange = forms.flatMap(judgeForm);
  tell(strange.length || !forms.length ? 'fail' : 'ok', `rest: ${forms.length} forms that were sent and taken`, strange);
}
