// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { anchorOf, chapterOf, piecesOf } from "../../src/pages/alerts/chapter";

const root = new URL("../../../../", import.meta.url).pathname;
const text = readFileSync(root + "docs/troubleshooting.md", "utf8");

describe("the chapter of an alert", () => {
  it("is found by its place, and only where it is ours", () => {
    expect(anchorOf("docs/troubleshooting.md#failed-calls")).toBe("failed-calls");
    for (const other of ["https://wiki.example/x#y", "docs/troubleshooting.md", "javascript:alert(1)", "docs/../x.md#a"]) expect(anchorOf(other)).toBeNull();
  });

  it("is its paragraphs, without which tests have seen it", () => {
    const parts = chapterOf("# T\n\n## one\nA `b`\nc, see [errors.md](errors.md).\n\n- Codes: `x`,\n  `y`\n- Seen in: `z` \"t\"\n\n## two\nno\n", "one");
    expect(parts).toEqual(["A `b` c, see docs/errors.md.", "- Codes: `x`, `y`"]);
    expect(piecesOf(parts![1]!)).toEqual([
      { text: "Codes: ", code: false },
      { text: "x", code: true },
      { text: ", ", code: false },
      { text: "y", code: true },
    ]);
    expect(chapterOf("## one\nx", "three")).toBeNull();
  });

  it("is there for each rule that is shipped", () => {
    const rules = readFileSync(root + "scripts/ringdown/alerts/shipped.lua", "utf8");
    const names = [...rules.matchAll(/^\s+name = "(\w+)"/gm)].map((m) => m[1]!.replaceAll("_", "-"));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((a) => !chapterOf(text, a)?.length)).toEqual([]);
  });
});
