// SPDX-License-Identifier: Apache-2.0
// use - the API in components.
//
//   const calls = useApi("GET /calls", { query: { agent } }, { on: (fact) => fact.type === "ended" });
//   calls.data, calls.error, calls.loading, calls.reload(), calls.etag
//
// What was there stays while it is asked anew; `null` instead of the question: not yet. It is asked again when the
// question changes, each `everyMs`, soon after a fact that `on` says yes to, and when facts were missed.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, type AnswerOf, type Ask } from "./client";
import { onFact, onGap, type Fact } from "./events";
import type { Operation } from "./types";

export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  loading: boolean;
  etag: string | null;
  at: number | null; // ms; when it was answered
  reload(): void;
}

export interface Refresh {
  everyMs?: number;
  on?: (fact: Fact) => boolean;
  soonMs?: number; // how long facts are gathered before it is asked anew
}

interface Kept<T> {
  key: string;
  data: T | undefined;
  error: unknown;
  etag: string | null;
  at: number | null;
  loading: boolean;
}

export function useApi<O extends Operation>(op: O, question: Ask<O> | null, refresh: Refresh = {}): Loaded<AnswerOf<O>> {
  const key = question ? op + JSON.stringify([question.path, question.query]) : "";
  const [kept, setKept] = useState<Kept<AnswerOf<O>>>({ key, data: undefined, error: null, etag: null, at: null, loading: !!question });
  const latest = useRef({ question, refresh, running: null as AbortController | null });
  latest.current.question = question;
  latest.current.refresh = refresh;

  const load = useCallback(() => {
    const now = latest.current;
    now.running?.abort();
    if (!now.question) return;
    const running = (now.running = new AbortController());
    setKept((was) => ({ ...was, loading: true }));
    ask(op, { ...now.question, signal: running.signal }).then(
      ({ data, etag }) => running.signal.aborted || setKept({ key, data, etag, error: null, at: Date.now(), loading: false }),
      (error: unknown) => running.signal.aborted || setKept((was) => ({ ...was, key, data: was.key === key ? was.data : undefined, error, loading: false })),
    );
  }, [op, key]);

  useEffect(() => {
    load();
    return () => latest.current.running?.abort();
  }, [load]);

  useEffect(() => {
    if (!refresh.everyMs) return;
    const timer = setInterval(() => document.hidden || load(), refresh.everyMs);
    return () => clearInterval(timer);
  }, [load, refresh.everyMs]);

  const listens = !!refresh.on;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      timer ??= setTimeout(() => ((timer = undefined), load()), latest.current.refresh.soonMs ?? 300);
    };
    const forgetGap = onGap(soon);
    const forgetFact = listens ? onFact((fact) => latest.current.refresh.on?.(fact) && soon()) : () => {};
    return () => (clearTimeout(timer), forgetGap(), forgetFact());
  }, [load, listens]);

  const current = kept.key === key;
  return {
    data: current ? kept.data : undefined,
    error: current ? kept.error : null,
    loading: !!question && (kept.loading || !current),
    etag: current ? kept.etag : null,
    at: current ? kept.at : null,
    reload: load,
  };
}
