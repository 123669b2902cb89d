// SPDX-License-Identifier: Apache-2.0
// use - the API in components.
//
//   const calls = useApi("GET /calls", { query: { agent } }, { on: (fact) => fact.type === "ended" });
//   calls.data, calls.error, calls.loading, calls.reload(), calls.etag
//
// What was there stays while it is asked anew; `null` instead of the question: not yet. It is asked again when the
// question changes, each `everyMs`, soon after a fact that `on` says yes to, and when facts were missed.
import { useAsked, type Loaded, type Refresh } from "./asking";
import { ask, type AnswerOf, type Ask } from "./client";
import type { Operation } from "./types";

export type { Loaded, Refresh };

export function useApi<O extends Operation>(op: O, question: Ask<O> | null, refresh: Refresh = {}): Loaded<AnswerOf<O>> {
  const key = question ? op + JSON.stringify([question.path, question.query]) : "";
  return useAsked(key, (signal) => ask(op, { ...question, signal }), refresh);
}
