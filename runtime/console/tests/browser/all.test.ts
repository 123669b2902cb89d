// SPDX-License-Identifier: Apache-2.0
// What holds on each page, found by walking from the rail through tabs to the first thing of each list: it says that it
// waits, what went wrong and how to ask again; nobody's words are anything but words; and axe finds nothing in light or
// dark. Then what holds for each change: the session ends or may less in the middle of it, or its answer is lost.
import type { Page, Route } from "playwright-core";
import { describe, expect, it } from "vitest";
import { api, axe, contrast, open, order } from "./stand";

const hostile = `'"><img src=x onerror="window.__hacked=1"><script>window.__hacked=1</script>{{7*7}}`;
const QUIET = ["/api/v1/me", "/api/v1/events", "/api/v1/tickets"]; // the frame's own
const asked = (route: Route) => new URL(route.request().url());

/** Goes there as a click on a link does. */
async function go(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, "", to);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
}

async function links(page: Page, where: string): Promise<string[]> {
  return page.locator(where).evaluateAll((all) => all.map((a) => a.getAttribute("href")!));
}

// ---- each page ----

/** Tabs of a page, the first thing of its first list, and the forms that its head opens. */
async function further(page: Page): Promise<string[]> {
  const [rows, tabs, forms] = [await links(page, "main a.row-link"), await links(page, "main nav.tabs a"), await links(page, 'main .page-head a.button[href$="/import"]')];
  return [...tabs, ...rows.slice(0, 1), ...forms].map((href) => href.split("?")[0]!);
}

/** Places that are there whatever the rail has: a list that is empty drops what it leads to, and is told here. */
const EXPECTED = [
  /^\/today$/, /^\/live$/, /^\/calls\/CA\w+$/, /^\/emergencies\/CA\w+\/[\w-]+$/, /^\/emergencies\/near-misses$/, /^\/numbers$/, /^\/rollout\/[\w-]+$/,
  /^\/dashboard$/, /^\/costs$/, /^\/agents\/(?!releases$)[\w-]+$/, /^\/agents\/releases$/, /^\/texts\/[%\w]+$/, /^\/appointments\/\d+$/, /^\/appointments\/import$/,
  /^\/appointments\/customers\/\d+$/, /^\/appointments\/customers\/import$/, /^\/alerts\/\d+$/, /^\/alerts\/rules$/, /^\/alerts\/silences$/, /^\/alerts\/history$/, /^\/nodes$/,
  /^\/settings\/tokens$/, /^\/settings\/rates$/, /^\/settings\/audit$/,
];
const ASKS_NOTHING = /\/import$/; // a form alone

interface Gate {
  state: "open" | "shut" | number;
  waiting: (() => void)[];
  asked: number;
}

/** What a page asks waits, fails, or goes on. */
async function gated(page: Page): Promise<Gate> {
  const gate: Gate = { state: "open", waiting: [], asked: 0 };
  await page.route(/\/api\/v1\/|\/health$/, async (route) => {
    if (QUIET.includes(asked(route).pathname)) return route.continue();
    gate.asked++;
    if (gate.state === "shut") await new Promise<void>((resolve) => gate.waiting.push(resolve));
    if (typeof gate.state !== "number") return route.continue().catch(() => {}); // nobody may wait for it any more
    const problem = { title: `It went wrong here ${hostile}`, status: gate.state, fix: "look at the node's log" };
    const health = asked(route).pathname === "/health"; // which is for machines: 503 is an answer there
    return route.fulfill({ status: health ? 500 : gate.state, headers: { "retry-after": "60" }, contentType: "application/problem+json", body: JSON.stringify(problem) }).catch(() => {});
  });
  return gate;
}

function release(gate: Gate, state: Gate["state"]): void {
  gate.state = state;
  gate.waiting.splice(0).forEach((resolve) => resolve());
}

const waits = (page: Page) => page.waitForFunction(() => !document.querySelector("main .loading") && document.querySelector("main h1"));

