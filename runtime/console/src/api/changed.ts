// SPDX-License-Identifier: Apache-2.0
// changed - two change the same thing: who was faster, in a sentence.
//
//   commit: () => sayWho(ask("POST /rollouts/{agent}/hold", { …, ifMatch: seen }))
import { present } from "../state/present";
import * as f from "../ui/format";
import { ask } from "./client";
import { asProblem, Problem } from "./problem";

interface Current {
  updated_by?: string | null;
  updated_at?: string | null;
  set_by?: string | null;
  set_at?: string | null;
}

/** A 412 as what happened: "bob changed it 2 min ago." Others stay as they are. */
export function whoWasFaster(why: unknown, now = present()): Problem {
  const problem = asProblem(why);
  if (problem.status !== 412) return problem;
  const current = (problem.details.current ?? {}) as Current;
  const who = current.updated_by ?? current.set_by;
  const at = new Date(current.updated_at ?? current.set_at ?? NaN);
  return new Problem({
    ...problem.details,
    title: `${who ?? "Somebody"} changed it${f.isDate(at) ? ` ${f.ago(at, now)}` : " meanwhile"}, after you looked; nothing of yours was written`,
    detail: undefined,
    fix: "Close this, look at how it is now, and decide anew",
  });
}

/** `reload`: somebody was faster, so what stands behind the question is old. */
export async function sayWho<T>(asked: Promise<T>, reload?: () => void): Promise<T> {
  try {
    return await asked;
  } catch (why) {
    const problem = whoWasFaster(why);
    if (problem.status === 412) reload?.();
    throw problem;
  }
}

/** Who was faster is in the audit, for those who may read it. */
export async function sayWhoOf<T>(asked: Promise<T>, what: "appointment" | "customer", id: string): Promise<T> {
  try {
    return await asked;
  } catch (why) {
    const problem = asProblem(why);
    if (problem.status !== 412) throw problem;
    const told = await ask("GET /audit", { query: { what, subject: id, limit: 1 } }).catch(() => null);
    throw whoWasFaster(new Problem({ ...problem.details, current: { ...(problem.details.current as object), updated_by: told?.data.items[0]?.who } }));
  }
}
