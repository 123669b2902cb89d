// SPDX-License-Identifier: Apache-2.0
// What time it is, where the desk's clock is wrong.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { heard, presentMs } from "../../src/state/present";

const AT = Date.parse("2026-11-27T22:00:00Z"); // the desk's
const date = (ms: number) => new Date(ms).toUTCString();

beforeEach(() => void vi.useFakeTimers({ now: AT }));
afterEach(() => {
  heard(date(Date.now()), Date.now(), Date.now());
  vi.useRealTimers();
});

describe("the present", () => {
  it("is the node's, where the desk is minutes off", () => {
    heard(date(AT - 300_000), AT - 40, AT);
    expect(Math.abs(presentMs() - (AT - 300_000))).toBeLessThan(1000);
  });

  it("is the desk's, where they differ by no more than one can tell", () => {
    heard(date(AT - 1000), AT - 40, AT);
    expect(presentMs()).toBe(AT);
    heard(date(AT - 9000), AT - 20_000, AT); // an answer that took twenty seconds says little
    expect(presentMs()).toBe(AT);
  });

  it("does not heed what is no date", () => {
    for (const none of [null, "", "soon"]) heard(none, AT, AT);
    expect(presentMs()).toBe(AT);
  });
});
