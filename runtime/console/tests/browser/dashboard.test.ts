// SPDX-License-Identifier: Apache-2.0
// What was counted: how calls came out, and what a model needs for it.
import { describe, expect, it } from "vitest";
import { axe, open, shot } from "./stand";

interface Total {
  calls: number;
  turns: number;
  barge_ins: number;
  turn_latency: { n: number; p50_ms: number; p95_ms: number; p99_ms: number };
  model: { models: string[]; answers: number; tokens_in: number; tokens_cached: number; tokens_out: number; audio_out: number; text_out: number; cut_off: number; incomplete: number };
}
type Counted = { total: Total; errors: { code: string; n: number; call: string }[] };

const told = (n: number) => n.toLocaleString("en-US");
const share = (part: number, all: number) => ((100 * part) / all).toFixed(1) + " %";
const waited = (ms: number) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(Math.floor(ms / 100) / 10).toFixed(1)} s`); // below ten seconds

describe("dashboard", () => {
  it("tells what the API counted, in three questions, and opens the calls behind", async () => {
    const asked: string[] = [];
    const page = await open("/today", "operator");
    page.on("request", (r) => void (r.url().includes("/api/v1/") && !/events|live|tickets|alerts|emergencies/.test(r.url()) && asked.push(r.url())));
    const counted = page.waitForResponse((r) => r.url().includes("/statistics?") && !r.url().includes("by="));
    await page.goto("/dashboard?since=30d");
    const { total, errors } = (await (await counted).json()) as Counted;
    await page.getByRole("link", { name: String(total.calls), exact: true }).waitFor();
    await page.getByText("Share of tokens read").first().waitFor();
    await page.getByRole("heading", { name: "Systems, side by side" }).waitFor();
    expect(new Set(asked.filter((url) => url.includes("/statistics"))).size).toBe(3); // what happened meanwhile may have one asked again
    expect(await page.getByRole("link", { name: "missed", exact: true }).getAttribute("href")).toMatch(/^\/calls\?local_from=[-\d]+&local_to=[-\d]+&kind=real&result=missed$/);
    const { turn_latency: took, model } = total;
    const figure = page.locator(".figures > div", { hasText: "Answer within, p95" });
    expect(took.n).toBeGreaterThan(100);
    expect(await figure.innerText()).toContain(waited(took.p95_ms));
    expect(await figure.innerText()).toContain(`p50 ${waited(took.p50_ms)}, p99 ${waited(took.p99_ms)}`);
    const openai = page.locator(".panel", { has: page.getByRole("heading", { name: "OpenAI", exact: true }) });
    const fact = (name: string) => openai.locator(".facts > div", { has: page.locator("dt").getByText(name, { exact: true }) }).locator("dd").innerText();
    expect(model.tokens_cached).toBeGreaterThan(0);
    expect(await fact("Models")).toBe(model.models.join(", "));
    expect(await fact("Tokens read")).toBe(`${told(model.tokens_in)}, ${share(model.tokens_cached, model.tokens_in)} of them from the cache`);
    expect(await fact("Tokens made")).toBe(`${told(model.tokens_out)}: ${told(model.audio_out)} of sound, ${told(model.text_out)} of text`);
    expect(await fact("Cut off by the model")).toBe("1 answer: no tokens left, or its filter"); // the one of the seed
    expect(await fact("Cut short by callers")).toBe(`${told(total.barge_ins)} barge-ins, ${share(total.barge_ins, total.turns)} of ${told(total.turns)} turns`);
    const limited = errors.find((e) => e.code === "provider.rate_limited")!;
    const row = page.getByRole("row", { name: `provider.rate_limited ${told(limited.n)} ` });
    expect(limited.n).toBeGreaterThanOrEqual(24); // each call of the newer seed had one
    expect(await row.getByRole("link").getAttribute("href")).toBe(`/calls/${limited.call}`);
    const [box, drawn] = await Promise.all([page.locator(".chart-box").first().boundingBox(), page.locator(".chart-box canvas").first().boundingBox()]);
    expect([drawn!.x, drawn!.y]).toEqual([box!.x, box!.y]); // a chart is where its frame is
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
