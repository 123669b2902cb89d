// SPDX-License-Identifier: Apache-2.0
// What was counted: how calls came out, and what a model needs for it.
import { describe, expect, it } from "vitest";
import { api, axe, open, shot } from "./stand";

describe("dashboard", () => {
  it("tells what the API counted, in five questions at most, and opens the calls behind", async () => {
    const { total } = await api<{ total: { calls: number; missed: number } }>("operator", "GET", "/statistics?since=30d");
    const asked: string[] = [];
    const page = await open("/today", "operator");
    page.on("request", (r) => void (r.url().includes("/api/v1/") && !/events|live|tickets|alerts|emergencies/.test(r.url()) && asked.push(r.url())));
    await page.goto("/dashboard?since=30d");
    await page.getByRole("link", { name: String(total.calls), exact: true }).waitFor();
    await page.getByText("Share of tokens read").first().waitFor();
    await page.getByRole("heading", { name: "Systems, side by side" }).waitFor();
    expect(asked.filter((url) => url.includes("/statistics")).length).toBe(3);
    expect(await page.getByRole("link", { name: "missed", exact: true }).getAttribute("href")).toMatch(/^\/calls\?local_from=[-\d]+&local_to=[-\d]+&kind=real&result=missed$/);
    const [box, drawn] = await Promise.all([page.locator(".chart-box").first().boundingBox(), page.locator(".chart-box canvas").first().boundingBox()]);
    expect([drawn!.x, drawn!.y]).toEqual([box!.x, box!.y]); // a chart is where its frame is
    await axe(page);
    await shot(page, "dashboard");
  });

  it("keeps time, agent and system in the address", async () => {
    const page = await open("/dashboard", "viewer", { scheme: "dark", width: 900 });
    await page.getByRole("button", { name: "90 days" }).click();
    await page.getByLabel("Agent").selectOption("northside-plumbing");
    await page.getByLabel("System").selectOption("vapi");
    await page.getByText("No call of this time has told tokens.").waitFor();
    expect(new URL(page.url()).search).toBe("?since=90d&agent=northside-plumbing&system=vapi");
    await axe(page);
    await shot(page, "dashboard-dark");
  });

  it("says so when there was no call", async () => {
    const page = await open("/dashboard?since=2020-01-01&until=2020-01-02", "viewer");
    await page.getByText("There was no call in this time.").waitFor();
    await axe(page);
  });
});
