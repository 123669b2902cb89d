// SPDX-License-Identifier: Apache-2.0
// Dollars: each opens the calls it is made of; caps are shown before they are written, and taken back.
import { describe, expect, it } from "vitest";
import { api, axe, open, shot } from "./stand";

type Cap = { agent: string | null; day_micro_usd: number | null; set_by: string | null };
const capOf = async (agent: string) => (await api<{ items: Cap[] }>("admin", "GET", "/costs/caps")).items.find((c) => c.agent === agent && c.set_by) ?? null;

describe("costs", () => {
  it("compares both systems with how many calls and how certain, and opens what a sum is made of", async () => {
    const page = await open("/costs", "viewer");
    const panel = page.getByRole("region", { name: "Vapi against OpenAI: northside-plumbing" });
    await panel.getByRole("row", { name: /^A minute \$[\d.]+ \$[\d.]+ to \$[\d.]+ \d+ \$[\d.]+ \$[\d.]+ to \$[\d.]+ \d+/ }).waitFor();
    await page.getByText("Saved so far").first().waitFor();
    const atAll = page.locator(".figures > div", { hasText: "Each month at 100 %" });
    await atAll.locator(".value", { hasText: /\$[\d,.]+ ±/ }).waitFor();
    await atAll.getByText(/by [1-9]\d* calls on both/).waitFor();
    expect(await page.getByText("Take away…").count()).toBe(0);
    expect(await page.getByRole("button", { name: "Set…" }).count()).toBe(0);
    await shot(page, "costs");
    const billed = page.getByRole("region", { name: "How it is known" }).getByRole("row", { name: /billed/ }).getByRole("link");
    await billed.press("Enter");
    await page.getByRole("heading", { name: "Calls behind a sum" }).waitFor();
    await page.getByRole("columnheader", { name: "billed" }).waitFor();
    expect(new URL(page.url()).searchParams.get("basis")).toBe("billed");
    await page.getByText(/^\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d, the dearest first$/).waitFor();
    expect(await page.getByRole("row", { name: /northside-plumbing Vapi .* \$0\.\d+ \$0\.\d+$/ }).count()).toBeGreaterThan(5);
    await page.goto("/costs/calls?since=30d"); // how many were billed changes with the day; all are more than a page
    await page.getByRole("button", { name: "Older" }).waitFor();
    await axe(page);
    await shot(page, "costs-calls");
  });

  it("groups by what one chooses, in the dark as well", async () => {
    const page = await open("/costs", "viewer", { scheme: "dark", width: 900 });
    await page.getByRole("group", { name: "By" }).getByRole("button", { name: "system" }).click();
    await page.getByRole("region", { name: "Costs by system" }).getByRole("row", { name: /Vapi/ }).waitFor();
    expect(new URL(page.url()).search).toBe("?by=system");
    await axe(page);
  });

  it("sets a cap after it showed what will be written, and takes it back", async () => {
    const page = await open("/costs", "admin");
    const form = page.locator("#caps form");
    await form.getByLabel("For").selectOption("brightsmile-dental");
    await form.getByLabel("Each day, $").fill("twelve");
    await form.getByText("An amount is dollars, as 25 or 0.80.").waitFor();
    await form.getByLabel("Each day, $").fill("40");
    await form.getByRole("button", { name: "Set…" }).click();
    const dialog = page.getByRole("dialog", { name: "What may brightsmile-dental cost?" });
    await dialog.getByRole("row", { name: /Each day .* \$40\.00/ }).waitFor();
    await axe(page);
    expect(await capOf("brightsmile-dental")).toBeNull();
    await dialog.getByRole("button", { name: "Set it for brightsmile-dental" }).click();
    await page.getByRole("region", { name: "Caps", exact: true }).getByRole("row", { name: /brightsmile-dental .*\$40\.00/ }).waitFor();
    expect((await capOf("brightsmile-dental"))?.day_micro_usd).toBe(40_000_000);
    const row = page.getByRole("region", { name: "Caps", exact: true }).getByRole("row", { name: /brightsmile-dental .*\$40\.00/ });
    await page.getByRole("button", { name: "Undo" }).click();
    await row.waitFor({ state: "detached" });
    expect(await capOf("brightsmile-dental")).toBeNull();

    await form.getByRole("button", { name: "Set…" }).click();
    await dialog.getByRole("button", { name: "Set it for brightsmile-dental" }).click();
    await page.locator(".toast", { hasText: "may cost is set" }).getByRole("button", { name: "Dismiss" }).click();
    await row.getByRole("button", { name: "Take away…" }).click();
    const away = page.getByRole("dialog", { name: "Take away what is set for brightsmile-dental?" });
    await away.getByRole("row", { name: /Each day \$40\.00 what the agent’s file says/ }).waitFor();
    expect(await capOf("brightsmile-dental")).not.toBeNull();
    await away.getByRole("button", { name: "Take it away from brightsmile-dental" }).click();
    await row.waitFor({ state: "detached" });
    expect(await capOf("brightsmile-dental")).toBeNull();
    await page.getByRole("button", { name: "Undo" }).click();
    await row.waitFor();
    expect((await capOf("brightsmile-dental"))?.day_micro_usd).toBe(40_000_000);
    await api("admin", "DELETE", "/costs/caps/brightsmile-dental", undefined, { "if-match": "*" });
  });
});
