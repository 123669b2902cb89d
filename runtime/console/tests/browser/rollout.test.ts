// SPDX-License-Identifier: Apache-2.0
// Rollouts: the slider says who would move; each switch shows what will be written, writes it, and is taken back; the
// guards compare; who was faster is named.
import { afterAll, describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

const AGENT = "northside-plumbing";
const PATIENT = { timeout: 30_000 };

interface Rollout {
  state: string;
  percent_bp: number;
  version: number;
  kill?: boolean;
}
const now = () => api<Rollout>("viewer", "GET", `/rollouts/${AGENT}`);

describe("rollout", () => {
  afterAll(async () => {
    await order({ do: "run", sql: `delete from rollouts where agent = '${AGENT}' and version > 8` });
  });

  it("begins, is held, goes on, advances although the guards say no, and goes back", async () => {
    const page = await open("/rollout", "operator");
    await page.getByRole("link", { name: AGENT }).waitFor();
    await axe(page);
    await shot(page, "rollouts");
    await page.getByRole("link", { name: AGENT }).click();
    const dialog = page.getByRole("dialog");

    await page.getByRole("button", { name: "Begin…" }).click();
    await dialog.getByRole("rowheader", { name: "State" }).waitFor(PATIENT);
    expect((await now()).state).toBe("draft");
    await dialog.getByRole("textbox").fill("the new prompt is published");
    await dialog.getByRole("button", { name: "Begin", exact: true }).click();
    await page.locator(".toast", { hasText: "has begun" }).waitFor(PATIENT);
    expect((await now()).state).toBe("pilot");

    await page.getByRole("button", { name: "Advance to 25 %…" }).click(PATIENT);
    await dialog.getByText(/would move to OpenAI|would change sides/).first().waitFor(PATIENT);
    await axe(page);
    await shot(page, "rollout-advance", false);
    const why = dialog.getByRole("textbox");
    await why.fill("seen enough");
    await dialog.getByRole("button", { name: /Advance to 25 %|Go on all the same/ }).click();
    await page.locator(".toast", { hasText: "is at 25 %" }).waitFor(PATIENT);
    expect((await now()).percent_bp).toBe(2500);

    await page.getByRole("button", { name: "Hold…" }).click(PATIENT);
    await dialog.getByRole("button", { name: "Hold", exact: true }).click(PATIENT);
    await page.locator(".toast", { hasText: "is held" }).waitFor(PATIENT);
    await page.locator(".toast", { hasText: "is held" }).getByRole("button", { name: "Undo" }).click();
    await dialog.getByRole("textbox").fill("not needed", PATIENT);
    await dialog.getByRole("button", { name: "Take it back" }).click();
    await page.locator(".toast", { hasText: "is taken back" }).waitFor(PATIENT);
    expect((await now()).state).toBe("running");

    await page.getByRole("button", { name: "Advance to 50 %…" }).click(PATIENT);
    await dialog.getByText(/You can go on all the same/).waitFor(PATIENT);
    const force = dialog.getByRole("button", { name: "Go on all the same" });
    expect(await force.isDisabled()).toBe(true); // not without a reason
    await page.keyboard.press("Escape");

    await page.getByLabel("exactly, in %").fill("10");
    await page.getByText(/would move to Vapi|would change sides/).first().waitFor(PATIENT);
    await page.getByRole("button", { name: "Back to 10 %…" }).click();
    await dialog.getByRole("button", { name: "Roll back to 10 %" }).click(PATIENT);
    await page.locator(".toast", { hasText: "is back at 10 %" }).waitFor(PATIENT);
    expect(await now()).toMatchObject({ state: "rolled_back", percent_bp: 1000 });
    await page.locator(".toast", { hasText: "is back at 10 %" }).getByRole("button", { name: "Undo" }).click();
    await dialog.getByText(/was rolled back .*You can go on all the same/).waitFor(PATIENT); // forward again within a day
    await dialog.getByRole("rowheader", { name: "Share that meets OpenAI" }).waitFor();
    expect(await force.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("the wrong agent");
    await force.click();
    await page.getByRole("region", { name: "History" }).getByText("the wrong agent").first().waitFor(PATIENT);
    expect(await now()).toMatchObject({ state: "running", percent_bp: 2500 });
  });

  it("compares canary and baseline, each with its n and the interval", async () => {
    await order({
      do: "run",
      sql: `insert into rollouts (agent, version, percent_bp, stage, state, stages, since, updated_by, updated_at, reason)
        select agent, (select max(version) + 1 from rollouts where agent = '${AGENT}'), 5000, '50', 'running',
        (select jsonb_agg(case when s ->> 'name' = '50' then s || '{"min_canary": 5, "min_baseline": 5}' else s end order by n) from jsonb_array_elements(stages) with ordinality x (s, n)), now() - interval '25 days', 'ann', now(), 'half of them'
        from rollouts where agent = '${AGENT}' and version = 8`,
    });
    const page = await open(`/rollout/${AGENT}`, "operator");
    await page.getByRole("columnheader", { name: "OpenAI (canary)" }).waitFor(PATIENT);
    await page.getByRole("cell", { name: /calls ended by a fault/ }).waitFor();
    await page.getByRole("cell", { name: /\d of \d+/ }).first().waitFor();
    await page.getByRole("img", { name: /points, between/ }).first().waitFor();
    await axe(page);
    await shot(page, "rollout");
    const dark = await open(`/rollout/${AGENT}`, "viewer", { scheme: "dark", width: 900 });
    await dark.getByRole("region", { name: "History" }).waitFor(PATIENT);
    expect(await dark.getByRole("button", { name: /Hold|Roll back|Advance|Force|Undo/ }).count()).toBe(0);
    await axe(dark);
    await shot(dark, "rollout-dark-900");
  });

  it("is forced by writing its name, and names who was faster", async () => {
    const page = await open(`/rollout/${AGENT}`, "operator");
    const dialog = page.getByRole("dialog");
    const nobody = { type: "https://ringdown.dev/problems/unwatched", title: "Nobody would watch for emergencies", status: 409, detail: "no call there shows yet whether its assistant sends transcripts" };
    await page.route("**/rollouts/*/force", (route) => {
      const { yes } = route.request().postDataJSON() as { yes?: boolean };
      return yes ? route.continue() : route.fulfill({ status: 409, contentType: "application/problem+json", body: JSON.stringify(nobody) });
    });
    await page.getByRole("button", { name: "Force to Vapi…" }).click(PATIENT);
    await dialog.getByText("no call there shows yet").waitFor(PATIENT);
    const go = dialog.getByRole("button", { name: "Force to Vapi" });
    await dialog.getByLabel(/Why/).fill("OpenAI is down", PATIENT);
    expect(await go.isDisabled()).toBe(true);
    await dialog.getByLabel(/Write/).fill(AGENT);
    const knows = dialog.getByLabel("I know that nobody here watches for emergencies of these callers then");
    expect(await go.isDisabled()).toBe(true); // not before one says that this is known
    await knows.check();
    await go.click();
    await page.locator(".toast", { hasText: "go to Vapi" }).waitFor(PATIENT);
    expect((await now()).kill).toBe(true);
    await page.unroute("**/rollouts/*/force");
    await page.getByRole("button", { name: "End the force…" }).click(PATIENT);
    await dialog.getByRole("button", { name: "End the force" }).click(PATIENT);
    await page.locator(".toast", { hasText: "is not forced any more" }).waitFor(PATIENT);

    await page.getByRole("button", { name: "Hold…" }).click(PATIENT);
    await dialog.getByRole("rowheader", { name: "State" }).waitFor(PATIENT);
    await api("admin", "POST", `/rollouts/${AGENT}/hold`, { reason: "we look first" }, { "if-match": "*" });
    await dialog.getByRole("button", { name: "Hold", exact: true }).click();
    await dialog.getByText(/changed it .*nothing of yours was written/).waitFor(PATIENT);
  });
});
