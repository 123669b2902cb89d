// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import * as f from "../../src/ui/format";

describe("numbers as text", () => {
  it("says what is not known, and zero", () => {
    for (const form of [f.count, f.money, f.duration, f.percent]) expect(form(null)).toBe("–");
    expect([f.count(0), f.money(0), f.duration(0), f.percent(0)]).toEqual(["0", "$0.00", "0 ms", "0.0 %"]);
    expect(f.count(Number.NaN)).toBe("–");
  });

  it("shows money with as many digits as there is something to see", () => {
    expect([0, 4_000, 42_000_000].map((v) => f.moneyTo(v, 2))).toEqual(["$0.00", "< $0.01", "$42.00"]);
    expect([31_200_000, 1_234_567_890, 12_300, 42, -5_000_000].map(f.money)).toEqual(["$31.20", "$1,234.57", "$0.0123", "$0.000042", "−$5.00"]);
  });

  it("says nothing and all of nothing and all alone", () => {
    expect([0, 0.0001, 0.0005, 0.1234, 0.9994, 0.9999, 1].map((v) => f.percent(v))).toEqual(["0.0 %", "< 0.1 %", "0.1 %", "12.3 %", "99.9 %", "> 99.9 %", "100.0 %"]);
    expect([0.001, 0.999, 1].map((v) => f.percent(v, 0))).toEqual(["< 1 %", "> 99 %", "100 %"]);
    expect(f.duration(999.7)).toBe("1.0 s");
  });

  it("shows durations in the two largest units", () => {
    expect([340, 1900, 48_210, 125_000, 3_725_000, 200_000_000].map(f.duration)).toEqual(["340 ms", "1.9 s", "48 s", "2 min 05 s", "1 h 02 min", "2 d 7 h"]);
  });
});

describe("times as text", () => {
  const at = new Date("2026-11-27T05:30:07.120Z");
  const now = new Date("2026-11-27T18:00:00Z");

  it("are of the zone that was chosen", () => {
    expect(f.moment(at, "UTC", now)).toBe("05:30");
    expect(f.moment(at, "America/Chicago", now)).toBe("Thu 26 Nov 23:30");
    expect(f.clock(at, "Asia/Kolkata", "ms")).toBe("11:00:07.120");
    expect(f.fullMoment(at, "America/Chicago")).toBe("2026-11-26 23:30:07 GMT-6 (America/Chicago)\n2026-11-27 05:30:07 UTC");
  });

  it("tell the hour of midnight as 00", () => {
    expect(f.clock(new Date("2026-11-27T00:00:00Z"), "UTC")).toBe("00:00");
  });

  it("name the year when it is another", () => {
    expect(f.moment(new Date("2025-03-01T10:00:00Z"), "UTC", now)).toBe("Sat 1 Mar 2025 10:00");
  });

  it("say how long ago", () => {
    const before = (ms: number) => f.ago(new Date(now.getTime() - ms), now);
    expect([before(0), before(89_000), before(300_000), before(7_200_000), before(-300_000)]).toEqual(["0 s ago", "89 s ago", "5 min ago", "2 h ago", "in 5 min"]);
  });
});
