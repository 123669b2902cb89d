// SPDX-License-Identifier: Apache-2.0
// Agents: what one is made of, and a file that does not load, with its line.
import { describe, expect, it } from "vitest";
import { axe, open, order, shot } from "./stand";

const AGENT = "brightsmile-dental";
const PATIENT = { timeout: 30_000 };

describe("agents", () => {
  it("are shown with their tools, rules and prompt", async () => {
    const page = await open(`/agents/${AGENT}`, "viewer");
    await page.getByRole("region", { name: "Tools" }).waitFor(PATIENT);
    await page.getByText("book_appointment").first().waitFor();
    expect(await page.getByRole("button", { name: /Publish/ }).count()).toBe(0);
    await axe(page);
    await shot(page, "agent");
  });

  it("say which line of a file is wrong, and that it is mended", async () => {
    await order({ do: "agent", name: "broken.lua", text: 'local agent = require "ringdown.agent"\n\nreturn agent {\n  name = "broken",\n  greting = "<img src=x onerror=window.__hacked=1>",\n}\n' });
    const page = await open("/agents", "operator", { scheme: "dark" });
    await page.getByText(/broken\.lua:\d+/).first().waitFor({ timeout: 50_000 });
    await axe(page);
    await shot(page, "agents-errors-dark");
    await order({ do: "agent", name: "broken.lua" });
    await page.getByText("Every file loads.").waitFor({ timeout: 50_000 });
  });
});
