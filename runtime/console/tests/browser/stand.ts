// SPDX-License-Identifier: Apache-2.0
// stand - one real node with doubles and a seeded PostgreSQL, and a browser in front of it, for all files of tests.
//
//   const page = await open("/calls", "operator");   a tab of its own, logged in; it fails the test that leaves errors
//   await axe(page);                                 0 violations, or they are told; contrast(page): of colours alone
//   await shot(page, "calls");                       build/test/screens/calls.png
//   await order({ do: "call", scenario: "holds-the-line" })   what spec/e2e/support/stand.lua does
//
// Texts of callers in the seed run as scripts when they are shown as anything but text: over(), which hooks.ts calls after
// each test, notices.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { expect } from "vitest";

export type Role = "viewer" | "operator" | "admin";

interface Stand {
  admin: string;
  url: string;
  database: string;
  tokens: Record<Role, string>;
}

const ROOT = new URL("../../../../", import.meta.url).pathname;
const SCREENS = process.env.RINGDOWN_SCREENS ?? ROOT + "build/test/screens/";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

interface Kept {
  child: ChildProcess;
  stand: Promise<Stand>;
  waiting: ((line: string) => void)[];
  browser: Promise<Browser>;
}

// One for all files: they run in one process.
const place = globalThis as unknown as { ringdownStand?: Kept };

function begin(): Kept {
  const child = spawn("lua5.4", ["spec/e2e/support/stand.lua"], { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
  const waiting: Kept["waiting"] = [];
  const stand = new Promise<Stand>((resolve, reject) => {
    waiting.push((line) => resolve(JSON.parse(line) as Stand));
    child.once("exit", (code) => reject(new Error(`the stand ended (${code}); run lua5.4 spec/e2e/support/stand.lua to see why`)));
  });
  createInterface(child.stdout!).on("line", (line) => waiting.shift()?.(line));
  const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  const browser = chromium.launch({ executablePath, args: FLAGS, env: { ...process.env, TZ: "America/Chicago" } });
  process.once("exit", () => child.kill());
  return { child, stand, waiting, browser };
}

const kept = (): Kept => (place.ringdownStand ??= begin());

export const stand = (): Promise<Stand> => kept().stand;

/** One order of spec/e2e/support/stand.lua, after the ones before. */
export async function order<T = unknown>(what: { do: string; [name: string]: unknown }): Promise<T> {
  const k = kept();
  await k.stand;
  const line = await new Promise<string>((resolve) => {
    k.waiting.push(resolve);
    k.child.stdin!.write(JSON.stringify(what) + "\n");
  });
  const { answer, error } = JSON.parse(line) as { answer?: T; error?: string };
  if (error !== undefined) throw new Error(error);
  return answer as T;
}

/** The API as somebody with a token of this role asks it. */
export async function api<T>(role: Role, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const { admin, tokens } = await stand();
  const response = await fetch(admin + "/api/v1" + path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: { authorization: "Bearer " + tokens[role], ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
  });
  const value: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(value)}`);
  return value as T;
}

const contexts: BrowserContext[] = [];
const complaints: string[] = [];

function listen(page: Page, expected: RegExp[]): void {
  page.on("console", (message) => {
    const text = message.text();
    const isHttp = /^Failed to load resource/.test(text); // a test that wants a refusal gets one
    if (message.type() === "error" && !isHttp && !expected.some((e) => e.test(text))) complaints.push(`${page.url()}: ${text}`);
  });
  page.on("pageerror", (why) => void (expected.some((e) => e.test(why.message)) || complaints.push(`${page.url()}: ${why.stack ?? why.message}`)));
}

interface OpenOptions {
  scheme?: "light" | "dark";
  width?: number;
  height?: number;
  errors?: RegExp[]; // those that are all right
  zone?: string;
}

/** A tab at this path; `role` null: nobody is logged in. */
export async function open(path: string, role: Role | null, o: OpenOptions = {}): Promise<Page> {
  const [{ admin, tokens }, browser] = await Promise.all([stand(), kept().browser]);
  const context = await browser.newContext({
    baseURL: admin,
    viewport: { width: o.width ?? 1360, height: o.height ?? 850 },
    colorScheme: o.scheme ?? "light",
    timezoneId: o.zone ?? "America/Chicago",
    locale: "en-US",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(60_000); // a machine with much to do is not a failure
  contexts.push(context);
  const page = await context.newPage();
  listen(page, o.errors ?? []);
  if (role) await context.addInitScript((token) => sessionStorage.getItem("ringdown.session") ?? sessionStorage.setItem("ringdown.session", token), tokens[role]);
  await page.goto(path);
  if (role) await page.waitForSelector("main:not(.login) h1");
  return page;
}

const require = createRequire(import.meta.url);
let axeSource: string | null = null;

const ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function violations(page: Page, runOnly: unknown): Promise<void> {
  axeSource ??= readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  const found = await page.evaluate(async (only) => {
    const run = (window as unknown as { axe: { run: (o: object) => Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }).axe.run;
    const { violations } = await run({ runOnly: only });
    return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${v.help}\n  ${n.html.slice(0, 200)}\n  ${n.failureSummary ?? ""}`));
  }, runOnly);
  expect(found).toEqual([]);
}

/** 0 violations of WCAG 2.2 AA. The page's own rules let no script be added: it is run from outside. */
export const axe = (page: Page): Promise<void> => violations(page, ALL);

/** Only what another colour scheme may change. */
export const contrast = (page: Page): Promise<void> => violations(page, { type: "rule", values: ["color-contrast", "link-in-text-block"] });

export async function shot(page: Page, name: string, fullPage = true): Promise<void> {
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: `${SCREENS}/${name}.png`, fullPage });
}

/** What the pages of a test that failed show: text on stderr, the picture beside the others. */
async function tell(name: string): Promise<void> {
  for (const [i, page] of contexts.flatMap((c) => c.pages()).entries()) {
    const text = await page.locator("body").innerText({ timeout: 5000 }).catch((why: unknown) => String(why));
    console.error(`${name}: ${page.url()} shows:\n${text.slice(0, 1500)}`);
    await shot(page, `failed-${name.replace(/\W+/g, "-").slice(0, 80)}-${i}`, false).catch(() => {});
  }
}

/** After each test: what failed is told, no page had an error or ran what a caller said, and all of them are closed. */
export async function over(test: { name: string; failed: boolean }): Promise<void> {
  if (test.failed) await tell(test.name);
  for (const context of contexts)
    for (const page of context.pages())
      if (await page.evaluate(() => "__hacked" in window).catch(() => false)) complaints.push(`${page.url()}: what a caller said ran as a script`);
  await Promise.all(contexts.splice(0).map((c) => c.close()));
  expect(complaints.splice(0)).toEqual([]);
}
