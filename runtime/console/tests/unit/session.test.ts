// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mayBe, ticketOf, type Me } from "../../src/state/session";
import { sorted } from "../../src/ui/table";

const me = (role: Me["role"], agents: string[] | null = null): Me => ({ who: "x", role, agents, masked: false, expires_unix: null, demo: false });

describe("what a role may", () => {
  it("is what the API's description says", () => {
    expect(mayBe(me("viewer"), "GET /calls")).toBe(true);
    expect(mayBe(me("viewer"), "POST /calls/{call}/hang-up")).toBe(false);
    expect(mayBe(me("operator"), "POST /calls/{call}/hang-up")).toBe(true);
    expect(mayBe(me("operator"), "POST /tokens")).toBe(false);
    expect(mayBe(me("admin", ["a"]), "POST /tokens")).toBe(false);
  });
});

describe("a log-in link", () => {
  it("has its ticket behind the #, whole", () => {
    const ticket = "rt_" + "0af".repeat(21) + "0";
    expect(ticketOf("#login=" + ticket)).toBe(ticket);
    for (const hash of ["", "#login=", "#login=" + ticket.slice(1), `#login=${ticket}0`, "#other=" + ticket]) expect(ticketOf(hash)).toBeNull();
  });
});

describe("a table", () => {
  it("is sorted with what is not known at its end", () => {
    const rows = [3, null, 1, 20];
    expect(sorted(rows, (r) => r, false)).toEqual([1, 3, 20, null]);
    expect(sorted(rows, (r) => r, true)).toEqual([20, 3, 1, null]);
    expect(sorted(["b10", "b9", "a"], (r) => r, false)).toEqual(["a", "b9", "b10"]);
  });
});

describe("the sources", () => {
  it("put nothing of anybody's into the page but as text", () => {
    const files = import.meta.glob("../../src/**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true }) as Record<string, string>;
    const found = Object.entries(files).filter(([, text]) => /dangerouslySetInnerHTML|\.innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(/.test(text));
    expect(found.map(([name]) => name)).toEqual([]);
    expect(readFileSync(new URL("../../index.html", import.meta.url), "utf8")).not.toMatch(/style=|<script>|\son\w+=/);
  });
});
