// SPDX-License-Identifier: Apache-2.0
// torn.js - between two peers that speak HTTP and WebSocket: what goes towards one of them is torn into single bytes,
// its messages into fragments with pings between them; or something is put into it that is no WebSocket at all.
//
// stdin: { "port": of the one that is connected to, "towards": "server" (that one) or "client", "tear": true or false,
//          "seed": N, "cases": [ { "name", "bytes": latin1 } ], "arm": a file }
// stdout: "port N", then a line of JSON for each case: { "case", "code": of the close frame that came back, "gone" }.
//
// Once the file `arm` is there, each new session of a model (a session.update passes) gets the next of the cases
// after its third message with sound; when there is none left, sessions are as they are.
'use strict';
const fs = require('fs');
const net = require('net');

const plan = JSON.parse(fs.readFileSync(0, 'utf8'));
const cases = (plan.cases || []).slice();
const BACKLOG = 4096; // above it bytes go in larger pieces: a call is not to be late

let state = plan.seed >>> 0 || 1;
function random(n) { // xorshift32: the same seed tears in the same places
  state ^= state << 13; state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5; state >>>= 0;
  return state % n;
}

function say(fact) { process.stdout.write(JSON.stringify(fact) + '\n'); }

function frame(op, fin, payload, masked) {
  const n = payload.length;
  const head = [(fin ? 0x80 : 0) | op];
  const bit = masked ? 0x80 : 0;
  if (n < 126) head.push(bit | n);
  else if (n < 65536) head.push(bit | 126, n >> 8, n & 255);
  else head.push(bit | 127, 0, 0, 0, 0, (n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
  if (!masked) return Buffer.concat([Buffer.from(head), payload]);
  const key = Buffer.from([random(256), random(256), random(256), random(256)]);
  const body = Buffer.from(payload);
  for (let i = 0; i < n; i++) body[i] ^= key[i & 3];
  return Buffer.concat([Buffer.from(head), key, body]);
}

// Whole frames out of any pieces: { op, fin, payload (unmasked), raw }.
class Frames {
  constructor() { this.rest = Buffer.alloc(0); }

  feed(bytes) {
    const list = [];
    let b = this.rest.length ? Buffer.concat([this.rest, bytes]) : bytes;
    for (;;) {
      const f = Frames.first(b);
      if (!f) break;
      list.push(f);
      b = b.subarray(f.raw.length);
    }
    this.rest = b;
    return list;
  }

  static first(b) {
    if (b.length < 2) return null;
    let n = b[1] & 0x7f, at = 2;
    const masked = (b[1] & 0x80) !== 0;
    if (n === 126) { if (b.length < 4) return null; n = b.readUInt16BE(2); at = 4; }
    else if (n === 127) { if (b.length < 10) return null; n = Number(b.readBigUInt64BE(2)); at = 10; }
    const key = masked ? b.subarray(at, at + 4) : null;
    at += masked ? 4 : 0;
    if (b.length < at + n) return null;
    const payload = Buffer.from(b.subarray(at, at + n));
    if (masked) for (let i = 0; i < n; i++) payload[i] ^= key[i & 3];
    return { op: b[0] & 15, fin: (b[0] & 0x80) !== 0, payload, raw: b.subarray(0, at + n) };
  }
}

// One direction of one connection: an HTTP head, then frames when it was an upgrade.
class Way {
  constructor(from, to, o) {
    Object.assign(this, { to, frames: null, head: Buffer.alloc(0), queue: [], queued: 0, busy: false }, o);
    from.on('data', (bytes) => this.data(bytes));
    from.on('end', () => { this.ended = true; this.drain(); });
    from.on('error', () => to.destroy());
  }

  data(bytes) {
    if (this.frames) return this.pass(this.frames.feed(bytes));
    if (this.plain) return this.send(bytes);
    this.head = Buffer.concat([this.head, bytes]);
    const end = this.head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const rest = this.head.subarray(end + 4);
    const upgrade = /\r\nupgrade: *websocket/i.test(this.head.toString('latin1', 0, end));
    this.send(this.head.subarray(0, end + 4));
    if (upgrade) this.frames = new Frames();
    else this.plain = true;
    if (rest.length) this.data(rest);
  }

  pass(list) {
    for (const f of list) {
      if (this.see) this.see(f);
      if (!this.tear || f.op > 2 || !f.fin || f.op === 0) { this.send(f.raw); continue; }
      this.send(this.torn(f));
    }
  }

  torn(f) {
    const parts = [];
    let at = 0, op = f.op;
    while (at < f.payload.length || op) {
      const left = f.payload.length - at;
      const n = parts.length >= 8 ? left : Math.min(left, random(4) === 0 ? 0 : 1 + random(400));
      const fin = at + n === f.payload.length;
      parts.push(frame(op, fin, f.payload.subarray(at, at + n), this.masked));
      op = 0;
      at += n;
      if (fin) break;
      if (random(2)) parts.push(frame(9, true, Buffer.alloc(random(126), 'p'), this.masked));
    }
    return Buffer.concat(parts);
  }

  send(bytes) {
    this.queue.push(bytes);
    this.queued += bytes.length;
    if (!this.busy) this.drain();
  }

  drain() {
    this.busy = false;
    if (this.to.destroyed) return;
    if (!this.queue.length) { if (this.ended) this.to.end(); return; }
    const first = this.queue[0];
    const n = !this.tear ? first.length : Math.min(first.length, this.queued > BACKLOG ? 64 : 1);
    this.to.write(first.subarray(0, n));
    this.queued -= n;
    if (n === first.length) this.queue.shift(); else this.queue[0] = first.subarray(n);
    this.busy = true;
    if (this.tear) setImmediate(() => this.drain()); else this.drain();
  }
}

// A session of a model that gets one of the cases.
class Session {
  constructor() { this.sounds = 0; }

  heard(f, back) { // what the node says
    const text = f.op === 1 ? f.payload.toString('latin1') : '';
    if (!this.seen && text.includes('"session.update"')) {
      this.seen = true;
      this.case = fs.existsSync(plan.arm) ? cases.shift() : undefined;
    }
    this.sounds += text.includes('input_audio_buffer.append') ? 1 : 0;
    if (this.case && this.sounds >= 3 && !this.sent) {
      this.sent = true;
      back.send(Buffer.from(this.case.bytes, 'latin1'));
    }
    if (this.sent && f.op === 8 && this.code === undefined)
      this.code = f.payload.length >= 2 ? f.payload.readUInt16BE(0) : 1005;
  }

  over() {
    if (this.sent && !this.told) {
      this.told = true;
      say({ case: this.case.name, code: this.code, gone: true });
    }
  }
}

const server = net.createServer({ allowHalfOpen: true }, (client) => {
  const target = net.connect({ host: '127.0.0.1', port: plan.port, allowHalfOpen: true });
  const session = new Session();
  for (const s of [client, target]) s.setNoDelay(true);
  const toServer = plan.towards === 'server';
  const back = new Way(target, client, { tear: plan.tear && !toServer, masked: false });
  new Way(client, target, { tear: plan.tear && toServer, masked: true,
    see: plan.cases && ((f) => session.heard(f, back)) });
  client.on('close', () => { session.over(); target.destroy(); });
  target.on('close', () => client.destroy());
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`port ${server.address().port}\n`));
