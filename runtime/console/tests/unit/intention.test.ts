// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { Intention } from "../../src/api/intention";

describe("what somebody wants", () => {
  it("has one key however often it is tried, and another one once it was done", () => {
    const wish = new Intention();
    const first = wish.keyOf({ text: "offer Tuesday" }, 0);
    expect(wish.keyOf({ text: "offer Tuesday" }, 60_000)).toBe(first);
    wish.done();
    expect(wish.keyOf({ text: "offer Tuesday" }, 61_000)).not.toBe(first);
  });

  it("is something else when it says something else, or long after", () => {
    const wish = new Intention();
    const first = wish.keyOf({ text: "a" }, 0);
    const second = wish.keyOf({ text: "b" }, 0);
    expect(second).not.toBe(first);
    expect(wish.keyOf({ text: "b" }, 120_000)).not.toBe(second);
  });
});
