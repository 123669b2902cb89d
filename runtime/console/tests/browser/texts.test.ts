// SPDX-License-Identifier: Apache-2.0
// Conversations by text: found, opened, read as they were written.
import { describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

type Text = { number: string; body: string | null; agent: string };
const hostile = `"><img src=x onerror="window.__hacked=1"><script>window.__hacked=1</script>`;

describe("texts", () => {
  it("opens a conversation and shows what was written as it was written", async () => {
    const { items } = await api<{ items: Text[] }>("operator", "GET", "/texts?limit=200");
    const one = items.find((t) => t.body)!;
    await order({ do: "run", sql: `update texts set body = '${hostile}' where id = (select id from texts where body is not null order by created_at desc limit 1)` });
    const page = await open("/texts", "operator");
    await page.getByText("onerror=").first().waitFor();
    await axe(page);
    await shot(page, "texts");
    await page.getByRole("link", { name: one.number, exact: true }).first().click();
    await page.getByRole("heading", { name: `Texts with ${one.number}` }).waitFor();
    await page.locator(".thread .text-out").first().waitFor();
    expect(await page.locator(".thread").textContent()).toContain(hostile);
    expect(new URL(page.url()).pathname).toBe("/texts/" + encodeURIComponent(one.number));
    await axe(page);
    await shot(page, "texts-thread");
  });

  it("hides numbers and words from viewers, and opens nothing for them", async () => {
    const page = await open("/texts", "viewer", { scheme: "dark", width: 900 });
    await page.locator(".phone").first().waitFor();
    expect(await page.locator("main .row-link").count()).toBe(0);
    expect(await page.locator("main").textContent()).not.toMatch(/\+1\d{10}|onerror/);
    await axe(page);
  });

  it("says so where there is no text", async () => {
    const page = await open("/texts/+15550001111", "operator");
    await page.getByText("There is no text with this number.").waitFor();
    await axe(page);
  });
});
