// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { backoff } from "../../src/api/events";
import { SseParser, type Message } from "../../src/api/sse";

const wire = ': hello\nretry: 2000\n\nid: 7\ndata: {"type":"turn"}\n\nevent: missed\r\ndata: {"from":1,\r\ndata: "to":2}\r\n\r\nid: 8\ndata: ä\n\n';

function parse(pieces: string[]): [Message[], SseParser] {
  const parser = new SseParser();
  return [pieces.flatMap((p) => parser.feed(p)), parser];
}

describe("an event stream", () => {
  it("is read whole", () => {
    const [messages, parser] = parse([wire]);
    expect(messages).toEqual([
      { event: "message", data: '{"type":"turn"}', id: "7" },
      { event: "missed", data: '{"from":1,\n"to":2}', id: null },
      { event: "message", data: "ä", id: "8" },
    ]);
    expect([parser.retryMs, parser.lastId]).toEqual([2000, "8"]);
  });

  it("says the same in pieces of any size", () => {
    const whole = parse([wire])[0];
    for (let n = 1; n < 12; n++) expect(parse(wire.match(new RegExp(`[^]{1,${n}}`, "g"))!)[0]).toEqual(whole);
  });

  it("that never ends a message is given up", () => {
    const parser = new SseParser();
    expect(() => {
      for (let i = 0; i < 100; i++) parser.feed("x".repeat(20_000));
    }).toThrow("longer than a megabyte");
  });

  it("is asked for again later and later, within bounds", () => {
    const waits = Array.from({ length: 12 }, (_, i) => backoff(i, 0.5));
    expect(waits.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
    expect(Math.max(...waits)).toBe(30_000);
    expect(backoff(50, 1)).toBeLessThanOrEqual(37_500);
  });
});
