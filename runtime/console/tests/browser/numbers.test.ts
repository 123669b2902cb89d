// SPDX-License-Identifier: Apache-2.0
// Numbers: one is sent to us after its fields were shown, given back, sent to Vapi, and made again as we made it; many
// at once, of which some are refused; who answers, and two who change that at the same time.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

const [DESK, N, OTHER, NOBODYS] = ["+13125550100", "+13125550101", "+13125550102", "+13125550103"];
const PLUMBER = "northside-plumbing";
const PATIENT = { timeout: 20_000 };

const goesTo = async (number: string) => (await api<{ goes_to: string }>("viewer", "GET", `/numbers/${number}`)).goes_to;
const assigned = (number: string, agent: string) => api("admin", "PUT", `/numbers/${number}/assignment`, { agent }, { "if-match": "*" });

describe("numbers", () => {
  beforeAll(async () => {
    await order({ do: "phones", numbers: 4 });
    await order({
      do: "run",
      sql: `insert into rollouts (agent, version, percent_bp, stage, state, stages, since, updated_by, updated_at)
        select agent, version + 1, 5000, '50', 'running', stages, now(), 'ann', now() from rollouts
        where agent = '${PLUMBER}' and version = 8;
        insert into sites (agent, site, name) values ('${PLUMBER}', 'lakeview', 'Lakeview <b>office</b>')`,
    });
  }, 180_000);
  afterAll(async () => {
    await order({ do: "run", sql: `delete from phone_numbers where number in ('${N}', '${OTHER}')` });
    await order({ do: "run", sql: `delete from rollouts where agent = '${PLUMBER}' and version > 8; delete from sites where site = 'lakeview'` });
    await order({ do: "run", sql: "truncate number_targets, number_snapshots, numbers_seen, bulk_items, bulk_runs cascade" });
    await order({ do: "phones", away: true });
  }, 120_000);

  it("go to us and to Vapi after it was shown what would be written; undo gives them back; what drifted is made so again", async () => {
    const page = await open("/numbers", "operator");
    const dialog = page.getByRole("dialog");
    const toast = (text: string | RegExp) => page.locator(".toast", { hasText: text });
    await page.getByRole("button", { name: "Look at Twilio" }).click();
    await toast("Looked at Twilio:").waitFor(PATIENT);
    await assigned(N, PLUMBER);
    await page.getByRole("link", { name: N }).click();
    await page.getByRole("heading", { name: N }).waitFor();

    await page.getByRole("button", { name: "To us…" }).click();
    await dialog.getByRole("rowheader", { name: "calls go to" }).waitFor(PATIENT);
    await dialog.getByText("https://api.vapi.ai/twilio/inbound_call").first().waitFor();
    expect(await goesTo(N)).toBe("vapi"); // nothing is written yet
    await axe(page);
    await shot(page, "numbers-preview", false);
    await dialog.getByRole("button", { name: `Send ${N} to us` }).click();
    await toast(`${N} to us: 1 of 1 verified`).waitFor(PATIENT);
    expect(await goesTo(N)).toBe("ringdown");
    await page.getByText("50 %").first().waitFor(PATIENT); // both systems speak there now

    await toast(`${N} to us`).getByRole("button", { name: "Undo" }).click();
    await dialog.getByRole("button", { name: `Give ${N} back` }).click(PATIENT);
    await toast(`${N} given back: 1 of 1 verified`).waitFor(PATIENT);
    expect(await goesTo(N)).toBe("vapi");
    await toast(`${N} given back`).getByRole("button", { name: "Undo" }).click(); // taking back is a change, too
    await dialog.getByRole("button", { name: `Give ${N} back` }).click(PATIENT);
    await toast(`${N} given back`).getByRole("button", { name: "Dismiss" }).click();
    await page.getByRole("button", { name: "To Vapi…" }).waitFor(PATIENT);
    expect(await goesTo(N)).toBe("ringdown");

    await order({ do: "twilio", number: N, fields: { VoiceFallbackUrl: "https://somebody.example/<b>voice</b>" } });
    await page.getByRole("link", { name: "all numbers" }).click();
    await page.getByRole("button", { name: "Compare all" }).click();
    await toast("are not as they were made").waitFor(PATIENT);
    await page.getByText("1 field differs").waitFor(PATIENT);
    await page.getByRole("link", { name: N }).click();
    await page.getByRole("region", { name: "What differs" }).getByText("https://somebody.example/<b>voice</b>").waitFor(PATIENT);
    await axe(page);
    await shot(page, "number-drift");
    await page.getByRole("button", { name: "As we made it…" }).click();
    await dialog.getByRole("rowheader", { name: "if that fails" }).waitFor(PATIENT);
    await dialog.getByRole("button", { name: `Write ${N} again` }).click();
    await toast(`${N} written again: 1 of 1 verified`).waitFor(PATIENT);
    await page.getByText("as we made it", { exact: true }).waitFor(PATIENT);

    await page.getByRole("button", { name: "To Vapi…" }).click();
    await dialog.getByText(/without us/).waitFor(PATIENT);
    await dialog.getByRole("button", { name: `Send ${N} to Vapi` }).click();
    await toast(`${N} to Vapi: 1 of 1 verified`).waitFor(PATIENT);
    expect(await goesTo(N)).toBe("vapi");
    await page.getByRole("button", { name: "To us…" }).waitFor(PATIENT);
    await shot(page, "number");

    await page.getByRole("button", { name: "Give back…" }).click();
    await dialog.getByRole("rowheader", { name: "calls go to" }).waitFor(PATIENT);
    await dialog.getByRole("button", { name: `Give ${N} back` }).click();
    await toast(`${N} given back: 1 of 1 verified`).waitFor(PATIENT);
    expect(await goesTo(N)).toBe("ringdown");
    await toast(`${N} given back`).getByRole("button", { name: "Undo" }).click();
    await dialog.getByRole("button", { name: `Give ${N} back` }).click(PATIENT);
    await toast(`${N} given back: 1 of 1 verified`).waitFor(PATIENT);
    expect(await goesTo(N)).toBe("vapi");
  });

  it("are changed in bulk: what is refused is told before; verified, and taken back together", async () => {
    const page = await open("/numbers?goes_to=vapi", "operator", { scheme: "dark" });
    const dialog = page.getByRole("dialog");
    for (const number of [DESK, N, NOBODYS]) await page.getByRole("checkbox", { name: `Select ${number}` }).check();
    await page.getByText("3 numbers selected").waitFor();
    await page.getByRole("button", { name: "To us…" }).click();
    await dialog.getByText("2 numbers would change, 1 refused.").waitFor(PATIENT);
    await dialog.getByText(`${NOBODYS} is refused: has no agent`).waitFor();
    await axe(page);
    await shot(page, "numbers-bulk-dark", false);
    await dialog.getByRole("button", { name: "Send 2 numbers to us" }).click();
    await page.locator(".toast", { hasText: "2 of 2 verified, 1 refused" }).waitFor(PATIENT);
    expect([await goesTo(DESK), await goesTo(N), await goesTo(NOBODYS)]).toEqual(["ringdown", "ringdown", "vapi"]);

    await page.getByRole("combobox", { name: "Calls go to" }).selectOption("ringdown");
    for (const number of [DESK, N]) await page.getByRole("checkbox", { name: `Select ${number}` }).check();
    await page.getByRole("button", { name: "Verify", exact: true }).click();
    await page.locator(".toast", { hasText: "2 numbers looked at, 0 not as they should be" }).waitFor(PATIENT);
    await page.getByRole("heading", { name: /What was begun/ }).waitFor();
    await axe(page);
    await shot(page, "numbers-dark");

    await page.locator(".toast", { hasText: "3 numbers to us" }).getByRole("button", { name: "Dismiss" }).click();

    const back = page.locator(".toast", { hasText: "2 numbers given back: 2 of 2 verified" });
    const giveBack = dialog.getByRole("button", { name: "Give 2 numbers back" });
    const both = async () => [await goesTo(DESK), await goesTo(N)];
    await page.getByRole("button", { name: "To Vapi…" }).click();
    await dialog.getByText("2 numbers would change.").waitFor(PATIENT);
    await dialog.getByRole("button", { name: "Send 2 numbers to Vapi" }).click();
    await page.locator(".toast", { hasText: "2 numbers to Vapi: 2 of 2 verified" }).waitFor(PATIENT);
    expect(await both()).toEqual(["vapi", "vapi"]);
    await page.locator(".toast", { hasText: "2 numbers to Vapi" }).getByRole("button", { name: "Undo" }).click();
    await giveBack.click(PATIENT);
    await back.getByRole("button", { name: "Dismiss" }).click();
    expect(await both()).toEqual(["ringdown", "ringdown"]);
    await page.getByText("2 numbers selected").waitFor(PATIENT); // they are shown again, and still chosen
    await page.getByRole("button", { name: "Give back…" }).click();
    await dialog.getByText("2 numbers would change.").waitFor(PATIENT);
    await giveBack.click();
    await back.waitFor(PATIENT);
    expect(await both()).toEqual(["vapi", "vapi"]);
    await back.getByRole("button", { name: "Undo" }).click();
    await giveBack.click(PATIENT);
    await back.getByRole("button", { name: "Dismiss" }).click();
    expect(await both()).toEqual(["ringdown", "ringdown"]);

    await page.getByRole("row", { name: /sent to us/ }).first().getByRole("button", { name: "Undo…" }).click();
    await dialog.getByText("2 numbers would change.").waitFor(PATIENT);
    await dialog.getByRole("button", { name: /^Give the numbers of change \d+ back$/ }).click();
    await page.locator(".toast", { hasText: "given back: 2 of 2 verified" }).waitFor(PATIENT);
    expect([await goesTo(DESK), await goesTo(N)]).toEqual(["vapi", "vapi"]);
  });

  it("have an agent: assigned, taken back, and refused when somebody was faster", async () => {
    const page = await open(`/numbers/${OTHER}`, "operator");
    await page.getByRole("combobox", { name: "Agent", exact: true }).selectOption("brightsmile-dental");
    await page.getByRole("button", { name: "Assign…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("rowheader", { name: `Who answers ${OTHER}` }).waitFor(PATIENT);
    await assigned(OTHER, PLUMBER);
    await dialog.getByRole("button", { name: "Assign it to brightsmile-dental" }).click();
    await dialog.getByText(/changed it .*nothing of yours was written/).waitFor(PATIENT);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "End the assignment…" }).click(PATIENT);
    await dialog.getByRole("button", { name: "End the assignment" }).click(PATIENT);
    await page.locator(".toast", { hasText: "The agents’ files say again" }).waitFor(PATIENT);
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await dialog.getByRole("button", { name: `Assign it to ${PLUMBER}` }).click(PATIENT);
    await page.locator(".toast", { hasText: `is answered by ${PLUMBER}` }).waitFor(PATIENT);

    await page.getByRole("combobox", { name: "Site", exact: true }).selectOption("lakeview");
    await page.getByRole("button", { name: "Assign…" }).click();
    await dialog.getByText(`${PLUMBER}, site lakeview`, { exact: true }).waitFor(PATIENT);
    await dialog.getByRole("button", { name: `Assign it to ${PLUMBER}` }).click();
    await expect.poll(async () => (await api<{ site: string }>("viewer", "GET", `/numbers/${OTHER}`)).site, PATIENT).toBe("lakeview");
  });

  it("show a viewer no switch", async () => {
    const page = await open("/numbers", "viewer", { width: 900 });
    await page.getByRole("link", { name: "…01" }).or(page.getByRole("link", { name: N })).first().waitFor();
    expect(await page.getByRole("checkbox").count()).toBe(0);
    expect(await page.getByRole("button", { name: /Look at Twilio|To us|Compare/ }).count()).toBe(0);
    await shot(page, "numbers-900");
  });
});
