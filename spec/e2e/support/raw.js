// SPDX-License-Identifier: Apache-2.0
// raw.js - sockets that do exactly what a plan says, however rude. For raw.lua.
//
// stdin: { "port": N, "connections": [ { "times": N, "steps": [ … ] } ] }; bytes are latin1 text.
//   { "send": TEXT }                    one write
//   { "drip": TEXT, "every_ms": N }     one byte after the other
//   { "wait_ms": N }                    nothing, but read what comes
//   { "until": TEXT, "within_ms": N }   until that was received, the peer ended, or time is up
//   { "close_within_ms": N }            until the peer ended, or time is up
// stdout: a line "open" once all are connected, then one JSON array with a line per connection:
//   { "got": TEXT, "closed": the peer ended it, "reset": by a reset, "ms": its life }
'use strict';
const net = require('net');

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Peer {
  constructor(port) {
    this.got = '';
    this.closed = false;
    this.reset = false;
    this.born = Date.now();
    this.listeners = [];
    this.socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.socket.setNoDelay(true);
    this.socket.on('data', (bytes) => { this.got += bytes.toString('latin1'); this.wake(); });
    this.socket.on('end', () => this.end(false));
    this.socket.on('error', () => this.end(true));
    this.connected = new Promise((resolve) => {
      this.socket.once('connect', resolve);
      this.socket.once('error', resolve);
    });
  }

  end(reset) {
    if (this.closed) return;
    this.closed = true;
    this.reset = reset;
    this.ms = Date.now() - this.born;
    this.wake();
  }

  wake() { for (const f of this.listeners) f(); }

  write(text) { if (!this.closed && !this.socket.destroyed) this.socket.write(Buffer.from(text, 'latin1')); }

  // Resolves when `done()` is true, or the time is up.
  wait(ms, done) {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.listeners = this.listeners.filter((f) => f !== look);
        resolve();
      };
      const look = () => { if (done()) finish(); };
      const timer = setTimeout(finish, ms);
      this.listeners.push(look);
      look();
    });
  }

  async step(s) {
    if (s.send !== undefined) {
      this.write(s.send);
    } else if (s.drip !== undefined) {
      for (const byte of s.drip) {
        if (this.closed) return;
        this.write(byte);
        await sleep(s.every_ms);
      }
    } else if (s.wait_ms !== undefined) {
      await sleep(s.wait_ms);
    } else if (s.until !== undefined) {
      await this.wait(s.within_ms, () => this.closed || this.got.includes(s.until));
    } else {
      await this.wait(s.close_within_ms, () => this.closed);
    }
  }

  async run(steps) {
    for (const s of steps) await this.step(s);
    this.socket.destroy();
    return { got: this.got, closed: this.closed, reset: this.reset, ms: this.ms || Date.now() - this.born };
  }
}

async function main() {
  const plan = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const peers = [];
  for (const c of plan.connections)
    for (let i = 0; i < (c.times || 1); i++) peers.push({ peer: new Peer(plan.port), steps: c.steps });
  await Promise.all(peers.map((p) => p.peer.connected));
  process.stdout.write('open\n');
  const results = await Promise.all(peers.map((p) => p.peer.run(p.steps)));
  process.stdout.write(JSON.stringify(results) + '\n');
}

main();
