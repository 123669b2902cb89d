// SPDX-License-Identifier: Apache-2.0
// events - one stream of facts for the whole page, over fetch (EventSource cannot send a token).
//
//   off ─connect()─▶ connecting ─▶ live ─nothing for 40 s─▶ stale ─▶ disconnected ─wait─▶ connecting …
//
// It resumes behind the last event it had. What was missed meanwhile (`missed`) is told to those who asked, who
// load anew what they show. The node says `ended` when the token is over: then there is no coming back.
import { access } from "./client";
import { SseParser, type Message } from "./sse";
import { presentMs } from "../state/present";
import { createStore } from "../state/store";

export type Fact = { type: string; call?: string; agent?: string; at?: string; [name: string]: unknown };
export type State = "off" | "connecting" | "live" | "stale" | "disconnected";

export interface Connection {
  state: State;
  since: number; // ms; since when it is so
  why: string | null;
  retryAt: number | null; // ms; both by the node's clock, as all that is shown
}

const STALE_MS = 40_000; // the node says something each fifteen seconds
const GIVEN_UP_MS = 45_000;
const ANSWERS_MS = 15_000; // before its first word
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

export const connection = createStore<Connection>({ state: "off", since: presentMs(), why: null, retryAt: null });

const listeners = new Set<(fact: Fact) => void>();
const gapListeners = new Set<() => void>();
let running: AbortController | null = null;
let lastId: string | null = null;
let retryNow: (() => void) | null = null;
let wasAway = false;

/** Each fact as it happens; call what comes back to hear no more. */
export function onFact(fn: (fact: Fact) => void): () => void {
  listeners.add(fn);
  return () => void listeners.delete(fn);
}

/** Facts were missed: load anew what is shown. */
export function onGap(fn: () => void): () => void {
  gapListeners.add(fn);
  return () => void gapListeners.delete(fn);
}

function become(state: State, why: string | null = null, retryAt: number | null = null): void {
  const was = connection.get();
  connection.set({ state, since: was.state === state ? was.since : presentMs(), why, retryAt });
}

export function backoff(tried: number, random = Math.random()): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tried, 10)) * (0.75 + random * 0.5);
}

function tellGap(): void {
  for (const fn of [...gapListeners]) fn();
}

/** false: do not come again. */
function take(message: Message): boolean {
  if (message.id !== null) lastId = message.id;
  if (message.event === "missed") tellGap();
  if (message.event === "ended" && /token/.test(message.data)) return false;
  if (message.event !== "message") return true;
  const fact = factOf(message.data);
  if (fact) for (const fn of [...listeners]) tell(fn, fact);
  return true;
}

/** null: cut or strange; the next one may be whole. */
function factOf(text: string): Fact | null {
  try {
    const fact = JSON.parse(text) as Fact | null;
    return typeof fact === "object" && typeof fact?.type === "string" ? fact : null;
  } catch {
    return null;
  }
}

/** One that cannot bear a fact keeps it from nobody else, and the stream goes on. */
function tell(fn: (fact: Fact) => void, fact: Fact): void {
  try {
    fn(fact);
  } catch (why) {
    console.error(why);
  }
}

/** Reads until it ends. lived: it was live for a while; over: there is no coming back. */
async function read(stop: AbortSignal): Promise<{ lived: boolean; over: boolean; why: string }> {
  const attempt = new AbortController();
  const abort = () => attempt.abort();
  stop.addEventListener("abort", abort, { once: true });
  addEventListener("offline", abort, { once: true });
  let lived = false;
  let heardMs = Date.now();
  // By the clock, which goes on while a machine sleeps and its timers do not.
  const watch = setInterval(() => {
    const silentMs = Date.now() - heardMs;
    if (silentMs >= (lived ? GIVEN_UP_MS : ANSWERS_MS)) abort();
    else if (lived && silentMs >= STALE_MS) become("stale", "Nothing came for 40 s");
  }, 1000);
  const alive = () => {
    heardMs = Date.now();
    if (connection.get().state !== "live") become("live");
  };
  try {
    const headers: Record<string, string> = { accept: "text/event-stream", authorization: "Bearer " + (access.token ?? "") };
    if (lastId !== null) headers["last-event-id"] = lastId;
    const response = await fetch("/api/v1/events", { headers, signal: attempt.signal, credentials: "omit", cache: "no-store" });
    if (response.status === 401 || response.status === 403) return { lived, over: true, why: "This session may not listen any more" };
    if (!response.ok || !response.body) return { lived, over: false, why: `The node answered ${response.status}` };
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new SseParser();
    lived = true;
    alive();
    if (wasAway) tellGap(); // whatever the stream resumes with: not all that changes is a fact
    wasAway = false;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return { lived, over: false, why: "The node closed the stream" };
      alive();
      for (const message of parser.feed(value)) if (!take(message)) return { lived, over: true, why: "The session has ended" };
    }
  } catch {
    return { lived, over: false, why: "The node does not answer" };
  } finally {
    clearInterval(watch);
    stop.removeEventListener("abort", abort);
    removeEventListener("offline", abort);
    attempt.abort();
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => (clearTimeout(timer), resolve());
    const timer = setTimeout(done, ms);
    retryNow = done;
    stop.addEventListener("abort", done, { once: true });
  });
}

async function run(stop: AbortSignal): Promise<void> {
  for (let tried = 0; !stop.aborted; tried++) {
    if (tried === 0) become("connecting");
    const { lived, over, why } = await read(stop);
    if (stop.aborted) return;
    if (over) return become("disconnected", why);
    if (lived) tried = 0;
    const ms = backoff(tried);
    become("disconnected", why, presentMs() + ms);
    wasAway = true;
    await pause(ms, stop);
  }
}

export function connect(): void {
  disconnect();
  running = new AbortController();
  void run(running.signal);
}

export function disconnect(): void {
  running?.abort();
  running = null;
  lastId = null;
  wasAway = false;
  become("off");
}

/** Somebody does not want to wait, or the machine has its network back. */
export const reconnect = (): void => retryNow?.();

if (typeof window !== "undefined") addEventListener("online", reconnect);
