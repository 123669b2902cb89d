// SPDX-License-Identifier: Apache-2.0
// What the rules found: who looks after it, what is silent until when and told again, and what the rules are.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { api, axe, open, order, shot } from "./stand";

const script = `<img src=x onerror="window.__hacked=1">`;
type Alerts = { items: { id: string; text: string | null; acked_by: string | null }[] };

let id = "";
const found = async () => (await api<Alerts>("operator", "GET", "/alerts")).items.find((a) => a.text?.startsWith("no credit <img"));

describe("alerts", () => {
  beforeAll(async () => {
    await order({
      do: "run",
      sql: `insert into alerts (node, kind, subject, severity, text, fix, opened_at, last_at)
        values ('n8', 'openai.quota', 'A ${script}', 'critical', 'no credit ${script}', 'add credit', now(), now())`,
    });
    id = await vi.waitFor(async () => (await found())!.id, { timeout: 100_000, interval: 300 });
  }, 120_000);
  afterAll(async () => void (await order({ do: "run", sql: "delete from alerts where node = 'n8'" })));

  it("are silent for a time, with a reason, and told again; either can be taken back", async () => {
    const page = await open(`/alerts/${id}`, "operator");
    await page.getByText(`ringdown alerts show ${id}`).waitFor();
    await page.locator(".chapter").getByText("docs/troubleshooting.md#account").waitFor();
    await axe(page);
    await shot(page, "alert");
    await page.getByRole("button", { name: "Silence…" }).click();
    await page.getByRole("heading", { name: "New silence" }).waitFor();
    await page.getByRole("button", { name: "Silence…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("account").first().waitFor();
    const go = dialog.getByRole("button", { name: "Silence" });
    expect(await go.isDisabled()).toBe(true); // nobody said why
    await dialog.getByRole("textbox").fill(`the bank is asked ${script}`);
    await axe(page);
    await shot(page, "silence", false);
    await go.click();
    const silence = page.getByRole("cell", { name: "the bank is asked" });
    await silence.waitFor();
    await axe(page);
    await page.getByRole("button", { name: "End…" }).click();
    await dialog.getByRole("button", { name: "End it" }).click();
    await page.getByText("Nothing is silent").waitFor();
    await page.locator(".toast", { hasText: "are told again" }).getByRole("button", { name: "Undo" }).click();
    await silence.waitFor();
    await page.getByRole("button", { name: "End…" }).click();
    await dialog.getByRole("button", { name: "End it" }).click();
    await page.getByText("Nothing is silent").waitFor();
  });

  it("are looked after by the first who says so; the second is told who; and are given back", async () => {
    const second = await open("/alerts", "admin", { scheme: "dark" });
    await second.getByRole("row", { name: /no credit/ }).getByRole("button", { name: "Acknowledge…" }).click();
    const late = second.getByRole("dialog");
    await late.getByText("You look after it").waitFor();

    const page = await open("/alerts", "operator");
    const row = page.getByRole("row", { name: /no credit/ });
    await row.getByRole("button", { name: "Acknowledge…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("on my way");
    await dialog.getByRole("button", { name: "Acknowledge" }).click();
    await row.getByText("on my way").waitFor();

    await late.getByRole("button", { name: "Acknowledge" }).click();
    await late.getByText(/It was not done\. .*acknowledged it/).waitFor();
    await late.getByRole("button", { name: "Try again" }).click();
    await late.getByText("looks after it already").waitFor();
    expect(await late.getByRole("button", { name: "Acknowledge" }).isDisabled()).toBe(true);
    await second.keyboard.press("Escape");
    await second.getByText("on my way").waitFor();
    await axe(second);
    await shot(second, "alerts");

    await page.locator(".toast", { hasText: "you look after it" }).getByRole("button", { name: "Undo" }).click();
    await row.getByText("nobody yet").waitFor();
    expect((await found())!.acked_by).toBeNull();
    await row.getByRole("button", { name: "Acknowledge…" }).click();
    await dialog.getByRole("button", { name: "Acknowledge" }).click();
    await row.getByRole("button", { name: "Give back…" }).click();
    await dialog.getByRole("button", { name: "Give back" }).click();
    await row.getByText("nobody yet").waitFor();
  });

  it("of before are found, and the rules that look, with what to do; viewers have no switch", async () => {
    const page = await open("/alerts/history?state=all", "viewer");
    await page.getByRole("cell", { name: "account" }).first().waitFor();
    const tabs = page.getByRole("navigation", { name: "Alerts" });
    await tabs.getByRole("link", { name: "Rules" }).click();
    await page.getByRole("link", { name: "docs/troubleshooting.md#failed-calls" }).click();
    await page.getByRole("heading", { name: "What to do: failed calls" }).waitFor();
    await page.locator(".chapter").getByText("More calls end by an error than should.", { exact: false }).waitFor();
    expect(await tabs.getByRole("link", { name: "Rules" }).getAttribute("aria-current")).toBe("page");
    await axe(page);
    await page.getByRole("link", { name: "failed calls" }).click();
    await page.waitForURL(/history\?state=all&rule=failed_calls/);
    await tabs.getByRole("link", { name: "Open" }).click();
    await page.getByText("no credit <img").waitFor();
    expect(await page.getByRole("button", { name: "Acknowledge…" }).count()).toBe(0);
  });
});
