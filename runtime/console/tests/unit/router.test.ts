// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { read, to, withQuery } from "../../src/state/router";

describe("an address", () => {
  it("is read into segments and a query", () => {
    const route = read("/rollout/north%2Fside/history?x=1&y=a%20b");
    expect(route.segments).toEqual(["rollout", "north/side", "history"]);
    expect(route.query.get("y")).toBe("a b");
  });

  it("that is broken is read as it is", () => expect(read("/calls/%ff").segments).toEqual(["calls", "%ff"]));

  it("is made of names, whatever they are", () => expect(to("numbers", "+1 555/x?y#z")).toBe("/numbers/%2B1%20555%2Fx%3Fy%23z"));

  it("keeps the filters that are not changed", () => {
    const query = new URLSearchParams("agent=a&state=live");
    expect(withQuery(query, { state: null, text: "gas leak" })).toBe("?agent=a&text=gas+leak");
    expect(withQuery(query, { state: "", agent: undefined })).toBe("");
  });
});
