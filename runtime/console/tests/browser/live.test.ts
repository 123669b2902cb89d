// SPDX-License-Identifier: Apache-2.0
// The calls that go on: seen, heard, acted on; what is shown when nothing is told any more; and five hundred of them.
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

const NORTHSIDE = "+13125550100";
const place = () => order<string>({ do: "call", scenario: "holds-the-line", to: NORTHSIDE });

/** 500 calls and a stream of what is said in them, made in the page itself: `__tell(n)` tells n facts. */
async function synthetic(page: Page): Promise<void> {
  await page.route("**/api/v1/live", (route) =>
    route.fulfill({
      json: {
        at_unix_ms: Date.now(), calls: 500, left_out: 0, elsewhere_reason: null,
        items: Array.from({ length: 500 }, (_, i) => ({
          call: `CAmany${i}`, agent: `agent-${i % 7}`, version: "v1", from: `+1312555${1000 + i}`, to: NORTHSIDE, state: "taken", system: i % 2 ? "openai" : "vapi",
          node: "n1", here: true, started_at: new Date(Date.now() - 300_000 + i * 500).toISOString(), seconds: 300, emergency: null, last_words: null,
        })),
      },
    }),
  );
  await page.addInitScript(() => {
    const real = window.fetch;
    let sink: ReadableStreamDefaultController<Uint8Array> | null = null;
    let id = 0;
    const send = (text: string) => sink!.enqueue(new TextEncoder().encode(text));
    Object.assign(window, {
      fetch: (input: RequestInfo | URL, init?: RequestInit) =>
        String(input).startsWith("/api/v1/events") ? Promise.resolve(new Response(new ReadableStream({ start: (c) => void ((sink = c), send(": here\n\n")) }))) : real(input, init),
      __tell: (facts: object[]) => send(facts.map((f) => `id: ${++id}\ndata: ${JSON.stringify(f)}\n\n`).join("")),
    });
  });
}

