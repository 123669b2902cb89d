// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { readProbe } from "../../src/pages/health";
import { hrefOf, otherDay } from "../../src/pages/today";

describe("today", () => {
  it("goes a day on and back, over months and clock changes", () => {
    expect(otherDay("2026-03-08", -1)).toBe("2026-03-07");
    expect(otherDay("2026-11-30", 1)).toBe("2026-12-01");
    expect(otherDay("2027-01-01", -1)).toBe("2026-12-31");
  });

  it("opens the calls behind a part", () => {
    expect(hrefOf({ list: "/calls", query: { kind: "real", booked: true } })).toBe("/calls?kind=real&booked=true");
    expect(hrefOf(null)).toBeNull();
  });
});

describe("health", () => {
  it("shows the worst component first, and says why", () => {
    const probe = readProbe({
      status: "fail",
      checks: {
        "a:good": [{ observedValue: 1, observedUnit: "ms", status: "pass" }],
        "z:bad": [{ observedValue: 0, observedUnit: "errors", status: "fail", output: "it is away" }],
        "m:odd": [{ status: "warn" }],
      },
    });
    expect(probe.checks.map((c) => [c.name, c.status])).toEqual([["z:bad", "fail"], ["m:odd", "warn"], ["a:good", "pass"]]);
    expect(probe.checks[0]!.output).toBe("it is away");
  });

  it("of an answer that says nothing is no good health", () => expect(readProbe({})).toEqual({ status: "fail", checks: [] }));
});
