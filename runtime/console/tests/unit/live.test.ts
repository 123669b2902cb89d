// SPDX-License-Identifier: Apache-2.0
// The calls that go on: what facts make of them, also twice, also five hundred of them.
import { describe, expect, it } from "vitest";
import type { Fact } from "../../src/api/events";
import type { LiveScreen } from "../../src/api/types";
import { apply, boardOf, inOrder, peopleOf, type LiveRow } from "../../src/pages/live/board";
import { merged } from "../../src/pages/live/transcript";
import { recent, sameRows, since, type Told } from "../../src/pages/live/use";

const row = (call: string, more: Partial<LiveRow> = {}): LiveRow => ({
  call, agent: "plumbing", version: "v1", from: "+13125550100", to: "+13125550101", state: "live", system: "openai", node: "n1", here: true,
  started_at: "2026-11-27T20:00:00.000Z", seconds: 5, emergency: null, last_words: null, ...more,
});
const screen = (...items: LiveRow[]): LiveScreen => ({ at_unix_ms: 0, calls: items.length, left_out: 0, next: null, elsewhere_reason: null, items });
const turn = (call: string, seq: number, text: string): Fact => ({ type: "turn", call, seq, role: "caller", text, at_ms: seq * 1000 });

describe("the agent's people", () => {
  it("are who can be rung, with what is shown of their numbers", () => {
    expect(peopleOf({ people: { on_call: ["+1…88", "+1…89"], office: "+1…01" } })).toEqual([
      { name: "on_call", numbers: ["+1…88", "+1…89"] },
      { name: "office", numbers: ["+1…01"] },
    ]);
    for (const none of [undefined, {}, { people: null }, { people: [] }, { people: "x" }]) expect(peopleOf(none)).toEqual([]);
  });
});

describe("the board of live calls", () => {
  it("begins a call with its first fact, and ends it with its last", () => {
    let board = apply(new Map(), [{ type: "state", call: "CA1", agent: "plumbing", from: "+1312", state: "connecting", at_ms: 0 }], 0);
    expect(board.get("CA1")).toMatchObject({ from: "+1312", state: "connecting", system: null, started_at: "1970-01-01T00:00:00.000Z" });
    board = apply(board, [{ type: "state", call: "CA1", state: "live" }]);
    expect(board.get("CA1")!.state).toBe("live");
    expect(apply(board, [{ type: "ended", call: "CA1" }]).size).toBe(0);
  });

  it("does not wake a call with what is told after its end", () => {
    const late: Fact[] = [{ type: "state", call: "CA1", state: "ended" }, { type: "usage", call: "CA1" }, { type: "webhook", call: "CA1", status: "completed" }, { type: "recording", call: "CA1" }];
    expect(apply(new Map(), late).size).toBe(0);
  });

  it("keeps who is with a person, until the carrier says that it is over", () => {
    let board = boardOf(screen(row("CA1", { state: "leaving" })));
    expect(board.get("CA1")!.state).toBe("leaving");
    board = apply(board, [{ type: "ended", call: "CA1" }]);
    expect(board.size).toBe(1);
    expect(apply(board, [{ type: "webhook", call: "CA1", status: "completed" }]).size).toBe(0);
  });

  it("keeps who is put through to a person, and has them back when nobody took them", () => {
    const put: Fact[] = [{ type: "transfer", call: "CA1", state: "asked" }, { type: "state", call: "CA1", state: "closing" }, { type: "ended", call: "CA1", reason: "transferred" }, { type: "state", call: "CA1", state: "ended" }];
    const board = apply(boardOf(screen(row("CA1"))), put);
    expect(board.get("CA1")!.state).toBe("leaving");
    expect(apply(board, [{ type: "state", call: "CA1", state: "live" }]).get("CA1")!.state).toBe("live");
    expect(apply(boardOf(screen(row("CA1"))), [put[0]!, { type: "transfer", call: "CA1", state: "refused" }]).get("CA1")!.state).toBe("live");
  });

  it("takes facts twice, and older ones, without going back", () => {
    const once = apply(boardOf(screen(row("CA1"))), [turn("CA1", 1, "Hello"), turn("CA1", 2, "gas!")]);
    const twice = apply(once, [turn("CA1", 1, "Hello")]);
    expect(twice.get("CA1")!.last_words!.text).toBe("gas!");
  });

  it("puts what nobody has confirmed on top, and lets it down when somebody has it", () => {
    let board = boardOf(screen(row("CA1", { started_at: "2026-11-27T19:00:00Z" }), row("CA2")));
    board = apply(board, [{ type: "triage", call: "CA2", rule: "gas-leak", severity: "life", state: "open", at_ms: 4000 }]);
    expect(inOrder(board).map((r) => r.call)).toEqual(["CA2", "CA1"]);
    expect(board.get("CA2")!.emergency).toMatchObject({ rule: "gas-leak", state: "open", since: "2026-11-27T20:00:04.000Z" });
    board = apply(board, [{ type: "triage", call: "CA2", rule: "gas-leak", state: "handled" }]);
    expect(board.get("CA2")!.emergency).toMatchObject({ state: "handled", severity: "life", since: "2026-11-27T20:00:04.000Z" });
  });

  it("follows a fail-over", () => {
    const board = apply(boardOf(screen(row("CA1"))), [{ type: "failover", call: "CA1", from_system: "openai", to_system: "vapi" }]);
    expect(board.get("CA1")!.system).toBe("vapi");
  });

  it("leaves the rows of 500 calls as they are, but for the one that was told of", () => {
    const all = Array.from({ length: 500 }, (_, i) => row(`CA${i}`));
    const board = boardOf(screen(...all));
    const next = apply(board, [turn("CA7", 3, "yes"), { type: "usage", call: "CA9" }]);
    expect([...next].filter(([call, r]) => r !== board.get(call)).map(([call]) => call)).toEqual(["CA7"]);
    expect(apply(next, [{ type: "usage", call: "CA9" }])).toBe(next);
    const again = sameRows(next, boardOf(screen(...all.map((r) => ({ ...r, seconds: 9 })))));
    expect([...again].filter(([call, r]) => r !== next.get(call)).map(([call]) => call)).toEqual(["CA7"]);
  });
});

describe("facts that come while /live is asked", () => {
  const at = (ms: number, fact: Fact): Told => ({ fact, at: ms });

  it("are put over its answer, however long that takes", () => {
    const told = [at(1_000, turn("CA1", 1, "hello")), at(10_000, { type: "ended", call: "CA1" }), at(14_000, turn("CA2", 7, "yes"))];
    const board = apply(boardOf(screen(row("CA1"), row("CA2"))), since(told, 9_500)); // asked then, answered at 15 s
    expect([...board.keys()]).toEqual(["CA2"]);
    expect(board.get("CA2")!.last_words!.text).toBe("yes");
  });

  it("are not kept for ever, also when /live is never answered", () => {
    let told: Told[] = [];
    for (let ms = 0; ms < 3_600_000; ms += 100) told = recent(told, at(ms, turn("CA1", 1, "on and on")));
    expect(told.length).toBeLessThan(1000);
    expect(told.some((t) => t.at === 3_600_000 - 59_000)).toBe(true);
  });
});

describe("a live transcript", () => {
  it("has each turn once, in order, as it was told last", () => {
    const said = (turnNumber: number, text: string) => ({ turn: turnNumber, role: "caller", text, interrupted: false, withheld: false });
    expect(merged([said(1, "a"), said(3, "c")], [said(3, "c!"), said(2, "b")]).map((t) => t.text)).toEqual(["a", "b", "c!"]);
  });
});
