// SPDX-License-Identifier: Apache-2.0
// Calls: found by what is in the address, paged, and one of them with all that is known of it.
import { describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

type Calls = { items: { call: string; from: string; turns: number }[] };

/** A second of silence, as recordings are: WAV, 8 kHz. */
function aSecond(): Buffer {
  const wav = Buffer.alloc(44 + 8000, 0x80);
  wav.write("RIFF", 0), wav.writeUInt32LE(36 + 8000, 4), wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16), wav.writeUInt16LE(1, 20), wav.writeUInt16LE(1, 22), wav.writeUInt32LE(8000, 24), wav.writeUInt32LE(8000, 28);
  wav.writeUInt16LE(1, 32), wav.writeUInt16LE(8, 34), wav.write("data", 36), wav.writeUInt32LE(8000, 40);
  return wav;
}

describe("calls", () => {
  it("are found by filters that stay in the address, and paged", async () => {
    const page = await open("/calls", "operator");
    await page.locator("tbody tr").first().waitFor();
    await axe(page);
    await shot(page, "calls", false);
    await page.getByLabel("Agent").selectOption("brightsmile-dental");
    await page.waitForURL("**/calls?agent=brightsmile-dental");
    await page.locator("tbody tr", { hasText: "northside-plumbing" }).first().waitFor({ state: "detached" });
    await page.getByLabel("booked").check();
    await page.waitForURL(/booked=true/);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForURL(/\/calls$/);
    const first = await page.locator("tbody tr").first().getAttribute("data-key");
    await page.getByRole("button", { name: "Older" }).click();
    await page.waitForURL(/cursor=/);
    await page.locator(`tr[data-key="${first}"]`).waitFor({ state: "detached" });
    await page.goBack();
    await page.locator(`tr[data-key="${first}"]`).waitFor();
  });

  it("say when none fits, and take filters that only links bring", async () => {
    const page = await open("/calls?outcome=nothing_ends_so&since=2026-01-01T00:00:00Z", "viewer");
    await page.getByText("No call fits these filters.").waitFor();
    expect(await page.getByLabel("Ended by").inputValue()).toBe("nothing_ends_so");
    expect(await page.locator(".filters").getByText("Since (UTC)").count()).toBe(1);
  });

  it("say how far a long search came, and go on from there", async () => {
    const page = await open("/today", "operator");
    const asked: (string | null)[] = [];
    await page.route(/\/api\/v1\/calls\?.*text=/, (route) => {
      const cursor = new URL(route.request().url()).searchParams.get("cursor");
      asked.push(cursor);
      return route.fulfill({ json: cursor ? { items: [], next: null, searched_to: null } : { items: [], next: "WyJhIl0", searched_to: "2026-03-04T15:06:07Z" } });
    });
    await page.goto("/calls?text=kitchen+-water");
    await page.getByText(/^No call since .*09:06:07 .*fits;/).waitFor();
    await axe(page);
    await page.getByRole("button", { name: "Older" }).click();
    await page.getByText("No call fits these filters.").waitFor();
    expect(asked).toEqual([null, "WyJhIl0"]);
  });

  it("are told one by one: both speakers, tools, waits, cost by turn, and why", async () => {
    const { items } = await api<Calls>("operator", "GET", "/calls?booked=true&limit=1");
    const call = items[0]!.call;
    const page = await open(`/calls/${call}`, "operator");
    await page.locator(".story-line.caller").first().waitFor();
    await page.locator(".story-line.agent").first().waitFor();
    await page.locator(".story-kind", { hasText: "tool" }).first().waitFor();
    await page.locator(".falls li").first().waitFor();
    await page.locator("main").getByText(`ringdown why ${call}`).waitFor();
    await page.getByText("This call was not recorded.").or(page.locator(".recordings")).waitFor();
    await page.getByRole("button", { name: "By turn" }).click();
    await page.getByRole("columnheader", { name: "Cached" }).waitFor();
    await axe(page);
    await shot(page, "call");
    await page.getByRole("button", { name: "Every fact" }).click();
    await page.locator(".raw-facts summary", { hasText: "usage" }).first().click();
    await page.locator(".raw-facts details[open] pre").waitFor();
  });

  it("show what callers said as text, whatever it is", async () => {
    const rows = await order<{ call: string }[]>({ do: "sql", sql: "select call from turns where heard like '%<script>%' limit 1" });
    const call = Object.values(rows[0] as object)[0] as string;
    const page = await open(`/calls/${call}`, "operator", { scheme: "dark" });
    await page.locator(".story").getByText("<script>window.__hacked=1</script>", { exact: false }).first().waitFor();
    expect(await page.locator(".story img, .story script").count()).toBe(0);
    await axe(page);
    await shot(page, "call-dark");
  });

  it("say where a recording lies, and let nobody hear it who may not", async () => {
    const rows = await order<unknown[]>({ do: "sql", sql: "select call from recordings where gone_at is null limit 1" });
    const call = Object.values(rows[0] as object)[0] as string;
    const operator = await open(`/calls/${call}`, "operator");
    await operator.locator(".recordings").waitFor();
    await operator.route("**/recordings", (route) =>
      route.fulfill({ json: { items: [{ number: 1, node: "n1", here: true, state: "kept", bytes: 8044, duration_ms: 1000, at: null, due_at: null, gone_at: null, why: null }] } }),
    );
    await operator.route("**/recording/audio?*ticket=rt_*", (route) => route.fulfill({ contentType: "audio/wav", body: aSecond() }));
    await operator.reload();
    await operator.getByRole("button", { name: "Listen" }).click();
    await operator.waitForFunction(() => (document.querySelector("audio")?.duration ?? 0) > 0.9);
    await axe(operator);
    const viewer = await open(`/calls/${call}`, "viewer");
    await viewer.locator(".recordings").waitFor();
    expect(await viewer.getByRole("button", { name: "Listen" }).count()).toBe(0);
  });

  it("sound as they were recorded", async () => {
    const call = await order<string>({ do: "call", scenario: "holds-the-line", to: "+13125550100" });
    await api("operator", "POST", `/calls/${call}/hang-up`);
    await order({ do: "wait_calls" });
    const kept = () => api<{ items: { duration_ms: number | null }[] }>("operator", "GET", `/calls/${call}/recordings`);
    await expect.poll(async () => (await kept()).items.length, { timeout: 60_000, interval: 500 }).toBe(1);
    const seconds = (await kept()).items[0]!.duration_ms! / 1000;
    const page = await open(`/calls/${call}`, "operator");
    await page.getByRole("button", { name: "Listen" }).click();
    await page.waitForFunction((s) => Math.abs((document.querySelector("audio")?.duration ?? 0) - s) < 0.1, seconds);
    await page.waitForFunction(() => document.querySelector("audio")!.currentTime > 0.2); // it plays by itself
    await page.evaluate(() => void (document.querySelector("audio")!.currentTime = document.querySelector("audio")!.duration - 0.3));
    await page.waitForFunction(() => document.querySelector("audio")!.ended);
    await shot(page, "call-recorded", false);
  });

  it("that nobody knows are told so", async () => {
    const page = await open("/calls/CA0000000000000000000000000000dead", "viewer");
    await page.getByText("There is no such call").first().waitFor();
    await axe(page);
  });
});
