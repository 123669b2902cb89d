// SPDX-License-Identifier: Apache-2.0
// all - a list of the API from its beginning to its end, piece by piece, for what is shown whole: one call's facts.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, type AnswerOf, type Ask } from "./client";
import { onFact, onGap, type Fact } from "./events";
import type { Operation } from "./types";
import type { Loaded } from "./use";

const PIECE = 200;

type Listed = { items: unknown[]; next: string | null };
type ItemOf<O extends Operation> = AnswerOf<O> extends { items: (infer T)[] } ? T : never;

export interface All<T> {
  items: T[];
  more: boolean; // there is more than `most`
}

/** `on`: read it anew soon after such a fact. */
export function useAll<O extends Operation>(op: O, question: Ask<O>, o: { most?: number; on?: (fact: Fact) => boolean } = {}): Loaded<All<ItemOf<O>>> {
  const most = o.most ?? 2000;
  const key = op + JSON.stringify([question.path, question.query, most]);
  const [kept, setKept] = useState<{ key: string; data?: All<ItemOf<O>>; error: unknown; loading: boolean; at: number | null }>({ key, error: null, loading: true, at: null });
  const latest = useRef({ question, on: o.on, running: null as AbortController | null });
  latest.current.question = question;
  latest.current.on = o.on;

  const load = useCallback(() => {
    latest.current.running?.abort();
    const running = (latest.current.running = new AbortController());
    const read = async () => {
      const items: ItemOf<O>[] = [];
      for (let cursor: string | null = null; ; ) {
        const query = { ...(latest.current.question.query as object), limit: PIECE, cursor: cursor ?? undefined };
        const { data } = await ask(op, { ...latest.current.question, query: query as never, signal: running.signal });
        const piece = data as unknown as Listed;
        items.push(...(piece.items as ItemOf<O>[]));
        cursor = piece.next;
        if (!cursor || items.length >= most) return { items, more: cursor !== null };
      }
    };
    read().then(
      (data) => running.signal.aborted || setKept({ key, data, error: null, loading: false, at: Date.now() }),
      (error: unknown) => running.signal.aborted || setKept((was) => ({ key, data: was.key === key ? was.data : undefined, error, loading: false, at: was.at })),
    );
  }, [op, key]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      timer ??= setTimeout(() => ((timer = undefined), load()), 400);
    };
    load();
    const forgetGap = onGap(soon);
    const forgetFact = onFact((fact) => latest.current.on?.(fact) && soon());
    return () => (clearTimeout(timer), forgetGap(), forgetFact(), latest.current.running?.abort());
  }, [load]);

  const current = kept.key === key;
  return { data: current ? kept.data : undefined, error: current ? kept.error : null, loading: !current || kept.loading, etag: null, at: current ? kept.at : null, reload: load };
}
