// SPDX-License-Identifier: Apache-2.0
// What switches would write, as it is shown before: rollouts, numbers; and who was faster.
import { describe, expect, it } from "vitest";
import { sayWho, whoWasFaster } from "../../src/api/changed";
import { Problem } from "../../src/api/problem";
import type { Job, RolloutChanged, RolloutWithGuards } from "../../src/api/types";
import { isWell, planOf as numbersPlan, sumOf } from "../../src/numbers/plan";
import { findingsOf, intervalText, movesText, planOf, share, verbsOf, wayTo, withStage } from "../../src/rollout/plan";

const stage = (name: string, percent_bp: number, is: "past" | "now" | "next") => ({ name, percent_bp, percent: "", is, bake_s: percent_bp ? 86_400 : null, min_canary: percent_bp ? 50 : null, min_baseline: percent_bp && percent_bp < 10_000 ? 50 : percent_bp ? 0 : null });
const track = [stage("pilot", 0, "past"), stage("25", 2500, "now"), stage("50", 5000, "next"), stage("100", 10_000, "next")];

describe("the share of a rollout", () => {
  it("goes back at once, and forward by one stage", () => {
    expect(wayTo(2500, 2500, track).how).toBe("none");
    expect(wayTo(1000, 2500, track).how).toBe("back");
    expect(wayTo(5000, 2500, track).how).toBe("advance");
    expect(wayTo(3000, 2500, track).how).toBe("insert");
    expect(wayTo(10_000, 2500, track).how).toBe("too-far");
    expect(wayTo(10_000, 5000, track.slice(0, 2)).how).toBe("too-far");
  });

  it("gets a stage of its own before the next one, which asks for as much", () => {
    const stages = withStage(track, 3000, track[2]!);
    expect(stages.map((s) => s.percent_bp)).toEqual([0, 2500, 3000, 5000, 10_000]);
    expect(stages[2]).toEqual({ name: "30", percent_bp: 3000, bake_s: 86_400, min_canary: 50, min_baseline: 50 });
    expect(stages[0]).toEqual({ name: "pilot", percent_bp: 0 });
    expect(withStage(track, 7550, track[3]!)[3]).toMatchObject({ name: "75.5", min_baseline: 50 }); // 100 % has nobody to compare with, 75.5 % has
  });

  it("is written with as many digits as it has", () => {
    expect([share(2500), share(1250), share(1), share(null)]).toEqual(["25 %", "12.5 %", "0.01 %", "–"]);
  });

  it("names who would move", () => {
    expect(movesText({ callers: 61, days: 30, n_to_openai: 12, n_to_vapi: 0 })).toBe("Of the 61 callers of the last 30 days, 12 would move to OpenAI; the others stay where they are.");
    expect(movesText({ callers: 1, days: 30, n_to_openai: 0, n_to_vapi: 0 })).toBe("None of the 1 caller of the last 30 days would change sides.");
  });

  it("offers only what the node takes in that state", () => {
    expect(verbsOf("running")).toContain("hold");
    expect(verbsOf("paused")).not.toContain("advance");
    expect(verbsOf("killed")).toEqual([]);
  });

  it("shows of a dry run what differs, and no more", () => {
    const answer = { agent: "a", version: null, next_call: "The next call …", state: "running", stage: "50", percent_bp: 5000, dry_run: true, was: { state: "running", stage: "25", percent_bp: 2500 }, notes: ["slow"] } as unknown as RolloutChanged;
    const plan = planOf(answer);
    expect(plan.changes.map((c) => [c.what, c.before, c.after])).toEqual([
      ["Stage", "25", "50"],
      ["Share that meets OpenAI", "25 %", "50 %"],
    ]);
    expect(plan.warnings).toEqual(["slow"]);
    const freed = planOf({ state: "running", stage: "25", percent_bp: 2500, forced: "off", was: { state: "killed", stage: "25", percent_bp: 2500, forced: "vapi" }, next_call: "…" });
    expect(freed.changes.map((c) => [c.what, c.before, c.after])).toEqual([
      ["State", "forced to Vapi", "running"],
      ["Forced to", "Vapi", "nothing"],
    ]);
  });
});

describe("guards", () => {
  it("have canary and baseline with n, and the interval; what is missing is not zero", () => {
    const found = findingsOf({
      findings: [
        { guard: "error_end", verdict: "inconclusive", text: "calls ended by a fault: …", numbers: { k_canary: 2, n_canary: 61, k_baseline: 1, n_baseline: 180, difference: 0.027, low: -0.008, high: 0.1, limit: 0.05 } },
        { guard: "crowd_of_20", verdict: "rollback", text: "8 of 20", numbers: { failed: 8, of: 20, limit: 7 } },
        { guard: "latency", verdict: "pass", text: "first words", numbers: { k: 0, n: 40 } },
      ],
    } as unknown as RolloutWithGuards);
    expect(found[0]).toMatchObject({ canary: { k: 2, n: 61 }, baseline: { k: 1, n: 180 }, interval: { difference: 0.027 } });
    expect(intervalText(found[0]!.interval!)).toBe("+2.7 points, between −0.8 and +10.0");
    expect(found[1]).toMatchObject({ canary: null, baseline: null, interval: null });
    expect(found[2]).toMatchObject({ canary: { k: 0, n: 40 }, baseline: null });
  });

  it("show what was counted before there is enough of it to judge", () => {
    const found = findingsOf({ findings: [], evidence: { openai: { metrics: { error_end: { k: 1, n: 7 } } }, vapi: {} } } as unknown as RolloutWithGuards);
    expect(found).toEqual([{ guard: "error_end", verdict: "too few", text: "calls ended by a fault", canary: { k: 1, n: 7 }, baseline: null, interval: null, limit: null }]);
  });
});