/** Slow, failed, asked again, there: what it says of each. */
async function troubled(page: Page, path: string, gate: Gate, status: number): Promise<void> {
  if (ASKS_NOTHING.test(path)) {
    await go(page, path);
    await page.locator("main h1", { hasText: "Import" }).waitFor();
    return;
  }
  const before = gate.asked;
  release(gate, "shut");
  await go(page, path);
  await page.locator("main .loading").first().waitFor();
  release(gate, status);
  await waits(page);
  expect(gate.asked, `${path} asks nothing`).toBeGreaterThan(before);
  await page.locator("main").getByText("It went wrong here '\"><img src=x", { exact: false }).first().waitFor();
  await page.locator("main").getByText(/Look at the node's log\.|Try again/).first().waitFor();
  release(gate, "open");
  await page.evaluate(() => document.querySelectorAll<HTMLButtonElement>("main .failed button").forEach((again) => again.click()));
  await page.waitForFunction(() => !document.querySelector("main .failed, main .loading"));
}

let walked: string[] = [];

describe("each page", () => {
  it("says that it waits and what went wrong, asks again, and is for everybody in light and dark", async () => {
    const page = await open("/no-such-page", "admin");
    const gate = await gated(page);
    const places = await links(page, ".rail ul a");
    expect(places.length).toBeGreaterThan(4);
    const found: string[] = [];
    const told: string[] = [];
    for (let i = 0; i < places.length; i++) {
      const path = places[i]!;
      await troubled(page, path, gate, i % 2 ? 503 : 500).catch((why: Error) => told.push(`${path}: ${why.message}`));
      release(gate, "open");
      await axe(page).catch((why: Error) => told.push(`${path}: ${why.message}`));
      await page.emulateMedia({ colorScheme: "dark" });
      await contrast(page).catch((why: Error) => told.push(`${path} in the dark: ${why.message}`));
      await page.emulateMedia({ colorScheme: "light" });
      found.push(path);
      for (const next of await further(page)) if (!places.includes(next)) places.push(next);
    }
    expect(told).toEqual([]);
    console.log(`${found.length} places: ${found.join(" ")}`);
    expect(EXPECTED.filter((one) => !found.some((path) => one.test(path))).map(String)).toEqual([]);
    walked = found;
  }, 400_000);

  it("shows words of others as words, wherever they stand", async () => {
    const page = await open("/no-such-page", "admin");
    let dialogs = 0;
    page.on("dialog", (d) => (dialogs++, void d.dismiss()));
    await page.route(/\/api\/v1\//, async (route) => {
      if (QUIET.includes(asked(route).pathname)) return route.continue();
      try {
        const response = await route.fetch();
        const isJson = response.headers()["content-type"]?.includes("json");
        await route.fulfill(isJson ? { response, json: spoiled("", await response.json()) } : { response });
      } catch {
        await route.abort().catch(() => {}); // nobody waits for it any more
      }
    });
    const told: string[] = [];
    let seen = 0;
    for (const path of walked.length > 0 ? walked : await links(page, ".rail ul a")) {
      await go(page, path);
      await waits(page);
      const here = await page.evaluate(() => ({
        words: document.querySelector("main")!.textContent!.split("<img src=x").length - 1,
        made: document.querySelectorAll('img[src="x"], body script').length,
        led: [...document.querySelectorAll("a[href]")].map((a) => a.getAttribute("href")!).filter((h) => !/^(\/(?!\/)|#|https:\/\/)/.test(h)),
        broken: document.querySelector("main .failed")?.textContent ?? null,
      }));
      seen += here.words > 0 ? 1 : 0;
      if (here.made || here.led.length) told.push(`${path}: ${here.made} elements, ${here.led.join(" ")}`);
      if (here.broken) told.push(`${path}: ${here.broken}`);
    }
    expect(told).toEqual([]);
    expect(dialogs).toBe(0);
    expect(seen).toBeGreaterThan(12); // they were there to be seen
  }, 300_000);
});

const WORDS = new Set(["name", "text", "heard", "body", "words", "note", "notes", "reason", "detail", "service", "who", "label", "title", "about", "fix", "why", "message", "output", "by", "acked_by", "made_by", "set_by", "ack_note", "source"]);
const KEPT = new Set(["zone", "time_zone", "etag", "cursor", "next", "filter", "day", "month", "from_day", "to_day"]);

/** The same answer, where whatever is said, called or explained is hostile. Names of states, ids and times are the node's own. */
function spoiled(key: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((v) => spoiled(key, v));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, spoiled(k, v)]));
  if (typeof value !== "string" || KEPT.has(key)) return value;
  if (key === "runbook") return "javascript:window.__hacked=1";
  if (WORDS.has(key) || key === "before" || key === "after") return `${value} ${hostile}`;
  return /^[\w.:+@/=…*-]*$/.test(value) ? value : `${value} ${hostile}`;
}

