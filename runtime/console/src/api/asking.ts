// SPDX-License-Identifier: Apache-2.0
// asking - when a question is asked anew, and whose answer counts. Of one question one is under way at a time:
//
// - now(): somebody wants the state of this moment (they changed something): what is under way is dropped
// - again(): something has happened: asked once more, after what is under way, so that an answer which is slower than
//   facts come is shown all the same
// - tick(): it is time to look: nothing when it is asked just now
//
// Once stopped it tells nothing any more, and asks nothing.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { presentMs } from "../state/present";
import { onFact, onGap, type Fact } from "./events";

export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  loading: boolean;
  etag: string | null;
  at: number | null; // ms by the node's clock; when it was answered
  asked: number | null; // ms by this desk's; when that was asked: it tells at least of all that was before
  reload(): void;
}

export interface Refresh {
  everyMs?: number;
  on?: (fact: Fact) => boolean;
  soonMs?: number; // how long facts are gathered before it is asked anew
}

export interface Answered<T> {
  data: T;
  etag: string | null;
}

type Question<T> = (signal: AbortSignal) => Promise<Answered<T>>;

export interface Asking {
  now(): void;
  again(): void;
  tick(): void;
  stop(): void;
}

interface Hears<T> {
  begun(): void;
  answered(answer: Answered<T>, askedMs: number): void;
  failed(why: unknown): void;
}

export function asking<T>(question: Question<T>, hears: Hears<T>): Asking {
  let running: AbortController | null = null;
  let wanted = false;
  let stopped = false;

  const begin = () => {
    if (stopped) return;
    const mine = (running = new AbortController());
    const askedMs = Date.now();
    wanted = false;
    hears.begun();
    const over = (tell: () => void) => {
      if (mine.signal.aborted) return;
      running = null;
      tell();
      if (wanted) begin();
    };
    question(mine.signal).then(
      (answer) => over(() => hears.answered(answer, askedMs)),
      (why: unknown) => over(() => hears.failed(why)),
    );
  };
  return {
    now: () => (running?.abort(), begin()),
    again: () => (running ? void (wanted = true) : begin()),
    tick: () => void (running ?? begin()),
    stop: () => ((stopped = true), running?.abort()),
  };
}

const failed = new Set<() => void>();

/** "Try again" at one thing is meant for all that went wrong: the node is back, or it is not. */
export function askFailedAgain(): void {
  for (const ask of [...failed]) ask();
}

interface Kept<T> {
  key: string;
  data: T | undefined;
  error: unknown;
  etag: string | null;
  at: number | null;
  asked: number | null;
  loading: boolean;
}

/** The newest answer to the question of that key; "": there is none yet. What was there stays while it is asked anew. */
export function useAsked<T>(key: string, question: Question<T>, refresh: Refresh): Loaded<T> {
  const [kept, setKept] = useState<Kept<T>>({ key, data: undefined, error: null, etag: null, at: null, asked: null, loading: key !== "" });
  const latest = useRef({ question, refresh, asking: null as Asking | null });
  latest.current.question = question;
  latest.current.refresh = refresh;

  useEffect(() => {
    if (key === "") return;
    const mine = asking<T>((signal) => latest.current.question(signal), {
      begun: () => setKept((was) => ({ ...was, loading: true })),
      answered: ({ data, etag }, asked) => setKept({ key, data, etag, error: null, at: presentMs(), asked, loading: false }),
      failed: (error) => setKept((was) => (was.key === key ? { ...was, error, loading: false } : { key, data: undefined, error, etag: null, at: null, asked: null, loading: false })),
    });
    latest.current.asking = mine;
    mine.now();
    return () => (mine.stop(), void (latest.current.asking = null));
  }, [key]);

  useEffect(() => {
    if (!refresh.everyMs) return;
    const look = () => document.hidden || latest.current.asking?.tick();
    const timer = setInterval(look, refresh.everyMs);
    document.addEventListener("visibilitychange", look); // whoever comes back does not look at what is old
    return () => (clearInterval(timer), document.removeEventListener("visibilitychange", look));
  }, [key, refresh.everyMs]);

  const listens = !!refresh.on;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      timer ??= setTimeout(() => ((timer = undefined), latest.current.asking?.again()), latest.current.refresh.soonMs ?? 300);
    };
    const forgetGap = onGap(soon);
    const forgetFact = listens ? onFact((fact) => latest.current.refresh.on?.(fact) && soon()) : () => {};
    return () => (clearTimeout(timer), forgetGap(), forgetFact());
  }, [key, listens]);

  const hasFailed = kept.error !== null && kept.key === key;
  useEffect(() => {
    if (!hasFailed) return;
    const ask = () => latest.current.asking?.tick();
    failed.add(ask);
    return () => void failed.delete(ask);
  }, [hasFailed]);

  const reload = useCallback(() => latest.current.asking?.now(), []);
  const current = kept.key === key;
  return {
    data: current ? kept.data : undefined,
    error: current ? kept.error : null,
    loading: key !== "" && (kept.loading || !current),
    etag: current ? kept.etag : null,
    at: current ? kept.at : null,
    asked: current ? kept.asked : null,
    reload,
  };
}
