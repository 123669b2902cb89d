// SPDX-License-Identifier: Apache-2.0
// Emergencies: seen while nobody has them, taken by somebody; and near misses, with the lines for the spec.
import { describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

const RULE = "burst-pipe";
const openOne = () =>
  order({
    do: "run",
    sql: `insert into triage_matches (call, rule, severity, words, matched_at, state)
      select call, '${RULE}', 'life', '<img src=x onerror=window.__hacked=1> water everywhere', now(), 'open' from calls where agent = 'northside-plumbing' limit 1`,
  });
const noMore = () => order({ do: "run", sql: `delete from triage_matches where rule = '${RULE}'` });

describe("emergencies", () => {
  it("are confirmed by somebody who names what they take, and tell who did", async () => {
    await openOne();
    const page = await open("/emergencies?state=open", "operator");
    await page.locator("tbody tr.bad", { hasText: RULE }).waitFor();
    await axe(page);
    await shot(page, "emergencies");
    await page.locator("tbody tr", { hasText: RULE }).getByRole("link").click();
    await page.locator("blockquote").getByText("water everywhere").waitFor();
    await page.getByRole("button", { name: "Confirm…" }).click();
    await page.getByRole("dialog").getByText("Have you taken burst-pipe", { exact: false }).waitFor();
    await axe(page);
    await page.getByRole("button", { name: "I have it" }).click();
    await page.locator(".badge", { hasText: "taken" }).waitFor();
    await page.locator(".facts").getByText("operator", { exact: false }).first().waitFor();
    expect(await page.getByRole("button", { name: "Confirm…" }).count()).toBe(0);
    await shot(page, "emergency");
    await page.getByRole("button", { name: "Take back…" }).click();
    await page.getByRole("button", { name: "It is not taken" }).click();
    await page.getByRole("button", { name: "Confirm…" }).waitFor();
    await noMore();
  });

  it("say who was before, when two take the same one", async () => {
    await openOne();
    const { items } = await api<{ items: { call: string }[] }>("operator", "GET", "/emergencies?state=open");
    const page = await open(`/emergencies/${items[0]!.call}/${RULE}`, "admin");
    await page.getByRole("button", { name: "Confirm…" }).click();
    await api("operator", "POST", `/emergencies/${items[0]!.call}/${RULE}/confirm`);
    await page.getByRole("button", { name: "I have it" }).click();
    await page.getByText("had taken it before", { exact: false }).waitFor();
    await noMore();
  });

  it("are not confirmed by viewers, who do not see the words", async () => {
    await openOne();
    const page = await open("/emergencies?state=open", "viewer");
    await page.locator("tbody tr", { hasText: RULE }).getByRole("link").click();
    await page.locator("blockquote").waitFor();
    expect(await page.locator("main").textContent()).not.toContain("water everywhere");
    expect(await page.getByRole("button", { name: "Confirm…" }).count()).toBe(0);
    await noMore();
  });

  it("have near misses, of which one says what they were, and back", async () => {
    const page = await open("/emergencies/near-misses", "operator", { scheme: "dark" });
    const miss = page.locator(".miss").first();
    await miss.waitFor();
    const mark = async (button: string, said: string) => {
      await miss.getByRole("button", { name: button }).click();
      await page.getByRole("dialog").locator(".spec pre").getByText("call:hears", { exact: false }).waitFor();
      await page.getByRole("dialog").getByRole("button", { name: said, exact: true }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
    };
    await mark("It was none…", "It was none");
    await miss.locator(".badge", { hasText: "was none" }).waitFor();
    await miss.locator(".spec pre").getByText("assert.same({}, call.emergencies)", { exact: false }).waitFor();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await miss.getByRole("button", { name: "Copy the spec" }).click();
    await miss.getByRole("button", { name: "Copied" }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/call:hears[^\n]+\n[^]*assert\.same\(\{\}, call\.emergencies\)/);
    expect(copied).toBe(await miss.locator(".spec pre").textContent());
    await shot(page, "near-misses");
    await mark("It was one…", "It was one");
    await miss.locator(".badge", { hasText: "was one" }).waitFor();
    await page.locator(".toast", { hasText: "was one" }).getByRole("button", { name: "Undo" }).click();
    await miss.locator(".badge", { hasText: "was none" }).waitFor();
  });
});
