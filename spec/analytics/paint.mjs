// SPDX-License-Identifier: Apache-2.0
// How long the console's Dashboard takes to paint: from the navigation until all its charts and tables are shown.
//
// usage: node spec/analytics/paint.mjs ADMIN PATH [LOADS]     the token is in RINGDOWN_TOKEN
//
// Each load is a tab of its own in one browser: the first with nothing in its cache, then one that is not counted, then
// LOADS more. It prints { first_ms, ms: […], shown: { charts, calls }, requests: [[path, ms], …] } of the last load.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../runtime/console/package.json", import.meta.url))("playwright-core");
const [admin, path, loads = "5"] = process.argv.slice(2);
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const PATIENCE_MS = 60_000;

// In the page: performance.now() counts from the navigation; what is in the document in one frame is painted by the next.
function watch(token) {
  sessionStorage.setItem("ringdown.session", token);
  const isShown = () => {
    const charts = document.querySelectorAll(".chart-box canvas").length;
    const boxes = document.querySelectorAll(".chart-box").length;
    const systems = [...document.querySelectorAll("table caption")].some((c) => c.textContent === "Systems" && c.closest("table").querySelector("tbody tr"));
    return charts >= 3 && charts === boxes && systems;
  };
  const look = () => (isShown() ? requestAnimationFrame(() => setTimeout(() => (document.documentElement.dataset.painted = String(performance.now())))) : requestAnimationFrame(look));
  requestAnimationFrame(look);
}

const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const browser = await chromium.launch({ executablePath, args: FLAGS });
const context = await browser.newContext({ baseURL: admin, viewport: { width: 1360, height: 850 }, reducedMotion: "reduce" });
context.setDefaultTimeout(PATIENCE_MS);
await context.addInitScript(watch, process.env.RINGDOWN_TOKEN);

async function load() {
  const page = await context.newPage();
  await page.goto(path, { waitUntil: "commit" });
  await page.waitForSelector("html[data-painted]", { state: "attached" });
  const told = await page.evaluate(() => ({
    ms: Number(document.documentElement.dataset.painted),
    charts: document.querySelectorAll(".chart-box canvas").length,
    calls: document.querySelector(".figures dd")?.textContent ?? null,
    requests: performance.getEntriesByType("resource").filter((r) => r.name.includes("/api/")).map((r) => [new URL(r.name).pathname + new URL(r.name).search, Math.round(r.duration)]),
  }));
  await page.close();
  return told;
}

try {
  const first = await load();
  await load();
  const ms = [];
  let last;
  for (let i = 0; i < Number(loads); i++) ms.push((last = await load()).ms);
  console.log(JSON.stringify({ first_ms: first.ms, ms, shown: { charts: last.charts, calls: last.calls }, requests: last.requests }));
} finally {
  await browser.close();
}
