// SPDX-License-Identifier: Apache-2.0
// signatures.js - Twilio's own helper library as a judge: random requests, signed rightly and wrongly,
// put to its validateRequest() and to ours (runtime/tests/judge/sign_check.c). The verdicts must be equal.
//
// Left out on purpose, because the library's answer there is an accident of its URL code: plain http
// with a port of its own and the signature made without it; wss with an explicit :80.
import twilio from 'twilio';
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { HERE } from './frames.js';

const REQUESTS = 3000;
const TOP = join(HERE, '..', '..');

// A small seeded generator: a failure can be looked at again.
function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function generator(seed) {
  const next = random(seed);
  const below = (n) => Math.floor(next() * n);
  const pick = (list) => list[below(list.length)];
  const text = (alphabet, n) => Array.from({ length: n }, () => pick(alphabet)).join('');
  return { below, pick, text, chance: (p) => next() < p };
}

const WORD = [...'abcXYZ019_-.'];
const VALUE = [...'abc XYZ 019', ...'+&=%;/?:@\'"<>*~()!,', 'é', 'ñ', '日', '\u00a0', '🚰', '\r', '\n', '\t', ' '];
const HOSTS = ['gw.example.com', 'a.b-c.example', '203.0.113.9', 'localhost'];
const QUERY = ['', '?', 'foo=1&bar=2', 'a=%41b+c', 'empty=&x', 'q=%27quoted%27', 'u=%C3%A9', 'dup=1&dup=2', 'slash=%2F'];

// Names sort alike by UTF-16 unit, code point and byte as long as they stay ASCII, which Twilio's do.
function randomParams(g) {
  const params = {};
  for (let n = g.below(9); n > 0; n -= 1) {
    const name = g.text(WORD, 1 + g.below(8));
    const value = () => g.text(VALUE, g.chance(0.15) ? 0 : g.below(24));
    const repeats = g.chance(0.2) ? 1 + g.below(3) : 0;
    params[name] = repeats ? Array.from({ length: repeats + 1 }, value) : value();
    if (repeats && g.chance(0.5)) params[name].push(params[name][0]);
  }
  return params;
}

// The same form, written in any of the ways a sender may choose.
function encodeForm(g, params) {
  const escapeOne = (c) => {
    if (c === ' ' && g.chance(0.5)) return '+';
    if (/[a-z]/.test(c) && g.chance(0.05)) return `%${c.charCodeAt(0).toString(16)}`;
    const escaped = encodeURIComponent(c);
    return escaped[0] === '%' && g.chance(0.2) ? escaped.toLowerCase() : escaped;
  };
  const escape = (s) => [...s].map(escapeOne).join('');
  const pairs = Object.entries(params).flatMap(([name, value]) => [value].flat().map((v) => [name, v]));
  for (let i = pairs.length - 1; i > 0; i -= 1) {
    const j = g.below(i + 1);
    [pairs[i], pairs[j]] = [pairs[j], pairs[i]];
  }
  return pairs.map(([name, value]) => `${name}=${escape(value)}`).join('&');
}

function randomPlace(g, scheme) {
  const user = scheme === 'https' && g.chance(0.1) ? 'user:pass@' : '';
  const port = g.chance(0.3) ? `:${g.pick([1234, 8443, 8080])}` : '';
  const prefix = g.chance(0.3) ? '/gateway' : '';
  const query = g.pick(QUERY).replace(/^\?/, '');
  const path = `/twilio/${g.pick(['voice', 'status', 'resume', 'media/t0k.en~x'])}`;
  return { public_url: `${scheme}://${user}${g.pick(HOSTS)}${port}${prefix}`, target: path + (query && `?${query}`), port };
}

const token = (g) => g.text([...'0123456789abcdef'], 32);
const withDefaultPort = (url) => url.replace(/^(https?):\/\/([^/?]+)/, (_, s, host) => `${s}://${host}:${s === 'https' ? 443 : 80}`);
const withoutPort = (url) => url.replace(/^(\w+:\/\/[^/?]*?):\d+/, '$1');

// The URL as Twilio may have written it when it signed: its backend is not of one mind about ports.
function signedUrl(g, url, port) {
  if (port) return url.startsWith('https:') && !url.includes('@') && g.chance(0.5) ? withoutPort(url) : url;
  return g.chance(0.4) && !url.includes('@') ? withDefaultPort(url) : url;
}

function formRequest(g) {
  const place = randomPlace(g, g.chance(0.7) ? 'https' : 'http');
  const params = randomParams(g);
  const url = place.public_url + place.target;
  const key = token(g);
  return {
    kind: 'webhook', ...place, tokens: [key], body: encodeForm(g, params),
    content_type: g.pick(['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-8']),
    signature: twilio.getExpectedTwilioSignature(key, signedUrl(g, url, place.port), params),
    official: (r) => twilio.validateRequest(key, r.signature, url, params),
  };
}

