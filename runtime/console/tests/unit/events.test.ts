// SPDX-License-Identifier: Apache-2.0
// The stream of facts: silence, sleep, and what is strange in it.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { access } from "../../src/api/client";
import { connect, connection, disconnect, onFact, onGap, type Fact } from "../../src/api/events";

let sink: ReadableStreamDefaultController<Uint8Array>;
let asked: Headers[] = [];
const say = (text: string) => sink.enqueue(new TextEncoder().encode(text));
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("removeEventListener", () => {});
  asked = [];
  access.token = "rd_1";
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    asked.push(new Headers(init.headers));
    const body = new ReadableStream<Uint8Array>({ start: (c) => void (sink = c) });
    init.signal!.addEventListener("abort", () => sink.error(init.signal!.reason));
    return Promise.resolve(new Response(body));
  });
});
afterEach(async () => {
  disconnect();
  await settle();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the stream of facts", () => {
  it("is stale after forty seconds without a word, is given up then, and comes back behind what it had", async () => {
    const gap = vi.fn();
    const forget = onGap(gap);
    connect();
    await settle();
    say("id: 7\ndata: {\"type\":\"ended\"}\n\n");
    await settle();
    expect(connection.get().state).toBe("live");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(connection.get().state).toBe("live");
    await vi.advanceTimersByTimeAsync(11_000);
    expect(connection.get().state).toBe("stale");
    await vi.advanceTimersByTimeAsync(6_000);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(asked.length).toBe(2);
    expect(asked[1]!.get("last-event-id")).toBe("7");
    expect(connection.get().state).toBe("live");
    expect(gap).toHaveBeenCalled();
    forget();
  });

  it("is not taken for live after the machine has slept", async () => {
    connect();
    await settle();
    expect(connection.get().state).toBe("live");
    vi.setSystemTime(Date.now() + 600_000); // timers stood still
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connection.get().state).toBe("disconnected");
  });

  it("goes on after what is no fact, and after one that somebody cannot bear", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    const heard: Fact[] = [];
    const forget = [onFact((fact) => void (fact.type === "bad" && (null as unknown as Fact).type)), onFact((fact) => void heard.push(fact))];
    connect();
    await settle();
    say('data: null\n\ndata: 7\n\ndata: {"no":"type"}\n\ndata: {cut\n\ndata: {"type":"bad"}\n\ndata: {"type":"good"}\n\n');
    await settle();
    expect(heard.map((fact) => fact.type)).toEqual(["bad", "good"]);
    expect(connection.get().state).toBe("live");
    expect(complaint).toHaveBeenCalledOnce();
    forget.forEach((f) => f());
    complaint.mockRestore();
  });
});
