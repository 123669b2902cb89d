// SPDX-License-Identifier: Apache-2.0
// Our WebSocket code against the npm package `ws`, which shares nothing with it: `ws` as client of
// our server, and as server of our client; plain and TLS.
//   node ws.mjs PATH-TO-ws_peer
import { test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { tmpdir } from "node:os";
import WebSocket, { WebSocketServer } from "ws";

const peerProgram = process.env.WS_PEER ?? process.argv[2];
const dir = mkdtempSync(join(tmpdir(), "ringdown-interop-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

const file = (name) => join(dir, name);
const openssl = (...args) => execFileSync("openssl", args, { stdio: "pipe" });
function makeAuthority(name) {
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
    "-subj", `/CN=${name}`, "-keyout", file(`${name}.key`), "-out", file(`${name}.pem`));
}
function makeCertificate(name, authority, names) {
  writeFileSync(file(`${name}.ext`), `subjectAltName=${names}\n`);
  openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${name}`,
    "-keyout", file(`${name}.key`), "-out", file(`${name}.csr`));
  openssl("x509", "-req", "-in", file(`${name}.csr`), "-CA", file(`${authority}.pem`), "-CAkey",
    file(`${authority}.key`), "-set_serial", "7", "-days", "1", "-extfile", file(`${name}.ext`),
    "-out", file(`${name}.pem`));
}
makeAuthority("ca");
makeAuthority("other");
makeCertificate("here", "ca", "DNS:localhost,IP:127.0.0.1");
makeCertificate("elsewhere", "ca", "DNS:elsewhere.example");

// Our program, with its lines as a queue.
function startPeer(...args) {
  const child = spawn(peerProgram, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = [];
  const waiting = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const next = waiting.shift();
    if (next) next(line);
    else lines.push(line);
  });
  const line = () => lines.length ? Promise.resolve(lines.shift()) : new Promise((go) => waiting.push(go));
  const end = async () => {
    child.stdin.end();
    const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
    assert.equal(code, 0, "ws_peer ends clean");
  };
  return { line, end };
}

const text = async (ws) => {
  const [data, isBinary] = await once(ws, "message");
  assert.equal(isBinary, false);
  return data.toString();
};
const closed = async (ws) => {
  const [code, reason] = await once(ws, "close");
  return `${code} ${reason}`;
};
const megabyte = "0123456789abcdeé".repeat(65536).slice(0, 1 << 20);

// What both directions have in common; `ws` is the foreign end, open already.
async function converse(ws) {
  ws.send("hello");
  assert.equal(await text(ws), "hello");
  ws.send("");
  assert.equal(await text(ws), "");
  ws.send("na\u00efve \u20ac \u{1F600}");
  assert.equal(await text(ws), "na\u00efve \u20ac \u{1F600}");

  for (const n of [124, 125, 126, 127, 65535, 65536, 65537]) {
    ws.send("x".repeat(n));
    assert.equal((await text(ws)).length, n);
  }
  ws.send(megabyte);
  assert.equal(await text(ws), megabyte);

  ws.send("frag", { fin: false });
  ws.ping("between");
  ws.send("men", { fin: false });
  ws.send("", { fin: false });
  const [pong, whole] = await Promise.all([once(ws, "pong"), (ws.send("ted", { fin: true }), text(ws))]);
  assert.equal(pong[0].toString(), "between");
  assert.equal(whole, "fragmented");

  const ping = Buffer.alloc(125, 7);
  ws.ping(ping);
  assert.deepEqual((await once(ws, "pong"))[0], ping);
  ws.pong("unasked");

  const got = [];
  const all = new Promise((done) => {
    const collect = (data) => {
      got.push(data.toString());
      if (got.length === 500) {
        ws.off("message", collect);
        done();
      }
    };
    ws.on("message", collect);
  });
  for (let i = 0; i < 500; i++) ws.send(`message ${i}`);
  await all;
  got.forEach((m, i) => assert.equal(m, `message ${i}`));
}

for (const tls of [false, true]) {
  const kind = tls ? "over TLS" : "plain";
  const scheme = tls ? "wss://localhost" : "ws://127.0.0.1";

  test(`ws as client of our server, ${kind}`, { timeout: 60000 }, async (t) => {
    const peer = startPeer("serve", ...(tls ? [file("here.pem"), file("here.key")] : []));
    const port = (await peer.line()).split(" ")[1];
    // The peer listens on IPv4 only, and "localhost" may be IPv6 first.
    const options = { family: 4, ...(tls && { ca: readFileSync(file("ca.pem")) }) };
    const connect = async (path = "/", more = {}) => {
      const ws = new WebSocket(`${scheme}:${port}${path}`, { ...options, ...more });
      await once(ws, "open");
      return ws;
    };

    await t.test("talks", async () => {
      const ws = await connect();
      assert.equal(ws.extensions, "", "compression was offered and not taken");
      await converse(ws);
      ws.close(4002, "that is all \u20ac");
      assert.equal(await closed(ws), "4002 ");
      assert.equal(await peer.line(), "closed peer 4002 0 that is all \u20ac");
    });
    await t.test("closes with code and reason", async () => {
      const ws = await connect();
      ws.send("close 4001 because");
      assert.equal(await closed(ws), "4001 because");
      assert.equal(await peer.line(), "closed us 4001 0 ");
    });
    await t.test("answers a close without a code", async () => {
      const ws = await connect();
      ws.close();
      assert.equal(await closed(ws), "1005 ");
      assert.equal(await peer.line(), "closed peer 1005 0 ");
    });
    await t.test("refuses binary with 1003", async () => {
      const ws = await connect();
      ws.send(Buffer.from([1, 2, 3]));
      assert.equal(await closed(ws), "1003 ");
      assert.match(await peer.line(), /^closed protocol 1003 /);
    });
    await t.test("refuses 5 MB with 1009", async () => {
      const ws = await connect();
      ws.on("error", () => {});
      ws.send("x".repeat(5 << 20));
      assert.equal(await closed(ws), "1009 ");
      assert.match(await peer.line(), /^closed protocol 1009 /);
    });
    await t.test("notices a connection that breaks", async () => {
      const ws = await connect();
      ws.terminate();
      assert.match(await peer.line(), /^closed lost 0 /);
    });
    await t.test("refuses a path with its status", async () => {
      const ws = new WebSocket(`${scheme}:${port}/refused`, options);
      const [, response] = await once(ws, "unexpected-response");
      assert.equal(response.statusCode, 403);
      response.resume();
    });
    await peer.end();
  });

  test(`ws as server of our client, ${kind}`, { timeout: 60000 }, async (t) => {
    const http = tls
      ? createTlsServer({ cert: readFileSync(file("here.pem")), key: readFileSync(file("here.key")) })
      : createServer();
    const server = new WebSocketServer({ server: http, perMessageDeflate: true,
      verifyClient: ({ req }, answer) => req.url === "/refused"
        ? answer(false, 429, "slow down, please") : answer(true) });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const { port } = http.address();
    const connect = async (path = "/") => {
      const peer = startPeer("connect", `${scheme}:${port}${path}`, ...(tls ? [file("ca.pem")] : []));
      const [ws] = await once(server, "connection");
      assert.equal(await peer.line(), "open");
      return { peer, ws };
    };

    await t.test("talks", async () => {
      const { peer, ws } = await connect("/v1?model=x");
      assert.equal(ws.extensions, "");
      await converse(ws);
      ws.close(4003, "bye");
      assert.equal(await closed(ws), "4003 ");
      assert.equal(await peer.line(), "closed peer 4003 0 bye");
      await peer.end();
    });
    await t.test("closes with code and reason", async () => {
      const { peer, ws } = await connect();
      ws.send("close 4004 enough");
      assert.equal(await closed(ws), "4004 enough");
      assert.equal(await peer.line(), "closed us 4004 0 ");
      await peer.end();
    });
    await t.test("notices a connection that breaks", async () => {
      const { peer, ws } = await connect();
      ws.terminate();
      assert.match(await peer.line(), /^closed lost 0 /);
      await peer.end();
    });
    await t.test("hears why it was refused", async () => {
      const peer = startPeer("connect", `${scheme}:${port}/refused`, ...(tls ? [file("ca.pem")] : []));
      assert.match(await peer.line(), /^closed refused 429 .*slow down, please$/);
      await peer.end();
    });
    if (tls) {
      await t.test("refuses a certificate of an unknown authority", async () => {
        const peer = startPeer("connect", `${scheme}:${port}/`, file("other.pem"));
        assert.match(await peer.line(), /^closed lost 0 -10011 .+/);
        await peer.end();
      });
      await t.test("refuses a certificate for another name", async () => {
        http.setSecureContext({ cert: readFileSync(file("elsewhere.pem")),
          key: readFileSync(file("elsewhere.key")) });
        const peer = startPeer("connect", `${scheme}:${port}/`, file("ca.pem"));
        assert.match(await peer.line(), /^closed lost 0 -10011 hostname mismatch/);
        await peer.end();
      });
    }
    server.close();
    http.close();
  });
}
