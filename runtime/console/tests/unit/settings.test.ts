// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { behind, differences, perOf, priceOf, startOf, tokenBody, withOrWithout } from "../../src/pages/settings/words";

describe("the form of a token", () => {
  it("leaves out what is not said", () => {
    expect(tokenBody({ name: " board ", role: "operator", agents: [], sees: true, expires: "90d" })).toEqual({ name: "board", role: "operator", expires: "90d" });
    expect(tokenBody({ name: "b", role: "viewer", agents: ["north"], sees: true, expires: "never" })).toEqual({ name: "b", role: "viewer", agents: ["north"], sees_personal: true, expires: "never" });
    expect(tokenBody({ name: "b", role: "operator", agents: ["north", "south"], sees: false, expires: "1d" }).agents).toEqual(["north", "south"]);
  });

  it("takes several agents, each once", () => {
    expect(withOrWithout(["south"], "north", true)).toEqual(["north", "south"]);
    expect(withOrWithout(["north", "south"], "south", true)).toEqual(["north", "south"]);
    expect(withOrWithout(["north", "south"], "north", false)).toEqual(["south"]);
  });
});

describe("a price", () => {
  it("is dollars, or none", () => {
    expect(priceOf(" $0.0085")).toBe("0.0085");
    for (const wrong of ["", "free", "-1", "1e3", "0,5", "1.2.3"]) expect(priceOf(wrong)).toBeNull();
    expect([perOf("text_in"), perOf("minute")]).toEqual(["1M tokens", "minute"]);
  });
});

describe("the audit", () => {
  it("shows the fields that differ", () => {
    expect(differences({ a: 1, b: "x", c: null }, { a: 2, b: "x", d: [1] })).toEqual([
      { what: "a", before: "1", after: "2" },
      { what: "d", before: "–", after: "[1]" },
    ]);
    expect(differences(null, null)).toEqual([]);
  });

  it("has whole days", () => {
    expect(startOf("2026-11-27")).toBe("2026-11-27T00:00:00Z");
    expect(behind("2026-12-31")).toBe("2027-01-01T00:00:00Z");
    for (const wrong of [null, "", "yesterday"]) expect([startOf(wrong), behind(wrong)]).toEqual([undefined, undefined]);
  });
});
