// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { plusMinus } from "../../src/pages/costs";
import { behindOf } from "../../src/pages/costs/behind";
import { microOf } from "../../src/pages/costs/caps";
import { interval, verdict } from "../../src/pages/costs/compare";
import { callsHref, outcomesOf } from "../../src/pages/dashboard";
import * as f from "../../src/ui/format";
import { scopeOf } from "../../src/ui/scope";
import { dayAt, listOf, partOfDay, share, type Sum } from "../../src/ui/sums";

const scope = (text: string) => scopeOf(new URLSearchParams(text), "7d");

describe("what of sums is asked", () => {
  it("is what the address says, or what is usual", () => {
    expect(scope("")).toEqual({ since: "7d", until: undefined, agent: undefined });
    expect(scope("since=2026-11-02&until=2026-11-05&agent=a")).toEqual({ since: "2026-11-02", until: "2026-11-05", agent: "a" });
    expect(scope("since=24h").since).toBe("24h");
  });

  it("is nothing that the API would refuse", () => {
    for (const bad of ["since=yesterday", "since=0d", "since=<script>", "until=2026", "since=7d'"]) expect(scope(bad)).toEqual({ since: "7d", until: undefined, agent: undefined });
  });

  it("of nothing has no share", () => {
    expect([share(1, 0), share(null, 3), share(undefined, 3), share(1, 4), share(0, 4)]).toEqual([null, null, null, 0.25, 0]);
  });
});

describe("a day of a course", () => {
  it("that is not whole says so, by the clock there", () => {
    const evening = new Date("2026-11-28T02:00:00Z"); // still the 27th in Chicago
    const groups = [{ key: "2026-11-26" }, { key: "2026-11-27" }];
    const days = partOfDay({ zone: "America/Chicago", period: { first: "2026-11-26" }, groups }, evening);
    expect([days(dayAt("2026-11-26")), days(dayAt("2026-11-27"))]).toEqual([null, "so far"]);
    const hours = partOfDay({ zone: "America/Chicago", period: { from: "2026-11-26T23:00:00Z" }, groups }, evening);
    expect([hours(dayAt("2026-11-26")), hours(dayAt("2026-11-27"))]).toEqual(["in part", "so far"]);
  });
});

describe("what opens calls", () => {
  it("has the filter of its sum, and no more than the list takes", () => {
    expect(callsHref({ agent: "a", local_from: "2026-11-01", local_to: "2026-11-02", day: "2026-11-01" }, { result: "missed" })).toBe("/calls?agent=a&local_from=2026-11-01&local_to=2026-11-02&kind=real&result=missed");
    expect(callsHref({ from: "2026-11-26T23:00:00Z", to: "2026-11-27T23:00:00Z" })).toBe("/calls?since=2026-11-26T23%3A00%3A00Z&until=2026-11-27T23%3A00%3A00Z&kind=real"); // of 24 hours, not of all times
    expect(callsHref({ agent: "?" })).toBeNull();
    expect(listOf("/costs/calls", { day: "2026-11-01", x: null }, { basis: "billed" })).toBe("/costs/calls?day=2026-11-01&basis=billed");
  });

  it("is no link where nothing is behind", () => {
    const sum = { calls: 4, contained: 3, missed: 1, transferred: 0, transfers: { asked: 0, answered: 0 }, emergencies: { life: 0 }, filter: {} } as unknown as Sum;
    const of = (key: string) => outcomesOf(sum).find((o) => o.key === key)!;
    expect(of("missed").href).toBe("/calls?kind=real&result=missed");
    expect(of("transferred").href).toBeNull();
  });

  it("passes on what /costs/calls takes", () => {
    expect(behindOf(new URLSearchParams("agent=a&item=model&by=agent&evil=1&site="))).toEqual({ agent: "a", item: "model" });
  });
});

describe("estimates", () => {
  it("say how uncertain they are", () => {
    expect(plusMinus({ micro_usd: 7_900_000, low_micro_usd: 7_700_000, high_micro_usd: 8_100_000 })).toBe("± 0.20");
    expect(plusMinus({ micro_usd: 7_900_000, low_micro_usd: null, high_micro_usd: 8_100_000 })).toBeNull();
    expect(interval({ n: 85, value: 73_038, low: 68_583, high: 77_493 }, true)).toEqual({ value: "$0.0730", range: "$0.0686 to $0.0775" });
    expect(interval({ n: 85, value: 0.0176, low: -0.0061, high: 1.2 }, false)).toEqual({ value: "1.8 %", range: "0.0 % to 100.0 %" });
    expect(interval({ n: 0, why: "there are none" }, true)).toBeNull();
  });

  it("are better or worse only when that is no chance", () => {
    const of = (value: number, certain: boolean) => ({ openai: { n: 9 }, vapi: { n: 9 }, difference: { value, low: 0, high: 0, certain } });
    expect(verdict(of(-5, true), true)).toEqual({ tone: "good", text: "better" });
    expect(verdict(of(-0.1, true), false)).toEqual({ tone: "bad", text: "worse" });
    expect(verdict(of(-5, false), true).text).toBe("may be chance");
    expect(verdict({ openai: { n: 0 }, vapi: { n: 1 } }, true).text).toBe("too few calls");
  });
});

describe("amounts that are typed", () => {
  it("are dollars", () => expect(["25", "$25.00", " 1,000.5 ", "0.000001"].map(microOf)).toEqual([25_000_000, 25_000_000, 1_000_500_000, 1]));
  it("or nothing", () => expect(microOf("  ")).toBeNull());
  it("or wrong", () => expect(["0", "-1", "1e3", "abc", "1.0000001", "9999999999", "25,50", "1,00"].map(microOf)).toEqual(Array(8).fill(undefined)));
  it("are shown with as many digits as their column has", () => expect([f.moneyTo(170_000, 4), f.moneyTo(73_038, 4)]).toEqual(["$0.1700", "$0.0730"]));
});