function jsonRequest(g) {
  const place = randomPlace(g, 'https');
  const body = JSON.stringify({ text: g.text(VALUE, g.below(60)), n: g.below(1000) });
  const hash = createHash('sha256').update(body).digest('hex');
  place.target += `${place.target.includes('?') ? '&' : '?'}bodySHA256=${hash}`;
  const url = place.public_url + place.target;
  const key = token(g);
  return {
    kind: 'webhook', ...place, tokens: [key], body, content_type: 'application/json',
    signature: twilio.getExpectedTwilioSignature(key, signedUrl(g, url, place.port), {}),
    official: (r) => twilio.validateRequestWithBody(key, r.signature, url, r.body),
  };
}

function upgradeRequest(g) {
  const place = randomPlace(g, g.chance(0.7) ? 'https' : 'http');
  const url = (place.public_url + place.target).replace(/^http/, 'ws');
  const key = token(g);
  return {
    kind: 'upgrade', ...place, tokens: [key], body: '', content_type: '',
    signature: twilio.getExpectedTwilioSignature(key, url, {}),
    official: (r) => twilio.validateRequest(key, r.signature, url, {}),
  };
}

// Ways to be wrong, as a stranger would try them. The official verdict is asked again afterwards.
const SPOILERS = [
  (g, r) => ({ ...r, signature: '' }),
  (g, r) => ({ ...r, signature: r.signature.slice(0, -1) }),
  (g, r) => ({ ...r, signature: `${r.signature}=` }),
  (g, r) => ({ ...r, signature: r.signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) }),
  (g, r) => ({ ...r, signature: r.signature.toLowerCase() === r.signature ? '' : r.signature.toLowerCase() }),
  (g, r) => ({ ...r, signature: twilio.getExpectedTwilioSignature(token(g), r.public_url + r.target, {}) }),
];

// Here the request changes under a good signature; nobody needs to be asked whether that is wrong.
const FORGERS = [
  (g, r) => ({ ...r, target: r.target.replace('/twilio/', '/twilio/x') }),
  (g, r) => ({ ...r, tokens: [token(g)] }),
  (g, r) => ({ ...r, tokens: [] }),
  (g, r) => (r.kind === 'webhook' ? { ...r, body: `${r.body}${r.body && r.body[0] !== '{' ? '&' : ''}forged=1` } : { ...r, tokens: [] }),
];

function requests(seed) {
  const g = generator(seed);
  return Array.from({ length: REQUESTS }, () => {
    const good = g.pick([formRequest, formRequest, formRequest, jsonRequest, upgradeRequest])(g);
    if (g.chance(0.25)) {
      const spoiled = g.pick(SPOILERS)(g, good);
      return { ...spoiled, expected: good.official(spoiled) };
    }
    if (g.chance(0.2)) return { ...g.pick(FORGERS)(g, good), expected: false };
    if (g.chance(0.1)) return { ...good, tokens: [token(g), good.tokens[0]], expected: good.official(good) };
    return { ...good, expected: good.official(good) };
  });
}

function newestProgram() {
  const found = ['build/dev', 'build', 'build/tsan'].map((b) => join(TOP, b, 'runtime/tests/sign_check')).filter(existsSync);
  return found.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

function ask(program, questions) {
  const input = questions.map(({ official, expected, port, ...q }) => JSON.stringify(q)).join('\n');
  const run = spawnSync(program, { input: `${input}\n`, maxBuffer: 1 << 26, encoding: 'utf8' });
  return run.status === 0 ? run.stdout.trimEnd().split('\n') : `${program}: ${run.stderr || run.error || `exit ${run.status}`}`;
}

export function judgeSignatures(given, tell) {
  const program = given ?? newestProgram();
  if (!program || !existsSync(program)) {
    tell('fail', `signatures: ${program ?? 'build/dev/runtime/tests/sign_check'} is not built`);
    return;
  }
  const seed = Number(process.env.JUDGE_SEED ?? Date.now() % 1e9);
  const questions = requests(seed);
  const wrongs = questions.filter((q) => !q.expected).length;
  if (wrongs < REQUESTS / 10 || wrongs > REQUESTS / 2) {
    tell('fail', `signatures: the generator is out of balance: ${wrongs} of ${REQUESTS} are wrong`);
    return;
  }
  const answers = ask(program, questions);
  if (typeof answers === 'string') {
    tell('fail', 'signatures: the program broke', answers.split('\n'));
    return;
  }
  const differ = questions.filter((q, i) => answers[i] !== (q.expected ? 'ok' : 'bad'));
  const what = `${REQUESTS} requests, ${wrongs} of them wrong`;
  tell(differ.length ? 'fail' : 'ok', differ.length
    ? `signatures: ${what}: ${differ.length} judged otherwise than by Twilio's library (JUDGE_SEED=${seed})`
    : `signatures: ${what}, all judged as Twilio's library does (JUDGE_SEED=${seed})`,
  differ.map(({ official, port, ...q }) => `expected ${q.expected ? 'ok' : 'bad'}: ${JSON.stringify(q)}`));
}
