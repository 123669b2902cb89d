// SPDX-License-Identifier: Apache-2.0
// consoles - so many open consoles in one browser, as people leave them: Live, Today, Calls and Dashboard in turn.
//
//   node consoles.mjs ADMIN TOKEN HOW_MANY GO          (watchers.lua runs it)
//
// While the file GO is there it prints a line for each console and two seconds: 200 when it shows its page and is
// live, 0 when not.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

const [admin, token, howMany, go] = process.argv.slice(2);
const { chromium } = createRequire(new URL("../../runtime/console/package.json", import.meta.url))("playwright-core");
const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const PAGES = ["/live", "/today", "/live", "/calls", "/dashboard"];

const browser = await chromium.launch({ executablePath, args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"] });

/** A console of its own: nothing is shared with the others, as on ten desks. */
async function open(i) {
  const context = await browser.newContext({ baseURL: admin, viewport: { width: 1360, height: 850 } });
  await context.addInitScript((t) => sessionStorage.setItem("ringdown.session", t), token);
  const page = await context.newPage();
  await page.goto(PAGES[i % PAGES.length], { timeout: 60_000 });
  return page;
}

const isLive = (page) =>
  page
    .evaluate(() => !!document.querySelector("main:not(.login) h1") && document.querySelector(".bar .badge")?.textContent?.trim() === "live")
    .catch(() => false);

while (existsSync(go) && !(await fetch(admin + "/livez").catch(() => null))?.ok) await sleep(200);
const pages = await Promise.all(Array.from({ length: Number(howMany) }, (_, i) => open(i).catch(() => null)));
while (existsSync(go)) {
  await sleep(2000);
  for (const page of pages) console.log(page && (await isLive(page)) ? 200 : 0);
}
await browser.close();
