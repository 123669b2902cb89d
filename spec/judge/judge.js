// SPDX-License-Identifier: Apache-2.0
// judge.js - puts what Ringdown sends, and what it accepts, before judges that we did not write.
//
// usage: node judge.js [--only messages|signatures|rest|vapi] [--frames FILE] [--sign-check PROGRAM] [--rest FILE]
//                      [--vapi FILE …]
//   --frames      NDJSON of every message that was sent to the model in a test run
//   --sign-check  the program build/*/runtime/tests/sign_check; default: the newest build's
//   --rest        NDJSON of what the simulated Twilio answered in the unit tests
//   --vapi        NDJSON of what the simulated Vapi was asked, answered, posted and was answered
//   RINGDOWN_SCHEMAS  a folder that holds openai-realtime.schema.json; unset: that judge is skipped
//
// Every judge first has to refuse the samples that are wrong, or it is not believed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readFrames, sample } from './frames.js';
import { judgeRest } from './rest.js';
import { SCHEMA_FILE, schemaJudge } from './schema.js';
import { judgeSignatures } from './signatures.js';
import { typesJudge } from './types.js';
import { judgeVapi } from './vapi.js';

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, frames: { type: 'string' }, 'sign-check': { type: 'string' },
    rest: { type: 'string' }, vapi: { type: 'string', multiple: true } },
});
const count = { ok: 0, fail: 0, skip: 0 };

function tell(verdict, what, complaints = []) {
  count[verdict] += 1;
  console.log(`${verdict.padEnd(4)}  ${what}`);
  for (const line of complaints.slice(0, 20)) console.log(`        ${line}`);
  if (complaints.length > 20) console.log(`        … and ${complaints.length - 20} more`);
}

function judgeFrames(judge, frames) {
  const name = judge.name;
  const wrong = sample('beta-shape.ndjson');
  const missed = wrong.filter((frame) => judge([frame]).length === 0);
  tell(missed.length ? 'fail' : 'ok', `${name}: refuses ${wrong.length} messages of the removed beta interface`,
    missed.map((frame) => `accepted: ${JSON.stringify(frame.event)}`));
  const right = judge(sample('ga-shape.ndjson'));
  tell(right.length ? 'fail' : 'ok', `${name}: accepts the GA samples`, right);
  if (!frames) return;
  const complaints = judge(frames);
  tell(complaints.length ? 'fail' : 'ok', `${name}: ${frames.length} recorded messages`, complaints);
}

function recordedFrames(path) {
  if (!path) return tell('skip', 'recorded messages: no --frames given, only the samples are judged');
  if (!existsSync(path)) return tell('fail', `recorded messages: ${path} is not there`);
  const frames = readFrames(path);
  return frames.length ? frames : tell('fail', `recorded messages: ${path} is empty`);
}

function judgeMessages() {
  const frames = recordedFrames(options.frames);
  judgeFrames(typesJudge, frames);
  const schemas = process.env.RINGDOWN_SCHEMAS;
  if (!schemas) {
    tell('skip', 'schema: RINGDOWN_SCHEMAS is unset, so no message was validated against a schema');
  } else if (!existsSync(join(schemas, SCHEMA_FILE))) {
    tell('skip', `schema: ${schemas} has no ${SCHEMA_FILE}, so no message was validated against a schema`);
  } else {
    judgeFrames(schemaJudge(schemas), frames);
  }
}

const wanted = (what) => !options.only || options.only === what;
if (wanted('messages')) judgeMessages();
if (wanted('signatures')) judgeSignatures(options['sign-check'], tell);
if (wanted('rest') && (options.rest || options.only)) judgeRest(options.rest, tell);
if (wanted('vapi') && (options.vapi || options.only)) judgeVapi(options.vapi ?? [], tell);
console.log(`judges: ${count.ok} passed, ${count.fail} failed, ${count.skip} skipped`);
process.exitCode = count.fail ? 1 : 0;