describe("what has the focus", () => {
  it("is never under the bar that stays, on the way back through a long page", async () => {
    const page = await open("/alerts/rules", "viewer", { height: 420 });
    await page.locator("main tbody tr").first().waitFor();
    await page.locator("main tbody a").last().focus();
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Shift+Tab");
      const at = await page.evaluate(() => {
        const here = document.activeElement!;
        return here.closest("main tbody") ? here.getBoundingClientRect().top - document.querySelector(".bar")!.getBoundingClientRect().bottom : null;
      });
      if (at === null) break;
      expect(at).toBeGreaterThanOrEqual(0);
    }
  });
});

// ---- each change ----

type Tokens = { id: string; name: string }[];
const named = async (name: string) => Object.values(await order<Tokens>({ do: "sql", sql: `select id, name from tokens where name = '${name}'` }));

async function fill(page: Page, name: string): Promise<void> {
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: "Make…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: `Make ${name}` }).waitFor();
}

async function logIn(path: string, token: string): Promise<Page> {
  const page = await open(path, null);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.locator("main h1").waitFor();
  return page;
}

const mySession = (page: Page) => page.evaluate(() => sessionStorage.getItem("ringdown.session")!);

describe("a change", () => {
  it("in the middle of which one may less, or the session ends, is not made, and that is said", async () => {
    const page = await logIn("/settings", await order<string>({ do: "token", role: "admin" }));
    const { createHash } = await import("node:crypto");
    const mine = `hash = '\\x${createHash("sha256").update(await mySession(page)).digest("hex")}'`;
    await fill(page, "never-made");
    await order({ do: "run", sql: `update tokens set role = 'viewer' where ${mine}` });
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Make never-made" }).click();
    await dialog.locator(".failed").getByText(/admin/).first().waitFor();
    await axe(page);
    await order({ do: "run", sql: `update tokens set revoked_at = now() where ${mine}` });
    await dialog.getByRole("button", { name: "Make never-made" }).click();
    await page.getByText("The session has expired or was ended.").waitFor();
    await page.getByText("ringdown console link", { exact: false }).first().waitFor();
    expect(await dialog.count()).toBe(0);
    expect(await named("never-made")).toHaveLength(0);
  });

  it("whose answer is lost may be tried again, and is made once", async () => {
    const page = await open("/alerts/silences?rule=drift", "operator");
    await page.getByRole("button", { name: "Silence…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("a lost answer");
    const keys: (string | undefined)[] = [];
    let lose = true;
    await page.route("**/api/v1/alerts/silences", async (route) => {
      if (route.request().method() !== "POST") return route.continue();
      keys.push(route.request().headers()["idempotency-key"]);
      if (!lose) return route.continue();
      await route.fetch(); // the node has it
      return route.abort("connectionrefused");
    });
    await dialog.getByRole("button", { name: "Silence" }).click();
    await dialog.getByText("The node does not answer. The change may have been made or not.", { exact: false }).waitFor();
    await dialog.getByText("Look at how it is now before you do it again.").waitFor();
    await axe(page);
    lose = false;
    await dialog.getByRole("button", { name: "Silence" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(keys).toHaveLength(2);
    expect(keys[1]).toBe(keys[0]);
    const { items } = await api<{ items: { reason: string }[] }>("operator", "GET", "/alerts/silences");
    expect(items.filter((s) => s.reason === "a lost answer")).toHaveLength(1);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Nothing is silent").waitFor();
  });

  it("is not offered to tokens of some agents where it is about all", async () => {
    const page = await logIn("/alerts", await order<string>({ do: "token", role: "operator", agents: ["brightsmile-dental"] }));
    expect(await page.getByRole("link", { name: "Silences" }).count()).toBe(0);
    expect(await page.locator(".rail a", { hasText: "Health" }).count()).toBe(0);
    await go(page, "/settings");
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    expect(await page.getByRole("link", { name: "Audit" }).count()).toBe(0);
    await axe(page);
  });
});