describe("live calls", () => {
  it("shows a call with its words, and does what an operator wants of it", async () => {
    const page = await open("/live", "operator");
    await page.locator("main").getByText(/No call is in progress|call/).first().waitFor();
    const call = await place();
    await page.locator(`tr[data-key="${call}"] a`).click();
    await page.waitForURL(`**/live/${call}`);
    await page.locator(".said").getByText("Northside Plumbing").first().waitFor();
    await page.locator(`tr[data-key="${call}"] .system`, { hasText: "OpenAI" }).waitFor();
    await axe(page);
    await shot(page, "live");

    await page.getByLabel(/Whisper to the agent/).fill("Offer them <b>nine</b>.");
    await page.route("**/whisper", async (route) => (await route.fetch(), await route.abort("connectionrefused")), { times: 1 }); // the answer is lost
    await page.getByRole("button", { name: "Whisper" }).click();
    await page.getByText("The node does not answer. The change may have been made or not.", { exact: false }).waitFor();
    await page.getByRole("button", { name: "Whisper" }).click();
    await page.getByText("The agent was told").waitFor();
    const whispers = async () => {
      const { items } = await api<{ items: { type: string; body: { action?: string } }[] }>("operator", "GET", `/calls/${call}/timeline?limit=200`);
      return items.filter((e) => e.type === "operator" && e.body.action === "whisper").length;
    };
    await expect.poll(whispers, { timeout: 30_000, interval: 200 }).toBe(1); // once, although it was asked twice

    await page.getByRole("button", { name: "Hang up…" }).click();
    await page.getByRole("dialog").getByText("Hang up on +13125550174?").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Hang up…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Hang up" }).click();
    await page.getByRole("heading", { name: "This call is over" }).waitFor();
    await page.getByRole("link", { name: "What happened in it" }).click();
    await page.locator(".story").waitFor();
  });

  it("puts a caller through to a person", async () => {
    const call = await order<string>({ do: "call", scenario: "is-kept-talking", to: NORTHSIDE });
    const page = await open(`/live/${call}`, "operator");
    await page.getByRole("button", { name: "on_call" }).click();
    expect(await page.getByLabel(/Transfer to/).inputValue()).toBe("on_call");
    await page.getByLabel(/Transfer to/).fill("+13125550176");
    await page.getByRole("button", { name: "Transfer…" }).click();
    await page.getByRole("dialog").getByText("Put +13125550179 through to +13125550176?").waitFor();
    await page.getByRole("button", { name: "Transfer", exact: true }).click();
    await page.locator(`tr[data-key="${call}"]`).getByText("with a person").waitFor();
  });

  it("puts an emergency on top, and lets viewers look on without their words or any switch", async () => {
    const call = await place();
    await order({ do: "run", sql: `insert into triage_matches (call, rule, severity, words, matched_at, state) values ('${call}', 'gas-leak', 'life', '<img src=x onerror=window.__hacked=1>', now(), 'open') on conflict do nothing` });
    const page = await open(`/live/${call}`, "viewer");
    const first = page.locator("tbody tr").first();
    await first.getByText("gas-leak").waitFor();
    await page.getByText("nobody has confirmed yet").waitFor();
    expect(await page.getByRole("button", { name: /Hang up|Whisper|Transfer/ }).count()).toBe(0);
    expect(await page.locator("main").textContent()).not.toContain("Northside Plumbing, how can I help");
    await order({ do: "run", sql: `delete from triage_matches where call = '${call}'` });
    await api("operator", "POST", `/calls/${call}/hang-up`);
    await page.getByRole("heading", { name: "This call is over" }).waitFor();
  });

  it("follows five hundred calls, says what is said in them, and when it is not told any more", async () => {
    const page = await open("/nodes", "operator");
    await synthetic(page);
    await page.goto("/live");
    await page.locator('tr[data-key="CAmany499"]').waitFor();
    await page.getByText("500 calls in progress").waitFor();
    const busyMs = await page.evaluate(async () => {
      const tell = (window as unknown as { __tell: (facts: object[]) => void }).__tell;
      let late = 0;
      let before = performance.now();
      const timer = setInterval(() => {
        const now = performance.now();
        late += Math.max(0, now - before - 20);
        before = now;
      }, 20);
      for (let round = 0; round < 30; round++) {
        tell(Array.from({ length: 10 }, (_, i) => ({ type: "turn", call: `CAmany${(round * 10 + i * 37) % 500}`, role: "caller", seq: round + 1, text: `words ${round} <img src=x onerror=window.__hacked=1>`, at_ms: 1000 * round })));
        await new Promise((r) => setTimeout(r, 100));
      }
      clearInterval(timer);
      return late;
    });
    console.log(`500 live calls, 100 facts a second for 3 s: the page was busy for ${Math.round(busyMs)} ms`);
    expect(busyMs).toBeLessThan(6000); // 600 on a quiet machine
    await page.getByText("words 29").first().waitFor();
    await page.evaluate(() => (window as unknown as { __tell: (facts: object[]) => void }).__tell([{ type: "triage", call: "CAmany300", rule: "gas-leak", severity: "life", state: "open", at_ms: 1000 }, { type: "ended", call: "CAmany301" }]));
    await page.locator("tbody tr").first().getByText("gas-leak").waitFor();
    await page.getByText("499 calls in progress, 1 open emergency").waitFor();
    expect(await page.locator('tr[data-key="CAmany301"]').count()).toBe(0);
    await page.getByLabel("Agent").selectOption("agent-3");
    await page.waitForURL("**/live?agent=agent-3");
    expect(await page.locator("tbody tr").count()).toBeLessThan(100);
    expect(await page.locator("tbody tr").first().getAttribute("data-key")).toBe("CAmany300"); // whatever is filtered
    await shot(page, "live-500", false);
    await page.locator('tr[data-key="CAmany300"] a').click();
    await page.getByLabel(/Whisper to the agent/).fill("meant for one call alone");
    await page.locator('tr[data-key="CAmany3"] a').click();
    await page.waitForURL("**/live/CAmany3?*");
    await page.getByLabel(/Whisper to the agent/).waitFor();
    await expect.poll(() => page.getByLabel(/Whisper to the agent/).inputValue()).toBe("");
  });

  it("says that it is not live any more, and as of when its calls are", async () => {
    const page = await open("/live", "operator", { scheme: "dark" });
    await page.locator(".bar .badge", { hasText: "live" }).waitFor();
    await page.locator("main").getByText(/No call is in progress|in progress/).first().waitFor();
    await page.context().setOffline(true);
    await page.getByText("The node is not connected: these calls are as of").waitFor();
    await axe(page);
    await page.context().setOffline(false);
    await page.getByText("The node is not connected").waitFor({ state: "detached" });
  });
});
