// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Alert } from "../../src/api/types";
import { byNeed, endOf, isAbout, leftOf, valueText, whyOf } from "../../src/pages/alerts/words";

const alert = (more: Partial<Alert>): Alert => ({
  id: "1", rule: "failed_calls", severity: "page", state: "firing", labels: { agent: "north" }, text: null, fix: null, call: null, value: null, threshold: null,
  began_at: "2026-11-27T08:00:00Z", fired_at: "2026-11-27T08:00:00Z", resolved_at: null, told_at: null, muted_by: null, acked_at: null, acked_by: null, ack_note: null, ...more,
});

describe("an alert", () => {
  it("stands before those that want somebody less", () => {
    const list = [
      alert({ id: "pending", state: "pending" }),
      alert({ id: "seen", acked_at: "2026-11-27T08:01:00Z" }),
      alert({ id: "ticket", severity: "ticket" }),
      alert({ id: "old" }),
      alert({ id: "new", fired_at: "2026-11-27T09:00:00Z" }),
    ];
    expect(list.sort(byNeed).map((a) => a.id)).toEqual(["new", "old", "seen", "ticket", "pending"]);
  });

  it("says where one looks", () => {
    expect(whyOf(alert({ call: "CA1" }))).toBe("ringdown why CA1");
    expect(whyOf(alert({ labels: { number: "+13125550100" } }))).toBe("ringdown why +13125550100");
    expect(whyOf(alert({ id: "7" }))).toBe("ringdown alerts show 7");
  });

  it("has its value in the unit of its rule", () => {
    expect(valueText(0.215, "share")).toMatch(/^21\.5.%$/);
    expect(valueText(3, "calls")).toBe("3 calls");
    expect(valueText(null, "share")).toBeNull();
  });
});

describe("a silence", () => {
  it("is about those that have all its labels", () => {
    expect(isAbout({ rule: "failed_calls" }, alert({}))).toBe(true);
    expect(isAbout({ rule: "failed_*", agent: "north" }, alert({}))).toBe(true);
    expect(isAbout({ rule: "failed_calls", agent: "south" }, alert({}))).toBe(false);
    expect(isAbout({ site: "*" }, alert({}))).toBe(false);
    expect(isAbout({ agent: "no.th" }, alert({}))).toBe(false);
  });

  it("has an end", () => {
    expect(endOf("4h", new Date("2026-11-27T08:00:00Z")).toISOString()).toBe("2026-11-27T12:00:00.000Z");
    expect(endOf("7d", new Date("2026-11-27T08:00:00Z")).toISOString()).toBe("2026-12-04T08:00:00.000Z");
  });
});

describe("a silence that was ended by mistake", () => {
  it("can be had again for what was left of it", () => {
    const now = new Date("2026-11-27T12:00:00Z");
    expect(leftOf({ until_at: "2026-11-27T14:30:59Z" }, now)).toBe("150m");
    expect(leftOf({ until_at: "2026-11-27T12:00:59Z" }, now)).toBeNull();
  });
});
