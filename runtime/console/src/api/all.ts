// SPDX-License-Identifier: Apache-2.0
// all - a list of the API from its beginning to its end, piece by piece, for what is shown whole: one call's facts.
import { useAsked, type Loaded, type Refresh } from "./asking";
import { ask, type AnswerOf, type Ask } from "./client";
import type { Operation } from "./types";

const PIECE = 200;

type Listed = { items: unknown[]; next: string | null };
type ItemOf<O extends Operation> = AnswerOf<O> extends { items: (infer T)[] } ? T : never;

export interface All<T> {
  items: T[];
  more: boolean; // there is more than `most`
}

async function read<O extends Operation>(op: O, question: Ask<O>, most: number, signal: AbortSignal): Promise<All<ItemOf<O>>> {
  const items: ItemOf<O>[] = [];
  for (let cursor: string | null = null; ; ) {
    const query = { ...(question.query as object), limit: PIECE, cursor: cursor ?? undefined };
    const { data } = await ask(op, { ...question, query: query as never, signal });
    const piece = data as unknown as Listed;
    items.push(...(piece.items as ItemOf<O>[]));
    cursor = piece.next;
    if (!cursor || items.length >= most) return { items, more: cursor !== null };
  }
}

/** As useApi() asks; at least `most` of what there is. */
export function useAll<O extends Operation>(op: O, question: Ask<O>, o: Refresh & { most?: number } = {}): Loaded<All<ItemOf<O>>> {
  const most = o.most ?? 2000;
  const key = op + JSON.stringify([question.path, question.query, most]);
  return useAsked(key, async (signal) => ({ data: await read(op, question, most, signal), etag: null }), { soonMs: 400, ...o });
}