const job = (lines: object[]): Job => ({ job: "1", kind: "numbers", who: "x", about: {}, state: "done", progress: null, result: {}, why: null, made_at: "", told_at: "", ended_at: null, lines }) as unknown as Job;

describe("numbers", () => {
  it("show each field that would be written, what is refused and why", () => {
    const plan = numbersPlan(
      job([
        { note: "+13125550100: no status callback" },
        { number: "+13125550101", refused: "no agent answers it", text: "+13125550101  refused: no agent answers it" },
        { number: "+13125550100", text: "…", changes: [{ name: "voice_url", found: "https://api.vapi.ai/x", wanted: "https://us/voice" }, { name: "voice_fallback_url", found: "", wanted: "https://api.vapi.ai/x" }] },
        { number: "+13125550102", text: "is so already", changes: [] },
        { text: "Nothing was changed. 2 would be switched, 1 refused." },
      ]),
    );
    expect(plan.summary).toBe("1 number would change, 1 is so already, 1 refused.");
    expect(plan.changes).toEqual([
      { what: "calls go to", before: "https://api.vapi.ai/x", after: "https://us/voice" },
      { what: "if that fails", before: "nothing", after: "https://api.vapi.ai/x" },
    ]);
    expect(plan.warnings).toEqual(["+13125550101 is refused: no agent answers it", "+13125550100: no status callback"]);
  });

  it("say whose field it is when there are several, and that there is nothing to do when there is not", () => {
    const two = ["+13125550100", "+13125550101"].map((number) => ({ number, text: "", change: { name: "voice_url", found: "a", wanted: "b" } }));
    expect(numbersPlan(job(two)).changes.map((c) => c.what)).toEqual(["+13125550100 calls go to", "+13125550101 calls go to"]);
    expect(numbersPlan(job([{ number: "+1", refused: "no" }]))).toMatchObject({ nothing: true, changes: [] });
  });

  it("tell what came of a change by its count, not by what was said after it", () => {
    const lines = [{ text: "run 7: 3 numbers to ringdown" }, { text: "run 7: 2 of 3 verified, 1 as they were", counts: { verified: 2, failed: 1 } }, { text: "The next call to each of these 2 numbers is answered here" }];
    expect(sumOf(job(lines))).toBe("2 of 3 verified, 1 as they were");
    expect(isWell({ ...job(lines), result: { failed: true, counts: { verified: 2, failed: 1 } } })).toBe(false);
    expect(isWell({ ...job(lines), result: { failed: true, refused: 1, counts: { verified: 2 } } })).toBe(true);
    expect(isWell({ ...job(lines), result: { failed: true } })).toBe(false);
    expect(sumOf({ ...job(lines), result: { refused: 1 } })).toBe("2 of 3 verified, 1 as they were, 1 refused");
    expect(sumOf(job([{ text: "+1  voice_url is x" }, { text: "1 of 1 numbers are not as they were made; ringdown numbers switch makes them so again" }]))).toBe("1 of 1 numbers are not as they were made");
    expect(sumOf(job([]))).toBe("It is done.");
  });
});

describe("who was faster", () => {
  const now = new Date("2026-11-27T12:00:00Z");

  it("is named, with when and what to do", () => {
    const why = new Problem({ status: 412, title: "It has changed since", detail: "x", fix: "look at `current`", current: { updated_by: "bob", updated_at: "2026-11-27T11:58:00Z" } });
    expect(whoWasFaster(why, now).sentence).toBe("Bob changed it 2 min ago, after you looked; nothing of yours was written. Close this, look at how it is now, and decide anew.");
  });

  it("has the page look again, and nobody else does", async () => {
    let looked = 0;
    const look = () => void looked++;
    await expect(sayWho(Promise.reject(new Problem({ status: 412, current: { set_by: "bob" } })), look)).rejects.toThrow("bob changed it");
    await expect(sayWho(Promise.reject(new Problem({ status: 409, title: "No" })), look)).rejects.toThrow("No");
    await sayWho(Promise.resolve(1), look);
    expect(looked).toBe(1);
  });

  it("is somebody when nobody says who; other problems stay as they are", () => {
    expect(whoWasFaster(new Problem({ status: 412 }), now).what).toMatch(/^Somebody changed it meanwhile/);
    const other = new Problem({ status: 409, title: "No" });
    expect(whoWasFaster(other, now)).toBe(other);
  });
});
