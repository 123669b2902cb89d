// SPDX-License-Identifier: Apache-2.0
// Coming in, what each role sees, going out, and what is said when the node is away.
import { describe, expect, it } from "vitest";
import { axe, open, order, shot, stand } from "./stand";

const h1 = "main:not(.login) h1"; // of a page, not of the form before it

describe("somebody who comes to the console", () => {
  it("is asked for a token, and told what is wrong with it", async () => {
    const page = await open("/nodes", null);
    await page.getByLabel("Token").fill("hello");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("This is no token.").waitFor();
    await page.getByLabel("Token").fill("rd_" + "0".repeat(64));
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("This token is unknown, expired or revoked.").waitFor();
    await page.getByText("ringdown console link", { exact: false }).first().waitFor();
    await axe(page);
    await shot(page, "login");
  });

  it("logs in with a token, which is not kept", async () => {
    const { tokens } = await stand();
    const page = await open("/nodes", null);
    await page.getByLabel("Token").fill(` ${tokens.operator}\n`);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator(h1).waitFor();
    const kept = await page.evaluate(() => [{ ...sessionStorage }, { ...localStorage }, document.cookie]);
    expect(JSON.stringify(kept)).not.toContain(tokens.operator);
    expect(JSON.stringify(kept)).toContain("rd_");
  });

  it("comes in by a link, which works once and leaves nothing in the address", async () => {
    const link = await order<string>({ do: "link", role: "operator" });
    const asked: string[] = [];
    const page = await open("/nodes", null);
    page.on("request", (r) => asked.push(r.url()));
    await page.goto("about:blank");
    await page.goto(link);
    await page.locator(h1).waitFor();
    expect(page.url()).not.toContain("rt_");
    expect(asked.join("\n")).not.toContain("rt_");
    await page.getByText("maria").waitFor();
    await page.reload();
    await page.locator(h1).waitFor();

    const second = await open("/nodes", null);
    await second.goto("about:blank");
    await second.goto(link);
    await second.getByText("This log-in link was used already, or is too old.").waitFor();
  });

  it("comes in by a link that is opened where the console is open already", async () => {
    const page = await open("/nodes", null);
    await page.getByLabel("Token").waitFor();
    const link = await order<string>({ do: "link", role: "viewer" });
    await page.evaluate((hash) => void (location.hash = hash), new URL(link).hash); // as an address of the same page is
    await page.locator(h1).waitFor();
    await page.getByText("maria").waitFor();
    expect(page.url()).not.toContain("rt_");
  });

  it("goes out, and the session is over", async () => {
    const page = await open("/nodes", null);
    await page.goto("about:blank");
    await page.goto(await order<string>({ do: "link", role: "viewer" }));
    await page.locator(h1).waitFor();
    const token = await page.evaluate(() => sessionStorage.getItem("ringdown.session"));
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByText("You are logged out.").waitFor();
    const { admin } = await stand();
    const me = await fetch(admin + "/api/v1/me", { headers: { authorization: `Bearer ${token}` } });
    expect(me.status).toBe(401);
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  it("leaves no question and no notice to whoever comes next", async () => {
    const page = await open("/nodes", "admin");
    await page.getByRole("button", { name: "Drain…" }).click();
    await page.getByRole("dialog").waitFor();
    await page.route("**/api/v1/status", (route) => route.fulfill({ status: 401, contentType: "application/problem+json", body: '{"status":401,"title":"This needs a token that is good"}' }));
    await page.getByText("The session has expired or was ended.").waitFor();
    await page.unroute("**/api/v1/status");
    await page.getByLabel("Token").fill((await stand()).tokens.viewer);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator(h1).waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  it("is told when the session has ended meanwhile", async () => {
    const page = await open("/nodes", null);
    await page.goto("about:blank");
    await page.goto(await order<string>({ do: "link", role: "viewer" }));
    await page.locator(h1).waitFor();
    await order({ do: "run", sql: "update tokens set revoked_at = now() where is_session" });
    await page.getByText("The session has expired or was ended.").waitFor();
  });
});

describe("the frame of the page", () => {
  it("is served with rules that let nothing of others in", async () => {
    const { admin } = await stand();
    const page = await fetch(admin + "/calls/CA123", { headers: { accept: "text/html" } });
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'.*require-trusted-types-for 'script'; trusted-types 'none'$/);
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const again = await fetch(admin + "/", { headers: { "if-none-match": page.headers.get("etag")! } });
    expect(again.status).toBe(304);
    const asset = /\/assets\/index-[\w-]+\.js/.exec(await page.text())![0];
    const script = await fetch(admin + asset);
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect((await fetch(admin + "/assets/nothing.js", { headers: { accept: "text/html" } })).status).toBe(404);
    const unknown = await fetch(admin + "/api/v2/calls", { headers: { accept: "text/html" } });
    expect([unknown.status, unknown.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
  });

  it("says that it is live, and when it is not any more", async () => {
    const page = await open("/nodes", "operator");
    await page.locator(".bar .badge", { hasText: "live" }).waitFor();
    await page.context().setOffline(true);
    await page.locator(".bar .badge", { hasText: "disconnected" }).waitFor();
    await page.getByText("what you see may be old", { exact: false }).waitFor();
    await axe(page);
    await page.context().setOffline(false);
    await page.locator(".bar .badge", { hasText: "live" }).waitFor();
  });

  it("comes back by itself when the node does", async () => {
    const page = await open("/nodes", "operator");
    await page.locator(".bar .badge", { hasText: "live" }).waitFor();
    await order({ do: "restart" });
    await page.locator(".bar .badge", { hasText: /^live$/ }).waitFor({ timeout: 60_000 });
    await page.getByText("The node does not answer").waitFor({ state: "detached", timeout: 60_000 });
  });

  it("goes on when a page cannot be drawn, and says so in its place", async () => {
    const page = await open("/nodes", "operator");
    await page.route("**/api/v1/rollouts", (route) => route.fulfill({ json: { items: [{ agent: "a", track: null }], next: null } }));
    await page.locator(".rail a", { hasText: "Rollout" }).click();
    await page.getByText("Something in this page went wrong.").waitFor();
    await page.locator(".rail a", { hasText: "Health" }).click();
    await page.locator(h1, { hasText: "Health" }).waitFor();
    expect(await page.getByText("Something in this page went wrong.").count()).toBe(0);
  });

  it("is walked with the keyboard", async () => {
    const page = await open("/nodes", "operator");
    await page.keyboard.press("Tab");
    const seen = new Set<string>();
    for (let i = 0; i < 100 && !seen.has("Log out"); i++) {
      seen.add(await page.evaluate(() => document.activeElement?.textContent?.trim() ?? ""));
      await page.keyboard.press("Tab");
    }
    expect([...seen]).toEqual(expect.arrayContaining(["Health", "Log out"]));
  });

  it("shows what the role may do", async () => {
    const viewer = await open("/nodes", "viewer");
    await viewer.locator(".who", { hasText: "viewer, masked" }).waitFor();
    expect(await viewer.locator(".rail a", { hasText: "Settings" }).count()).toBe(0);
    await viewer.locator(".demo", { hasText: "Demo data: calls in this database were made up or came from the simulator." }).waitFor();
  });

  it("is one in light and in dark, and on a small screen", async () => {
    for (const scheme of ["light", "dark"] as const) {
      const page = await open("/nodes", "operator", { scheme });
      await axe(page);
      await shot(page, `health-${scheme}`);
    }
    const small = await open("/nodes", "operator", { width: 360, height: 740 });
    await axe(small);
    await shot(small, "health-360");
    expect(await small.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });

  it("knows no such place", async () => {
    const page = await open("/no-such-page", "operator");
    await page.getByText("There is no page at this address").waitFor();
    await axe(page);
  });
});
