// SPDX-License-Identifier: Apache-2.0
// vapi.js - what we send to Vapi, and what its double answers and posts, before the types of Vapi's own SDK: what
// the double takes without a word must be what Vapi takes, and what it sends must be what Vapi sends.
//
// Left out, because guides and practice have it and the types do not: `metadata` and the bypass of a call, with
// the document in its answer; the address of a WebSocket; tools called in the shapes of the guides; the id of the
// number in a message. And the format of a sound is a word in the guides, and an object in the types.
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { sample } from './frames.js';
import { complaintsAbout } from './types.js';

const HEAD = "import type { Vapi } from '@vapi-ai/server-sdk';";

const without = (value, ...names) => Object.fromEntries(Object.entries(value).filter(([key]) => !names.includes(key)));

function call(value) {
  const { transport, ...rest } = without(value, 'metadata', 'phoneCallProviderDetails', 'subscriptionLimits');
  return transport ? { ...rest, transport: without(transport, 'websocketCallUrl') } : rest;
}

function asked({ transport, ...body }) {
  const rest = without(body, 'metadata', 'phoneCallProviderBypassEnabled');
  return transport?.audioFormat ? { ...rest, transport: { ...transport, audioFormat: { ...transport.audioFormat, format: {} } } }
    : { ...rest, ...(transport && { transport }) };
}

function posted({ phoneNumber, ...message }) {
  return {
    ...message, ...(message.call && { call: call(message.call) }),
    ...(phoneNumber && { phoneNumber: without(phoneNumber, 'id', 'orgId', 'createdAt', 'updatedAt', 'status') }),
  };
}

// [type, value] pairs of one request to the API and its answer.
function restPairs({ method, path, status, body, answer }) {
  const [, resource] = path.split(/[/?]/);
  const list = Array.isArray(answer) ? answer : [answer];
  if (status >= 400 || !answer) return [];
  if (resource === 'call') {
    const created = method === 'POST' ? [['Vapi.CreateCallDto', asked(body)]] : [];
    return [...created, ...list.map((one) => ['Vapi.Call', call(one)])];
  }
  if (resource === 'phone-number') {
    const created = method === 'POST' ? [['Vapi.CreatePhoneNumbersRequest', body]] : [];
    return [...created, ...list.map((one) => ['Vapi.ListPhoneNumbersResponseItem', one])];
  }
  return resource === 'assistant' ? list.map((one) => ['Vapi.Assistant', one]) : [];
}

const MESSAGES = {
  'assistant-request': 'AssistantRequest', 'status-update': 'StatusUpdate', 'tool-calls': 'ToolCalls',
  'end-of-call-report': 'EndOfCallReport', 'conversation-update': 'ConversationUpdate', hang: 'Hang',
  'speech-update': 'SpeechUpdate', transcript: 'Transcript', 'user-interrupted': 'UserInterrupted',
  'transfer-destination-request': 'TransferDestinationRequest',
};
const ANSWERED = ['assistant-request', 'tool-calls', 'transfer-destination-request'];

function hookPairs({ message, answer, wrong }) {
  const name = MESSAGES[message.type.replace(/\[.*/, '')];
  const guide = message.type === 'tool-calls' && !message.toolCallList[0].function;
  if (!name) return [];
  const sent = guide ? [] : [[`Vapi.ServerMessage${name}`, posted(message)]];
  const taken = answer && !wrong && ANSWERED.includes(message.type);
  return taken ? [...sent, [`Vapi.ServerMessageResponse${name}`, answer]] : sent;
}

// Over a WebSocket. The guides have status-update and "hangup" there, the types do not.
function toldPairs({ message }) {
  const name = MESSAGES[message.type];
  return name && message.type !== 'status-update' ? [[`Vapi.ClientMessage${name}`, message]] : [];
}

function orderPairs({ order, wrong }) {
  return wrong.length || order.type === 'hangup' ? [] : [['Vapi.ClientInboundMessageMessage', order]];
}

const PAIRS = { rest: restPairs, hook: hookPairs, told: toldPairs, order: orderPairs };
const pairsOf = (line) => PAIRS[line.ev]?.(line) ?? [];

// What differs from call to call and says nothing about the shape.
const PASSING = /^(id|callSid|createdAt|updatedAt|startedAt|endedAt|timestamp|time|endTime|duration|minutes|cost|number|message|transcript|content|secondsFromStart|phoneCallProviderId|toolCallId|.*Url|.*Id|.*Latency.*)$/;
const shape = (pair) => JSON.stringify(pair, (key, value) => (PASSING.test(key) && typeof value !== 'object' ? typeof value : value));

function distinct(pairs) {
  const seen = new Map();
  for (const pair of pairs) if (!seen.has(shape(pair.slice(0, 2)))) seen.set(shape(pair.slice(0, 2)), pair);
  return [...seen.values()];
}

function judge(pairs) {
  const judged = distinct(pairs);
  const lines = judged.map(([type, value], i) => `export const v${i}: ${type} = ${JSON.stringify(value)};`);
  const complaints = complaintsAbout(HEAD, lines)
    .map(({ line, text }) => (judged[line] ? `${judged[line][2]}: ${judged[line][0]}: ${text}` : text));
  return { n: judged.length, complaints };
}

function recorded(file) {
  return readFileSync(file, 'utf8').split('\n').flatMap((text, i) => (text.trim()
    ? pairsOf(JSON.parse(text)).map((pair) => [...pair, `${basename(file)}:${i + 1}`]) : []));
}

export function judgeVapi(files, tell) {
  const wrong = sample('vapi-wrong.ndjson').map(({ at, event }) => [event.type, event.value, at]);
  const refused = judge(wrong).complaints;
  const missed = wrong.filter(([, , at]) => !refused.some((text) => text.startsWith(`${at}:`)));
  tell(missed.length ? 'fail' : 'ok', `vapi: refuses ${wrong.length} values that Vapi's types do not allow`,
    missed.map(([type, value]) => `accepted: ${type} ${JSON.stringify(value)}`));
  if (files.length === 0) tell('skip', 'vapi: no --vapi given, only the samples are judged');
  for (const file of files) {
    if (!existsSync(file)) {
      tell('fail', `vapi: ${file} is not there`);
      continue;
    }
    const pairs = recorded(file);
    const { n, complaints } = judge(pairs);
    tell(complaints.length || n === 0 ? 'fail' : 'ok', `vapi: ${pairs.length} values of ${basename(file)}, ${n} of them different`,
      complaints);
  }
}
