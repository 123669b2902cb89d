// SPDX-License-Identifier: Apache-2.0
// The nodes, their components, alarms, and letting a node go.
import { describe, expect, it } from "vitest";
import { axe, open, order, shot } from "./stand";

describe("health", () => {
  it("shows the node that answers, its components and what is open", async () => {
    await order({
      do: "run",
      sql: `insert into alerts (node, kind, subject, severity, text, fix, opened_at, last_at)
        values ('n9', 'journal.old', 'A "<b>subject</b>"', 'critical', 'facts wait since 09:00', 'start PostgreSQL', now(), now())`,
    });
    const page = await open("/nodes", "operator");
    await page.getByRole("cell", { name: /answers here/ }).waitFor();
    await page.getByText("journal.old").waitFor();
    await page.getByText("start PostgreSQL").waitFor();
    await page.getByText("database: connection").waitFor();
    expect(await page.getByRole("button", { name: /Drain/ }).count()).toBe(0);
    await axe(page);
    await shot(page, "health");
    await order({ do: "run", sql: "delete from alerts where node = 'n9'" });
  });

  it("lets an admin drain it, once its name is written", async () => {
    const page = await open("/nodes", "admin");
    await page.getByRole("button", { name: "Drain…" }).click();
    const dialog = page.getByRole("dialog");
    const go = dialog.getByRole("button", { name: /^Drain / });
    expect(await go.isDisabled()).toBe(true);
    await axe(page);
    await shot(page, "drain", false);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });

    let asked = 0;
    await page.route("**/nodes/*/drain", (route) => {
      asked++;
      return route.fulfill({ status: 409, contentType: "application/problem+json", body: JSON.stringify({ title: "It was not done", status: 409, detail: "it drains already", fix: "wait" }) });
    });
    await page.getByRole("button", { name: "Drain…" }).click();
    const name = await dialog.locator("code").textContent();
    await dialog.getByRole("textbox").fill(name!);
    await go.click();
    await page.locator(".toast", { hasText: "It was not done. It drains already." }).waitFor();
    expect(asked).toBe(1);
  });

  it("takes calls again when the drain is taken back, at once or later", async () => {
    const page = await open("/nodes", "admin");
    const dialog = page.getByRole("dialog");
    const drain = async () => {
      await page.getByRole("button", { name: "Drain…" }).click();
      await dialog.getByRole("textbox").fill((await dialog.locator("code").textContent())!);
      await dialog.getByRole("button", { name: /^Drain / }).click();
      await page.getByRole("button", { name: "Take calls again…" }).waitFor();
    };
    await drain();
    await page.getByText("refused: it drains").waitFor();
    await axe(page);
    await page.locator(".toast", { hasText: "takes no new calls" }).getByRole("button", { name: "Undo" }).click();
    await page.locator(".figures").getByText("takes calls").waitFor();
    await drain();
    await page.getByRole("button", { name: "Take calls again…" }).click();
    await dialog.getByRole("button", { name: "Take calls again" }).click();
    await page.getByRole("button", { name: "Drain…" }).waitFor();
    await page.locator(".figures").getByText("takes calls").waitFor();
  });
});
