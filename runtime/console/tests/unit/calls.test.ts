// SPDX-License-Identifier: Apache-2.0
// A call as one reads it, and what the address asks for.
import { describe, expect, it } from "vitest";
import { fallOf, lineOf, offset, storyOf, topOf, type CallEvent } from "../../src/pages/calls/story";
import { queryOf } from "../../src/pages/calls";

const began = "2026-11-27T20:00:00.000Z";
const event = (type: string, body: Record<string, unknown>, s = 1, seq = "1"): CallEvent => ({ at: new Date(Date.parse(began) + s * 1000).toISOString(), epoch: "1", seq, type, body });

describe("the story of a call", () => {
  it("has both speakers, and what happened between them", () => {
    const lines = storyOf(
      [event("turn", { role: "caller", text: "I smell gas", seq: 2 }), event("usage", {}), event("triage", { rule: "gas-leak", severity: "life", state: "open", words: "I smell gas" }), event("tool", { name: "book", done: false, arguments: "{}" })],
      began,
    );
    expect(lines.map((l) => [l.who, l.kind, l.text, l.tone])).toEqual([
      ["caller", "", "I smell gas", null],
      [null, "triage", "gas-leak, life, open", "bad"],
      [null, "tool", "book", null],
    ]);
    expect(lines[0]!.offsetMs).toBe(1000);
  });

  it("tells what the caller did not hear, and nothing of words that were not kept", () => {
    expect(lineOf(event("turn", { role: "agent", text: "See you", said: "See you on Friday", interrupted: true }), began)).toMatchObject({ kind: "cut in", more: "said, and not heard whole: See you on Friday" });
    expect(lineOf(event("turn", { role: "caller", text: "x", withheld: "paused" }), began)!.text).toBe("(not kept)");
  });

  it("does not stumble over facts that say less than they should, or are unknown", () => {
    for (const type of ["turn", "tool", "triage", "triage_step", "webhook", "decision", "text", "failover", "resumed", "ended", "made_up", "constructor"]) expect(() => lineOf(event(type, {}), null)).not.toThrow();
  });

  it("says how far into the call it was", () => {
    expect([offset(65_340), offset(0), offset(-1500), offset(59_960), offset(null)]).toEqual(["1:05.3", "0:00.0", "−0:01.5", "1:00.0", "–"]);
  });
});

describe("what the caller waited for", () => {
  const wait = (more: object) => ({ turn: 3, epoch: "1", seq: "9", interrupted: false, caller_stopped_at: began, first_text_ms: 600, first_audio_ms: 900, tool_ms: 150, tools: [{ id: "c", name: "look", after_ms: 250, ms: 150 }], ...more });

  it("is drawn on one scale from zero", () => {
    expect(topOf([wait({}), wait({ first_audio_ms: 2300 })])).toBe(2500);
    expect(fallOf(wait({}), 1000).bars).toEqual([
      { from: 0, to: 600, what: "wait", name: "first words" },
      { from: 600, to: 900, what: "speech", name: "first sound" },
      { from: 250, to: 400, what: "tool", name: "look" },
    ]);
  });

  it("leaves out what is not known", () => {
    const fall = fallOf(wait({ first_text_ms: null, first_audio_ms: null, tools: [] }), 1000);
    expect([fall.bars, fall.text]).toEqual([[], "no sound"]);
  });
});

describe("the address of a search", () => {
  it("is what the API is asked, and no more", () => {
    const query = new URLSearchParams("text=gas&emergency=true&booked=false&evil=1&agent=&since=2026-11-01T00:00:00Z");
    expect(queryOf(query)).toEqual({ limit: 50, text: "gas", emergency: true, since: "2026-11-01T00:00:00Z" });
  });
});
