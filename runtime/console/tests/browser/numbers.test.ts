// SPDX-License-Identifier: Apache-2.0
// Numbers: what Twilio has is read, one is sent to us after its fields were shown, and given back; many at once, with
// one that is refused; who answers, and two who change that at the same time.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

const N = "+13125550101"; // of an agent that needs no key of Vapi
const PATIENT = { timeout: 15_000 };

describe("numbers", () => {
  beforeAll(async () => void (await order({ do: "phones", numbers: 4 })), 120_000);
  afterAll(async () => {
    await api("admin", "DELETE", `/numbers/${N}/assignment`, undefined, { "if-match": "*" });
    await order({ do: "phones", away: true });
  }, 60_000);

  it("are read from Twilio, and sent to us after it was shown what would be written; undo gives them back", async () => {
    const page = await open("/numbers", "operator");
    await page.getByRole("button", { name: "Look at Twilio" }).click();
    await page.getByRole("link", { name: N }).waitFor(PATIENT);
    await page.getByText("Looked at Twilio:").waitFor(PATIENT);

    await api("admin", "PUT", `/numbers/${N}/assignment`, { agent: "brightsmile-dental" }, { "if-match": "*" });
    await page.getByRole("link", { name: N }).click();
    await page.getByRole("heading", { name: N }).waitFor();
    await page.getByRole("button", { name: "To us…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("rowheader", { name: "calls go to" }).waitFor(PATIENT);
    await dialog.getByText("https://api.vapi.ai/twilio/inbound_call").first().waitFor();
    expect((await api<{ goes_to: string }>("viewer", "GET", `/numbers/${N}`)).goes_to).toBe("vapi");
    await axe(page);
    await shot(page, "numbers-preview", false);
    await dialog.getByRole("button", { name: `Send ${N} to us` }).click();
    await page.locator(".toast", { hasText: "1 of 1 verified" }).waitFor(PATIENT);
    expect((await api<{ goes_to: string }>("viewer", "GET", `/numbers/${N}`)).goes_to).toBe("ringdown");

    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await dialog.getByRole("button", { name: `Give ${N} back` }).click(PATIENT);
    await page.locator(".toast", { hasText: `${N} given back` }).waitFor(PATIENT);
    expect((await api<{ goes_to: string }>("viewer", "GET", `/numbers/${N}`)).goes_to).toBe("vapi");
    await page.getByRole("button", { name: "To us…" }).waitFor(PATIENT);
    await axe(page);
    await shot(page, "number");
  });

  it("are changed in bulk: what is refused is told before", async () => {
    const page = await open("/numbers?goes_to=vapi", "operator", { scheme: "dark" });
    await page.getByRole("checkbox", { name: `Select ${N}` }).check();
    await page.getByRole("checkbox", { name: "Select +13125550103" }).check();
    await page.getByText("2 numbers selected").waitFor();
    await page.getByRole("button", { name: "To us…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 number would change, 1 refused.").waitFor(PATIENT);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Verify", exact: true }).click();
    await page.getByRole("heading", { name: /What was begun/ }).waitFor(PATIENT);
    await page.getByText(/2 numbers looked at/).first().waitFor(PATIENT);
    await axe(page);
    await shot(page, "numbers-dark");
  });

  it("have an agent: assigned, taken back, and refused when somebody was faster", async () => {
    const page = await open("/numbers/+13125550102", "operator");
    await page.getByLabel("Agent", { exact: true }).selectOption("brightsmile-dental");
    await page.getByRole("button", { name: "Assign…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("rowheader", { name: "Who answers +13125550102" }).waitFor(PATIENT);
    await api("admin", "PUT", "/numbers/+13125550102/assignment", { agent: "northside-plumbing" }, { "if-match": "*" });
    await dialog.getByRole("button", { name: "Assign it to brightsmile-dental" }).click();
    await dialog.getByText(/changed it .*nothing of yours was written/).waitFor(PATIENT);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "End the assignment…" }).click(PATIENT);
    await dialog.getByRole("button", { name: "End the assignment" }).click(PATIENT);
    await page.locator(".toast", { hasText: "The agents’ files say again" }).waitFor(PATIENT);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await dialog.getByRole("button", { name: "Assign it to northside-plumbing" }).click(PATIENT);
    await page.locator(".toast", { hasText: "is answered by northside-plumbing" }).waitFor(PATIENT);
    await api("admin", "DELETE", "/numbers/+13125550102/assignment", undefined, { "if-match": "*" });
  });

  it("show a viewer no switch", async () => {
    const page = await open("/numbers", "viewer", { width: 900 });
    await page.getByRole("link", { name: N }).waitFor();
    expect(await page.getByRole("checkbox").count()).toBe(0);
    expect(await page.getByRole("button", { name: /Look at Twilio|To us|Compare/ }).count()).toBe(0);
    await axe(page);
    await shot(page, "numbers-900");
  });
});
