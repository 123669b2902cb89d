// SPDX-License-Identifier: Apache-2.0
// The owner's page: the sentence, its numbers, what wants somebody.
import { describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

type Today = { sentence: string; answered: number; parts: { name: string; text: string }[] };

describe("today", () => {
  it("says in one sentence what the API says, and each part opens its calls", async () => {
    const now = await api<Today>("operator", "GET", "/today");
    const page = await open("/today", "operator");
    const sentence = page.locator(".sentence");
    await sentence.waitFor();
    const same = (text: string | null) => text!.replace(/\.$/, "");
    expect(same(await sentence.textContent())).toBe(same(now.sentence));
    expect(await sentence.getByRole("link", { name: now.parts[0]!.text }).getAttribute("href")).toMatch(/^\/calls\?.*result=answered/);
    await page.getByRole("row", { name: /northside-plumbing/ }).first().waitFor();
    await axe(page);
    await shot(page, "today");
  });

  it("goes to other days and back, and keeps the day in the address", async () => {
    const page = await open("/today", "viewer");
    await page.locator(".sentence").waitFor();
    const title = await page.locator("h1").textContent();
    await page.getByRole("button", { name: "Day before" }).click();
    await page.locator("h1", { hasNotText: title! }).waitFor();
    expect(page.url()).toMatch(/\?day=\d{4}-\d\d-\d\d$/);
    await page.getByRole("button", { name: "Today", exact: true }).click();
    await page.locator("h1", { hasText: title! }).waitFor();
  });

  it("shows an emergency that nobody has confirmed until somebody did", async () => {
    await order({
      do: "run",
      sql: `insert into triage_matches (call, rule, severity, words, matched_at, state)
        select call, 'gas-leak', 'life', '<img src=x onerror=window.__hacked=1>', now(), 'open' from calls where agent = 'northside-plumbing' limit 1`,
    });
    const page = await open("/today", "operator");
    await page.locator(".wants").getByText("nobody has confirmed yet").waitFor();
    await axe(page);
    await shot(page, "today-emergency");
    await order({ do: "run", sql: "delete from triage_matches where rule = 'gas-leak'" });
    await Promise.all([page.waitForResponse(/emergencies\?/), page.reload()]);
    await page.locator(".wants, .empty", { hasNotText: "nobody has confirmed yet" }).first().waitFor();
    expect(await page.getByText("nobody has confirmed yet").count()).toBe(0);
  });

  it("masks for viewers what they may not see", async () => {
    const page = await open("/today", "viewer");
    await page.locator(".phone").first().waitFor();
    expect(await page.locator("main").textContent()).not.toMatch(/\+1312555\d{4}/);
  });

  it("stays when the database is away, and says that it is old", async () => {
    const page = await open("/today", "operator");
    await page.locator(".sentence").waitFor();
    await page.route("**/api/v1/today*", (route) =>
      route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ title: "The database does not answer", status: 503, fix: "look at ringdown db status" }), headers: { "retry-after": "60" } }),
    );
    await page.getByRole("button", { name: "Day before" }).click();
    await page.getByText("The database does not answer.").waitFor();
    await page.getByText("Look at ringdown db status.").waitFor();
    await axe(page);
    await page.unroute("**/api/v1/today*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".sentence").waitFor();
  });

  it("does not say that nothing wants somebody while it cannot know", async () => {
    const page = await open("/nodes", "operator");
    await page.route("**/api/v1/emergencies?*", (route) => route.fulfill({ status: 500, contentType: "application/problem+json", body: '{"status":500,"title":"It did not work","fix":"look at the log"}' }));
    await page.locator(".rail a", { hasText: "Today" }).click();
    await page.getByText("Look at the log.").waitFor();
    expect(await page.getByText("Nothing wants you").count()).toBe(0);
    await page.unroute("**/api/v1/emergencies?*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Look at the log.").waitFor({ state: "detached" });
  });

  it("is usable on a small screen and in the dark", async () => {
    const page = await open("/today", "operator", { width: 360, height: 740, scheme: "dark" });
    await page.locator(".sentence").waitFor();
    await axe(page);
    await shot(page, "today-360-dark");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });
});
