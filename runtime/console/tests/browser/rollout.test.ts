// SPDX-License-Identifier: Apache-2.0
// Rollouts: the slider says who would move; each switch shows what will be written, writes it, and is taken back, and so
// is taking back; the guards compare; who was faster is named.
import type { Locator, Page } from "playwright-core";
import { afterAll, describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

const AGENT = "northside-plumbing";
const PATIENT = { timeout: 30_000 };

interface Rollout {
  state: string;
  percent_bp: number;
  version: number;
  kill?: boolean;
  mode?: string;
}
const now = () => api<Rollout>("viewer", "GET", `/rollouts/${AGENT}`);

const undoIn = (page: Page) => (said: string) => page.locator(".toast", { hasText: said }).getByRole("button", { name: "Undo" });

/** Begun by this button, and agreed to with a reason: whether or not it needs a yes in red. */
async function takeBack(page: Page, by: Locator, then: Partial<Rollout>): Promise<void> {
  const dialog = page.getByRole("dialog", { name: `Take the last change of ${AGENT} back?` });
  await by.click(PATIENT);
  await dialog.getByRole("textbox").fill("not needed", PATIENT);
  await dialog.getByRole("button", { name: /^(Take it back|Go on all the same)$/ }).click();
  await dialog.waitFor({ state: "detached" });
  const made = await now();
  expect(made).toMatchObject(then);
  await page.getByText(`undo of version ${made.version - 1}: not needed`).first().waitFor(PATIENT); // it is shown how it is now
}

describe("rollout", () => {
  afterAll(async () => {
    await order({ do: "run", sql: `delete from rollouts where agent = '${AGENT}' and version > 8` });
  });

  it("begins, is held, goes on, advances although the guards say no, and goes back", async () => {
    const page = await open("/rollout", "operator");
    await page.getByRole("link", { name: AGENT }).waitFor();
    await shot(page, "rollouts");
    await page.getByRole("link", { name: AGENT }).click();
    const dialog = page.getByRole("dialog");
    const undoOf = undoIn(page);
    const undoLast = page.getByRole("main").getByRole("button", { name: "Undo…" }); // whatever it was, an undo as well

    await page.getByRole("button", { name: "Begin…" }).click();
    await dialog.getByRole("rowheader", { name: "State" }).waitFor(PATIENT);
    expect((await now()).state).toBe("draft");
    await dialog.getByRole("textbox").fill("the new prompt is published");
    await dialog.getByRole("button", { name: "Begin", exact: true }).click();
    await page.locator(".toast", { hasText: "has begun" }).waitFor(PATIENT);
    expect((await now()).state).toBe("pilot");
    await takeBack(page, undoOf("has begun"), { state: "draft" });
    await takeBack(page, undoLast, { state: "pilot", percent_bp: 0 });

    await page.getByRole("button", { name: "Advance to 25 %…" }).click(PATIENT);
    await dialog.getByText(/would move to OpenAI|would change sides/).first().waitFor(PATIENT);
    await axe(page);
    await shot(page, "rollout-advance", false);
    const why = dialog.getByRole("textbox");
    await why.fill("seen enough");
    await dialog.getByRole("button", { name: /Advance to 25 %|Go on all the same/ }).click();
    await page.locator(".toast", { hasText: "is at 25 %" }).waitFor(PATIENT);
    expect((await now()).percent_bp).toBe(2500);
    await takeBack(page, undoOf("is at 25 %"), { state: "pilot", percent_bp: 0 });
    await takeBack(page, undoLast, { state: "running", percent_bp: 2500 });

    await page.getByRole("button", { name: "Hold…" }).click(PATIENT);
    await dialog.getByRole("button", { name: "Hold", exact: true }).click(PATIENT);
    await takeBack(page, undoOf("is held"), { state: "running" });
    await takeBack(page, undoLast, { state: "paused" });
    await page.getByRole("button", { name: "Go on…" }).click(PATIENT);
    await dialog.getByRole("button", { name: "Go on", exact: true }).click(PATIENT);
    await page.locator(".toast", { hasText: "goes on" }).waitFor(PATIENT);
    expect((await now()).state).toBe("running");
    await takeBack(page, undoOf("goes on"), { state: "paused" });
    await takeBack(page, undoLast, { state: "running" });

    await page.getByLabel("exactly, in %").fill("40");
    await page.getByRole("button", { name: "Make 40 % the next stage…" }).click();
    await dialog.getByRole("row", { name: "Stages 0 %, 25 %, 50 %, 100 % 0 %, 25 %, 40 %, 50 %, 100 %" }).waitFor(PATIENT);
    await dialog.getByRole("button", { name: "Add the stage 40 %" }).click();
    await page.getByRole("button", { name: "Advance to 40 %…" }).first().waitFor(PATIENT);
    await takeBack(page, undoOf("next stage"), { state: "running", percent_bp: 2500 });

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
    await order({
      do: "run",
      sql: `insert into rollouts (agent, version, percent_bp, stage, state, stages, since, updated_by, updated_at)
        select agent, (select max(version) + 1 from rollouts where agent = '${AGENT}'), 10000, '100', 'running', stages, now(), 'ann', now()
        from rollouts where agent = '${AGENT}' and version = 8`,
    });
    const page = await open(`/rollout/${AGENT}`, "operator");
    const dialog = page.getByRole("dialog");
    const undoOf = undoIn(page);
    await page.getByRole("button", { name: "End it…" }).click(PATIENT);
    await dialog.getByText(/You can go on all the same/).waitFor(PATIENT); // no guard has looked yet
    await dialog.getByRole("textbox").fill("it is well");
    await dialog.getByRole("button", { name: "Go on all the same" }).click();
    await page.locator(".toast", { hasText: "is done" }).waitFor(PATIENT);
    expect((await now()).state).toBe("done");
    await takeBack(page, undoOf("is done"), { state: "running", percent_bp: 10000 });
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
    await takeBack(page, undoOf("go to Vapi"), { state: "running", kill: false });
    await takeBack(page, page.getByRole("main").getByRole("button", { name: "Undo…" }), { kill: true });
    await page.getByRole("button", { name: "End the force…" }).click(PATIENT);
    await dialog.getByRole("button", { name: "End the force" }).click(PATIENT);
    await takeBack(page, undoOf("is not forced any more"), { kill: true });
    await page.getByRole("button", { name: "End the force…" }).click(PATIENT);
    await dialog.getByRole("button", { name: "End the force" }).click(PATIENT);
    await page.getByRole("button", { name: "Force to OpenAI…" }).click(PATIENT);
    await dialog.getByLabel(/Why/).fill("Vapi is down", PATIENT);
    await dialog.getByLabel(/Write/).fill(AGENT);
    await dialog.getByRole("button", { name: "Force to OpenAI" }).click();
    await page.locator(".toast", { hasText: "go to OpenAI" }).waitFor(PATIENT);
    expect((await now()).mode).toBe("openai");
    await takeBack(page, undoOf("go to OpenAI"), { mode: "split", kill: false });

    await page.getByRole("button", { name: "Hold…" }).click(PATIENT);
    await dialog.getByRole("rowheader", { name: "State" }).waitFor(PATIENT);
    await api("admin", "POST", `/rollouts/${AGENT}/hold`, { reason: "we look first" }, { "if-match": "*" });
    await dialog.getByRole("button", { name: "Hold", exact: true }).click();
    await dialog.getByText(/changed it .*nothing of yours was written/).waitFor(PATIENT);
  });
});
