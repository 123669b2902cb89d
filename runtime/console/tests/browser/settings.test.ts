// SPDX-License-Identifier: Apache-2.0
// Who may come in, what things cost, and who changed what.
import { describe, expect, it } from "vitest";
import { axe, open, shot, stand } from "./stand";

describe("settings", () => {
  it("make a token, show its secret once, and revoke it", async () => {
    const { admin } = await stand();
    const me = async (token: string) => (await fetch(admin + "/api/v1/me", { headers: { authorization: `Bearer ${token}` } })).status;
    const page = await open("/settings", "admin");
    await page.getByLabel("Name", { exact: true }).fill("board");
    for (const agent of ["northside-plumbing", "brightsmile-dental"]) await page.getByLabel(agent).check();
    await page.getByRole("button", { name: "Make…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("what the audit calls it").waitFor();
    await dialog.getByText("brightsmile-dental, northside-plumbing").waitFor();
    await axe(page);
    await dialog.getByRole("button", { name: "Make board" }).click();
    const secret = (await page.locator(".secret code").textContent())!;
    expect(secret).toMatch(/^rd_[0-9a-f]{64}$/);
    expect(await me(secret)).toBe(200);
    await axe(page);
    await page.getByRole("button", { name: "I have it" }).click();
    await page.getByRole("cell", { name: "board", exact: true }).waitFor();
    expect(await page.content()).not.toContain(secret);
    await shot(page, "settings-tokens");

    await page.getByRole("row", { name: /board/ }).getByRole("button", { name: "Revoke…" }).click();
    const go = dialog.getByRole("button", { name: "Revoke board" });
    expect(await go.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("board");
    await go.click();
    await page.getByRole("cell", { name: "board", exact: true }).waitFor({ state: "detached" });
    expect(await me(secret)).toBe(401);
  });

  it("set another price from a day on, after saying what it takes the place of", async () => {
    const page = await open("/settings/rates?what=sms", "admin");
    await page.getByRole("button", { name: "Change…" }).first().click();
    await page.getByLabel(/Dollars per/).fill("cheap");
    expect(await page.getByRole("button", { name: "See what changes…" }).isDisabled()).toBe(true);
    await page.getByLabel(/Dollars per/).fill("0.0123");
    await page.getByLabel(/^From/).fill("2099-01-01");
    await axe(page);
    await page.getByRole("button", { name: "See what changes…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("cell", { name: "$0.0123 per segment" }).waitFor();
    await dialog.getByText("It cannot be taken back; another price can be set from a day on.").waitFor();
    await axe(page);
    await shot(page, "price", false);
    await dialog.getByRole("button", { name: "Set the price" }).click();
    await page.getByRole("cell", { name: "0.0123" }).waitFor();
  });

  it("say who changed what, by filters that are in the address", async () => {
    const page = await open("/settings/audit?what=tokens.revoke", "operator");
    await page.getByRole("cell", { name: "board" }).first().waitFor();
    expect(await page.getByRole("cell", { name: "tokens.create" }).count()).toBe(0);
    await page.getByRole("searchbox", { name: "What" }).fill("tokens.create");
    await page.waitForURL(/what=tokens\.create/);
    await page.getByRole("cell", { name: "tokens.create" }).first().waitFor();
    await axe(page);
    await shot(page, "audit");
    expect(await page.getByRole("link", { name: "Tokens" }).count()).toBe(0); // an admin's
    await page.goto("/settings/rates");
    await page.getByRole("cell", { name: "OpenAI" }).first().waitFor();
    expect(await page.getByRole("button", { name: "Change…" }).count()).toBe(0);
    await axe(page);
  });
});
