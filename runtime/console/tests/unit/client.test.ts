// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { access, addressOf, ask } from "../../src/api/client";
import { Problem } from "../../src/api/problem";

type Reply = Response | Error;
let replies: Reply[] = [];
let asked: { url: string; init: RequestInit }[] = [];

const json = (value: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": status < 400 ? "application/json" : "application/problem+json", ...headers } });
const refused = (status: number, title: string, more: object = {}, headers = {}) => json({ type: "https://ringdown.dev/problems/x", title, status, ...more }, status, headers);

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  access.token = "rd_1";
  access.onUnauthorized = null;
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    asked.push({ url, init });
    const reply = replies.shift() ?? new TypeError("no more replies");
    return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply);
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function settled<T>(promise: Promise<T>): Promise<T | Problem> {
  const caught = promise.catch((why: unknown) => why as Problem);
  await vi.runAllTimersAsync();
  return caught;
}

describe("a question", () => {
  it("goes to its address with the session's token", async () => {
    replies = [json({ items: [], next: null }, 200, { etag: '"7"' })];
    const answer = await ask("GET /calls", { query: { agent: "a b", limit: 5, text: "" } });
    expect(asked[0]!.url).toBe("/api/v1/calls?agent=a+b&limit=5");
    expect(asked[0]!.init.headers).toMatchObject({ authorization: "Bearer rd_1" });
    expect(answer.etag).toBe('"7"');
  });

  it("keeps the plus of a number and nothing that would lead elsewhere", () => {
    expect(addressOf("GET /numbers/{number}", { path: { number: "+13125550100" } })).toBe("/api/v1/numbers/+13125550100");
    expect(addressOf("GET /calls/{call}", { path: { call: "../x?y" } })).toBe("/api/v1/calls/..%2Fx%3Fy");
    expect(() => addressOf("GET /calls/{call}", { path: { call: "" } })).toThrow("call is missing");
  });

  it("is asked again when nobody answers or the node is busy, and then answered", async () => {
    replies = [new TypeError("failed"), refused(503, "Busy", {}, { "retry-after": "1" }), json({ who: "me" })];
    expect(await settled(ask("GET /me"))).toMatchObject({ data: { who: "me" } });
    expect(asked.length).toBe(3);
  });

  it("is given up after two more, with a sentence", async () => {
    replies = [];
    const why = (await settled(ask("GET /me"))) as Problem;
    expect(asked.length).toBe(3);
    expect(why.sentence).toMatch(/^The node does not answer\. It may be restarting/);
  });

  it("that is wrong is not asked again", async () => {
    replies = [refused(422, "The request is not what this route takes", { errors: [{ at: "body.to", message: 'must be "a"' }], fix: "look at docs/api.md" })];
    const why = (await settled(ask("GET /me"))) as Problem;
    expect(asked.length).toBe(1);
    expect(why.what).toBe('The request is not what this route takes. To must be "a".');
    expect(why.remedy).toBe("Look at docs/api.md.");
  });

  it("is not told of what a proxy says", async () => {
    replies = Array.from({ length: 3 }, () => new Response("<html>Bad gateway", { status: 502 }));
    const why = (await settled(ask("GET /me"))) as Problem;
    expect(why.what).toBe("The node behind the proxy does not answer.");
  });

  it("that nobody wants any more ends without a problem", async () => {
    const stop = new AbortController();
    vi.stubGlobal("fetch", (_: string, init: RequestInit) => new Promise((_r, no) => init.signal!.addEventListener("abort", () => no(init.signal!.reason as Error))));
    const promise = ask("GET /me", { signal: stop.signal });
    stop.abort();
    await expect(promise).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("a change", () => {
  it("is made from what was seen, once", async () => {
    replies = [json({ job: "1" }, 202)];
    await ask("POST /numbers/switch", { body: { to: "ringdown", numbers: ["+13125550100"] }, once: "k", ifMatch: '"3"' });
    expect(asked[0]!.init.headers).toMatchObject({ "idempotency-key": "k", "if-match": '"3"', "content-type": "application/json" });
  });

  it("is never made twice by itself", async () => {
    replies = [new TypeError("failed")];
    const why = (await settled(ask("POST /numbers/sync"))) as Problem;
    expect(asked.length).toBe(1);
    expect(why.sentence).toMatch(/may have been made or not\. Look at how it is now/);
  });

  it("tells the session that it is over", async () => {
    const told = vi.fn();
    access.onUnauthorized = told;
    replies = [refused(401, "This needs a token that is good")];
    await settled(ask("POST /numbers/sync"));
    expect(told).toHaveBeenCalledOnce();
  });
});

describe("an answer that is cut off", () => {
  const cut = (text: string) =>
    new Response(new ReadableStream({ start: (c) => (c.enqueue(new TextEncoder().encode(text)), c.error(new TypeError("network error"))) }), { headers: { "content-type": "application/json" } });

  it("to a question is no answer: it is asked again", async () => {
    replies = [cut('{"who":'), new Response('{"who":', { headers: { "content-type": "application/json" } }), json({ who: "me" })];
    expect(await settled(ask("GET /me"))).toMatchObject({ data: { who: "me" } });
  });

  it("to a change leaves open whether it was made, and says so", async () => {
    replies = [cut('{"job"')];
    const why = (await settled(ask("POST /numbers/sync"))) as Problem;
    expect(why.sentence).toMatch(/may have been made or not/);
  });
});

describe("a refusal of somebody's old token", () => {
  it("does not end the session that came after it", async () => {
    const told = vi.fn();
    access.onUnauthorized = told;
    let refuse: (r: Response) => void = () => {};
    vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => (refuse = resolve)));
    const asked = settled(ask("GET /me"));
    access.token = "rd_2";
    refuse(refused(401, "This needs a token that is good"));
    await asked;
    expect(told).not.toHaveBeenCalled();
  });
});
