// SPDX-License-Identifier: Apache-2.0
// Whatever goes wrong is one sentence that says what happened and one that says what to do; of a change also whether
// it was made.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { access, ask } from "../../src/api/client";
import { asProblem, Problem } from "../../src/api/problem";

type Reply = { status: number; body?: string; retryAfter?: string } | Error;
let reply: Reply = new TypeError("failed");
let asked = 0;

beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    asked++;
    if (reply instanceof Error && reply.name === "hang")
      return new Promise((_resolve, reject) => init.signal!.addEventListener("abort", () => reject(init.signal!.reason as Error)));
    if (reply instanceof Error) return Promise.reject(reply);
    return Promise.resolve(new Response(reply.body ?? "", { status: reply.status, headers: { "content-type": "application/problem+json", ...(reply.retryAfter ? { "retry-after": reply.retryAfter } : {}) } }));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function why(question: () => Promise<unknown>): Promise<Problem> {
  const caught = question().then(
    () => null,
    (e: unknown) => e,
  );
  await vi.runAllTimersAsync();
  return asProblem(await caught);
}

const hang = () => Object.assign(new Error("hang"), { name: "hang" });
const ours = (status: number, title: string, fix: string) => ({ status, body: JSON.stringify({ title, status, fix }) });

// what happens, what is said of a question, how often it is asked, what is said of a change
const table: [string, () => Reply, RegExp, number, RegExp][] = [
  ["the node is gone", () => new TypeError("connection refused"), /^The node does not answer\. It may be restarting .* Calls do not depend on it\.$/, 3, /^The node does not answer\. The change may have been made or not\. Look at how it is now before you do it again\.$/],
  ["the role is too low", () => ours(403, "This needs another role", "ringdown tokens create NAME --role admin makes one"), /^This needs another role\. Ringdown tokens create NAME --role admin makes one\.$/, 1, /^This needs another role\./],
  ["somebody was faster", () => ours(409, "It was not done", "look at it again"), /^It was not done\. Look at it again\.$/, 1, /^It was not done\. Look at it again\.$/],
  ["it changed meanwhile", () => ours(412, "It has changed since", "look at `current`"), /^It has changed since\. /, 1, /^It has changed since\. /],
  ["too many ask", () => ({ ...ours(429, "Too many requests", "ask less often"), retryAfter: "1" }), /^Too many requests\. Ask less often\.$/, 3, /^Too many requests\./],
  ["the node broke", () => ours(500, "Something went wrong here", "look at the node's log"), /^Something went wrong here\. Look at the node's log\.$/, 1, /^Something went wrong here\./],
  ["a proxy's page", () => ({ status: 502, body: "<html><script>alert(1)</script>" }), /^The node behind the proxy does not answer\. Try again; if it goes on, look at the node's log\.$/, 3, /^The node behind the proxy does not answer\./],
  ["the database is away", () => ({ ...ours(503, "The database is away", "ask again"), retryAfter: "60" }), /^The database is away\. Ask again\.$/, 1, /^The database is away\./],
];

describe("what goes wrong", () => {
  it.each(table)("%s: says what happened and what to do", async (_name, make, question, times, change) => {
    reply = make();
    expect((await why(() => ask("GET /calls"))).sentence).toMatch(question);
    expect(asked).toBe(times);
    asked = 0;
    expect((await why(() => ask("POST /nodes/{node}/drain", { path: { node: "n1" } }))).sentence).toMatch(change);
    expect(asked).toBe(1); // a change is never made again by itself
  });

  it("too slow: a question is given up in time, a change may have been made", async () => {
    vi.useRealTimers();
    reply = hang();
    const slow = await ask("GET /calls", { timeoutMs: 20 }).catch((e: unknown) => asProblem(e));
    expect((slow as Problem).what).toBe("There was no answer within 0 s.");
    const change = await ask("POST /nodes/{node}/drain", { path: { node: "n1" }, timeoutMs: 20 }).catch((e: unknown) => asProblem(e));
    expect((change as Problem).what).toContain("The change may have been made or not.");
  });

  it("a session that is over ends it, once, whatever was asked", async () => {
    reply = ours(401, "This token is unknown, expired or revoked", "make another");
    const told: string[] = [];
    access.onUnauthorized = (p) => told.push(p.what);
    await why(() => ask("POST /nodes/{node}/drain", { path: { node: "n1" } }));
    expect(told).toEqual(["This token is unknown, expired or revoked."]);
    expect(asked).toBe(1);
    access.onUnauthorized = null;
  });
});
