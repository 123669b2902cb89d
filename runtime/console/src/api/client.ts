// SPDX-License-Identifier: Apache-2.0
// client - one way to ask the API: `ask("GET /calls/{call}", { path: { call }, signal })`.
//
// - the token of the session goes along; a 401 ends the session (state/session.ts listens)
// - what went wrong is a Problem, whose sentence can be shown as it is
// - only GETs are asked again by themselves: twice, when nothing came back or the node is busy
// - a change that got no answer says so: it may have been made. With `once` (a key of newKey()) it is safe to repeat
import { heard } from "../state/present";
import { needs, type Operation, type Operations } from "./types";
import { noAnswer, Problem, problemOf, tooSlow, unknownOutcome } from "./problem";

export type Path<O extends Operation> = Operations[O]["path"];
export type Query<O extends Operation> = Operations[O]["query"];
export type Body<O extends Operation> = Operations[O]["body"];
export type AnswerOf<O extends Operation> = Operations[O]["answer"];

export interface Ask<O extends Operation> {
  path?: Path<O>;
  query?: Query<O>;
  body?: Body<O>;
  signal?: AbortSignal;
  ifMatch?: string; // the etag of what was seen, or "*"
  once?: string; // an Idempotency-Key
  timeoutMs?: number;
  token?: string; // instead of the session's
}

export interface Answer<T> {
  data: T;
  etag: string | null;
  status: number;
  headers: Headers;
}

const TIMEOUT_MS = 12_000; // a request has ten seconds at the node
const RETRIES = 2;
const WAIT_MS = [400, 1500];
const WAIT_MOST_S = 5;

export const access: { token: string | null; onUnauthorized: ((why: Problem) => void) | null } = {
  token: null,
  onUnauthorized: null,
};

/** For a change that takes Idempotency-Key: one key per intention, kept while it is tried again. */
export const newKey = (): string => crypto.randomUUID();

export function addressOf<O extends Operation>(op: O, o: Pick<Ask<O>, "path" | "query">): string {
  const values = (o.path ?? {}) as Record<string, string>;
  const path = op.replace(/^[A-Z]+ /, "").replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined || value === "") throw new Error(`${op}: ${name} is missing`);
    return encodeURIComponent(value).replaceAll("%2B", "+");
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries((o.query ?? {}) as Record<string, unknown>))
    if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  const text = query.toString();
  return "/api/v1" + path + (text ? "?" + text : "");
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason as Error)), { once: true });
  });
}

function headersOf<O extends Operation>(op: O, o: Ask<O>): Record<string, string> {
  const headers: Record<string, string> = { accept: "application/json" };
  const token = o.token ?? access.token;
  if (token) headers.authorization = "Bearer " + token;
  if (o.body !== undefined) headers["content-type"] = needs[op].type ?? "application/json";
  if (o.ifMatch) headers["if-match"] = o.ifMatch;
  if (o.once && needs[op].once) headers["idempotency-key"] = o.once;
  return headers;
}

/** The whole answer: one that is cut off, or ends too late, is none. */
async function send<O extends Operation>(op: O, o: Ask<O>): Promise<Answer<AnswerOf<O>>> {
  const timeoutMs = o.timeoutMs ?? TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = o.signal ? anyOf(o.signal, timeout) : timeout;
  const body = o.body === undefined ? undefined : typeof o.body === "string" ? o.body : JSON.stringify(o.body);
  const address = addressOf(op, o);
  const askedMs = Date.now();
  try {
    const response = await fetch(address, {
      method: op.slice(0, op.indexOf(" ")),
      headers: headersOf(op, o),
      body,
      signal,
      credentials: "omit",
      redirect: "error",
    });
    heard(response.headers.get("date"), askedMs, Date.now());
    if (!response.ok) throw await problemOf(response);
    return { data: (await readBody(response)) as AnswerOf<O>, etag: response.headers.get("etag"), status: response.status, headers: response.headers };
  } catch (why) {
    if (o.signal?.aborted) throw o.signal.reason;
    if (why instanceof Problem) throw why;
    if (timeout.aborted) throw tooSlow(Math.round(timeoutMs / 1000));
    if (why instanceof TypeError || why instanceof SyntaxError) throw noAnswer();
    throw why;
  }
}

async function readBody(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  return (response.headers.get("content-type") ?? "").includes("json") ? response.json() : response.text();
}

function anyOf(a: AbortSignal, b: AbortSignal): AbortSignal {
  const both = new AbortController();
  for (const one of [a, b]) {
    if (one.aborted) both.abort(one.reason);
    else one.addEventListener("abort", () => both.abort(one.reason), { once: true });
  }
  return both.signal;
}

const mayAskAgain = (why: Problem) =>
  why.kind === "no-answer" || why.status === 429 || (why.status === 503 && (why.retryAfterS ?? 1) <= WAIT_MOST_S) || why.status === 502;

export async function ask<O extends Operation>(op: O, o: Ask<O> = {}): Promise<Answer<AnswerOf<O>>> {
  const isGet = op.startsWith("GET ");
  const { token } = access;
  for (let tried = 0; ; tried++) {
    try {
      return await send(op, o);
    } catch (why) {
      if (!(why instanceof Problem)) throw why;
      if (why.status === 401 && !o.token && access.token === token) access.onUnauthorized?.(why); // not the session after it
      if (!isGet) throw why.status === 0 ? unknownOutcome(why) : why;
      if (tried >= RETRIES || !mayAskAgain(why)) throw why;
      const ms = Math.max(WAIT_MS[tried] ?? 1500, (why.retryAfterS ?? 0) * 1000);
      await wait(ms * (0.8 + Math.random() * 0.4), o.signal);
    }
  }
}
