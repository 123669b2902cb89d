// SPDX-License-Identifier: Apache-2.0
// A rule that is not closed takes all that follow into itself, and nothing says so. Colours and sizes of letters have
// one place, or dark and light drift apart.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const folder = new URL("../../src/style/", import.meta.url);

describe("style sheets", () => {
  for (const name of readdirSync(folder)) {
    it(`${name} closes what it opens, and nests only below @`, () => {
      const text = readFileSync(new URL(name, folder), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
      const open: string[] = [];
      for (const [, head, mark] of text.matchAll(/([^{}]*)([{}])/g)) {
        if (mark === "}") {
          expect(open.pop(), `one } too many after ${head}`).toBeDefined();
        } else {
          expect(open.every((one) => one.startsWith("@")), `${head!.trim()} stands within ${open.join(" ")}`).toBe(true);
          open.push(head!.split(";").pop()!.trim());
        }
      }
      expect(open).toEqual([]);
    });

    if (name !== "tokens.css")
      it(`${name} has its colours and sizes of letters from tokens.css`, () => {
        const text = readFileSync(new URL(name, folder), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
        const literal = [...text.matchAll(/^\s*([\w-]+):\s*([^;{]+);/gm)]
          .filter(([, property, value]) => {
            const isSize = property === "font-size" || property === "font";
            return /#[\da-f]{3,8}\b|\b(rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|light-dark)\(|\b(black|white|red|green|blue|gr[ae]y)\b/i.test(value!) || (isSize && /\d(px|r?em|%|pt|vw)/.test(value!));
          })
          .map(([line]) => line.trim());
        expect(literal).toEqual([]);
      });
  }
});
