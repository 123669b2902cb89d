// SPDX-License-Identifier: Apache-2.0
// The owner's page: the sentence, its numbers, what wants somebody.
import { describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

type Part = { name: string; text: string; opens: { list: string; query: Record<string, string | boolean> } | null };
type Today = { day: string; zone: string; sentence: string; answered: number; parts: Part[]; on_vapi: { calls: number } };

describe("today", () => {
  it("says in one sentence what the API says, and each part opens its calls", async () => {
    const now = await api<Today>("operator", "GET", "/today");
    const page = await open("/today", "operator");
    const sentence = page.locator(".sentence");
    await sentence.waitFor();
    const same = (text: string | null) => text!.replace(/\.$/, "");
    expect(same(await sentence.textContent())).toBe(same(now.sentence));
    await page.getByRole("row", { name: /northside-plumbing/ }).first().waitFor();
    await shot(page, "today");

    const before = await api<Today>("operator", "GET", "/today?day=yesterday");
    const full = now.on_vapi.calls > before.on_vapi.calls ? now : before; // just after midnight nobody has called yet
    await page.goto(`/today?day=${full.day}`);
    await sentence.waitFor();
    expect(full.parts.map((p) => p.name)).toEqual(expect.arrayContaining(["answered", "missed", "bookings", "emergencies", "cost", "vapi"]));
    const links = await sentence.getByRole("link").evaluateAll((all) => all.map((a) => [a.textContent!, a.getAttribute("href")!]));
    const wanted = full.parts.map((p) => [p.text, p.opens ? `${p.opens.list}?${new URLSearchParams(Object.entries(p.opens.query).map(([k, v]) => [k, String(v)])).toString()}` : null]);
    expect(links).toEqual(wanted);
    expect(Object.fromEntries(full.parts.map((p) => [p.name, p.opens!.list]))).toMatchObject({ answered: "/calls", missed: "/calls", bookings: "/calls", cost: "/costs/calls", vapi: "/costs/calls" });
    await sentence.getByRole("link", { name: "on Vapi it would be" }).click();
    await page.getByRole("heading", { name: "Calls behind a sum" }).waitFor();
    await page.locator("tbody tr").first().getByText("OpenAI").waitFor();
  });

  it("goes to other days and back, keeps the day in the address, and says whose clock it goes by", async () => {
    const { zone } = await api<Today>("viewer", "GET", "/today");
    const page = await open("/today", "viewer", { zone: "Europe/Berlin" });
    await page.locator(".sentence").waitFor();
    await page.locator(".page-head .about", { hasText: `by the clock of ${zone}` }).waitFor();
    await page.getByRole("heading", { name: `Calls by the hour (${zone})`, exact: true }).waitFor();
    await page.getByRole("heading", { name: "Last calls (times of Europe/Berlin)", exact: true }).waitFor();
    await page.getByLabel("Time zone").selectOption("UTC");
    await page.getByRole("heading", { name: zone === "UTC" ? "Last calls" : "Last calls (times of UTC)", exact: true }).waitFor();
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
