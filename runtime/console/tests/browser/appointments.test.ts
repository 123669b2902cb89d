// SPDX-License-Identifier: Apache-2.0
// Visits and customers: looked up, moved and taken back, called off, changed, taken over from tables.
import { describe, expect, it } from "vitest";
import { api, axe, open, order, shot } from "./stand";

type Visit = { id: string; begins: string; resource: string; status: string; name: string };
const one = (id: string) => api<Visit>("operator", "GET", `/appointments/${id}`);
const hostile = `"><img src=x onerror="window.__hacked=1">`;

/** Visits of the far future, which no other story has. */
async function seeded(): Promise<Visit> {
  const rows = await order<string[][]>({
    do: "sql",
    sql: `insert into appointments (agent, site, resource, during, name, service) values ('northside-plumbing', 'default', 'truck 9',
      tstzrange('2031-03-04 15:00+00', '2031-03-04 16:00+00') , 'Ada Lovelace', 'drain') on conflict do nothing returning id`,
  });
  void rows;
  const { items } = await api<{ items: Visit[] }>("operator", "GET", "/appointments?since=2031-01-01T00:00:00Z&status=booked&resource=truck%209");
  return items[0]!;
}

describe("appointments", () => {
  it("moves a visit after it showed what will be written, and takes it back", async () => {
    const visit = await seeded();
    const page = await open("/appointments?from=2031-03-01&status=booked", "operator");
    await page.getByRole("row", { name: /Ada Lovelace/ }).getByRole("link").first().click();
    await page.getByRole("heading", { name: "Drain: Ada Lovelace" }).waitFor();
    await axe(page);
    await page.getByLabel("Begins (America/Chicago)").fill("2031-03-05T10:30");
    await page.getByRole("button", { name: "Move…" }).click();
    const dialog = page.getByRole("dialog", { name: /Move the drain of Ada Lovelace/ });
    await dialog.getByRole("row", { name: /Begins Tue 4 Mar 2031 09:00 .* Wed 5 Mar 2031 10:30/ }).waitFor();
    await axe(page);
    await shot(page, "appointments-move", false);
    expect((await one(visit.id)).begins).toMatch(/^2031-03-04T15:00/);
    await dialog.getByRole("button", { name: "Move this visit" }).click();
    await page.getByText("The visit is moved.").waitFor();
    expect((await one(visit.id)).begins).toMatch(/^2031-03-05T16:30/);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.locator("dd", { hasText: /Tue 4 Mar 2031 09:00/ }).first().waitFor();
    expect((await one(visit.id)).begins).toMatch(/^2031-03-04T15:00/);
  });

  it("writes nothing over what somebody else changed, and says so", async () => {
    const visit = await seeded();
    const page = await open(`/appointments/${visit.id}`, "operator");
    await page.getByLabel("Minutes").fill("90");
    await api("admin", "POST", `/appointments/${visit.id}/move`, { minutes: 75 });
    await page.getByRole("button", { name: "Move…" }).click();
    const said = page.getByRole("dialog").getByRole("alert");
    await said.waitFor();
    expect(await said.textContent()).toMatch(/admin-\d+ .*changed it .*nothing of yours was written/);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByLabel("Minutes").and(page.locator('[value="75"]')).or(page.locator("dd", { hasText: "10:15" })).first().waitFor();
  });

  it("calls a visit off once it was asked by name", async () => {
    const visit = await seeded();
    const page = await open(`/appointments/${visit.id}`, "operator", { scheme: "dark", width: 900 });
    await page.getByRole("button", { name: "Call it off…" }).click();
    const dialog = page.getByRole("dialog", { name: /Call off the drain of Ada Lovelace/ });
    await dialog.getByText("This cannot be taken back").waitFor();
    await axe(page);
    await dialog.getByRole("button", { name: "Call it off", exact: true }).click();
    await page.getByText("The visit is called off.").waitFor();
    expect((await one(visit.id)).status).toBe("cancelled");
    await page.getByRole("button", { name: "Move…" }).waitFor({ state: "detached" });
  });

  it("imports customers, tells which lines are wrong, and shows names as text", async () => {
    const page = await open("/appointments/customers", "operator");
    await page.getByRole("link", { name: "Import…" }).click();
    await page
      .getByLabel("or as text")
      .fill(`agent,number,name,vip\nnorthside-plumbing,+13125550777,"${hostile.replaceAll('"', '""')} Zed",true\nno-such-agent,+13125550778,Nobody,false\n`);
    await axe(page);
    await page.getByRole("button", { name: "See what would be written…" }).click();
    const dialog = page.getByRole("dialog", { name: "Import customers?" });
    await dialog.getByText("2 rows: 1 new, 1 wrong. It cannot be taken back; rows can be imported again with other values.").waitFor();
    await dialog.getByRole("row", { name: /^3 .*no-such-agent/ }).waitFor();
    await axe(page);
    await shot(page, "appointments-import", false);
    await dialog.getByRole("button", { name: "Import customers" }).click();
    await page.getByRole("row", { name: /onerror=.*Zed/ }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/appointments/customers");
    await axe(page);
  });

  it("changes what is known of a customer, and takes it back", async () => {
    const { items } = await api<{ items: { id: string; name: string }[] }>("operator", "GET", "/customers?q=nguyen&limit=1");
    const { id, name } = items[0]!;
    const page = await open(`/appointments/customers/${id}`, "operator");
    await page.getByLabel("Notes, which the agent reads").fill("Ring twice.");
    await page.getByRole("button", { name: "Write…" }).click();
    const dialog = page.getByRole("dialog", { name: `Change what is known of ${name}?` });
    await dialog.getByRole("row", { name: /Notes nothing Ring twice\./ }).waitFor();
    await dialog.getByRole("button", { name: "Write it" }).click();
    await page.locator("dd", { hasText: "Ring twice." }).waitFor();
    await axe(page);
    await shot(page, "appointments-customer");
    await page.getByRole("button", { name: "Undo" }).click();
    await page.locator("dd", { hasText: "Ring twice." }).waitFor({ state: "detached" });
  });

  it("shows viewers no switch and no names, and the node refuses what is not shown", async () => {
    const page = await open("/appointments?past=true", "viewer");
    await page.getByRole("row", { name: /truck 1/ }).first().waitFor();
    await axe(page);
    await shot(page, "appointments");
    expect(await page.getByRole("link", { name: "Import…" }).count()).toBe(0);
    expect(await page.locator("main").textContent()).not.toMatch(/\+1\d{10}/);
    await page.locator("main .row-link").first().click();
    await page.getByText("Who or what").first().waitFor();
    expect(await page.getByRole("button", { name: /Move…|Call it off…/ }).count()).toBe(0);
    await expect(api("viewer", "POST", "/appointments/1/cancel")).rejects.toThrow(/403/);
  });
});
