// SPDX-License-Identifier: Apache-2.0
// Agents: what one is made of, a file that does not load with its line, what differs, publishing and restoring.
import { describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

const AGENT = "brightsmile-dental";
const PATIENT = { timeout: 30_000 };

describe("agents", () => {
  it("are shown with their tools, rules and prompt", async () => {
    const page = await open(`/agents/${AGENT}`, "viewer");
    await page.getByRole("region", { name: "Tools" }).waitFor(PATIENT);
    await page.getByText("book_appointment").first().waitFor();
    expect(await page.getByRole("button", { name: /Publish/ }).count()).toBe(0);
    await shot(page, "agent");
  });

  it("say which line of a file is wrong, and that it is mended", async () => {
    await order({ do: "agent", name: "broken.lua", text: 'local agent = require "ringdown.agent"\n\nreturn agent {\n  name = "broken",\n  greting = "<img src=x onerror=window.__hacked=1>",\n}\n' });
    const page = await open("/agents", "operator", { scheme: "dark" });
    await page.getByText(/broken\.lua:\d+/).first().waitFor({ timeout: 50_000 });
    await axe(page);
    await shot(page, "agents-errors-dark");
    await order({ do: "agent", name: "broken.lua" });
    await page.getByText("Every file loads.").waitFor({ timeout: 50_000 });
  });

  it("are published and restored, after what differs was shown", async () => {
    const { items } = await api<{ items: { agent: string; version: string }[] }>("operator", "GET", "/agents");
    const first = items.find((a) => a.agent === AGENT)!.version;
    // another set of files, as somebody published it before
    await order({
      do: "run",
      sql: `with t as (insert into agent_trees (tree_hash, files, agents, first_at, last_at)
        select repeat('ab', 32), jsonb_set(files, '{added.lua}', '"-- a <b>line</b>\\n"'), agents - '${AGENT}', now(), now() from agent_trees order by last_at desc limit 1 returning *)
        select publish_agents(tree_hash, files, agents, 'bob', 'another', current_release(), null) from t`,
    });
    const current = async () => (await api<{ items: { tree: string }[] }>("operator", "GET", "/agents/releases?limit=1")).items[0]!.tree;
    const bobs = "ab".repeat(32);
    const page = await open(`/agents/${AGENT}`, "operator");
    const dialog = page.getByRole("dialog");
    const undo = page.locator(".toast", { hasText: "is current" }).getByRole("button", { name: "Undo" });
    const restore = dialog.getByRole("button", { name: /Restore release/ });
    const row = page.getByRole("row", { name: new RegExp(first.slice(0, 12)) });
    await row.getByRole("button", { name: /Publish/ }).click(PATIENT);
    await dialog.getByRole("textbox").fill("to begin with", PATIENT);
    await dialog.getByRole("button", { name: "Publish", exact: true }).click();
    await undo.waitFor(PATIENT);
    expect(await current()).not.toBe(bobs);
    await undo.click();
    await dialog.getByText("added.lua").waitFor(PATIENT);
    await restore.click();
    await undo.waitFor(PATIENT);
    expect(await current()).toBe(bobs);

    await page.goto("/agents/releases");
    await page.getByRole("button", { name: "Compare" }).first().click(PATIENT);
    await page.getByText("-- a <b>line</b>").first().waitFor(PATIENT);
    await axe(page);
    await shot(page, "releases");
    await page.getByRole("button", { name: "Restore…" }).first().click();
    await dialog.getByText("added.lua").waitFor(PATIENT);
    await axe(page);
    await shot(page, "release-restore", false);
    await restore.click();
    await undo.waitFor(PATIENT);
    expect(await current()).not.toBe(bobs);
    await undo.click();
    await restore.click(PATIENT);
    await undo.waitFor(PATIENT);
    expect(await current()).toBe(bobs);

    await undo.click();
    await dialog.getByText("added.lua").waitFor(PATIENT);
    await order({
      do: "run",
      sql: `select publish_agents(tree_hash, files, t.agents, 'cleo', 'meanwhile', current_release(), null)
        from agent_trees t join agent_releases r using (tree_hash) where tree_hash <> '${bobs}' order by r.id desc limit 1`,
    });
    await restore.click();
    await dialog.getByText(/Cleo changed it .*nothing of yours was written/).waitFor(PATIENT); // cleo was faster
  });
});
