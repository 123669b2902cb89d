// SPDX-License-Identifier: Apache-2.0
// board - the calls that go on: what GET /live said, and over it what the stream tells of them.
//
// Each fact may come twice, or be older than what /live said already: putting it over that again changes nothing. A call
// that /live did not have begins with its first fact. Rows that did not change stay the same objects, so that of 500
// calls only those are drawn anew of which something was told.
import type { Fact } from "../../api/events";
import type { LiveScreen } from "../../api/types";
import { presentMs } from "../../state/present";

export type LiveRow = LiveScreen["items"][number];
export type Board = ReadonlyMap<string, LiveRow>;

const GONE = new Set(["ended", "closing"]);
const OVER = new Set(["completed", "busy", "failed", "no-answer", "canceled"]);

export const boardOf = (screen: LiveScreen): Board => new Map(screen.items.map((row) => [row.call, row]));

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** When it happened: what the stream says, or how far into the call it was. */
export function momentOf(fact: Fact, startedAt: string | null): string | null {
  if (typeof fact.at === "string") return fact.at;
  if (typeof fact.at_us === "number") return new Date(fact.at_us / 1000).toISOString();
  const atMs = number(fact.at_ms);
  return atMs !== null && startedAt ? new Date(new Date(startedAt).getTime() + atMs).toISOString() : null;
}

function begun(fact: Fact, now: number): LiveRow {
  const atMs = number(fact.at_ms) ?? 0;
  return {
    call: fact.call!,
    agent: text(fact.agent),
    version: null,
    from: text(fact.from),
    to: text(fact.to),
    state: "connecting",
    system: null,
    node: text(fact.node),
    here: true, // the stream is of this node
    started_at: new Date(now - atMs).toISOString(),
    seconds: Math.round(atMs / 1000),
    emergency: null,
    last_words: null,
  };
}

function emergencyOf(row: LiveRow, fact: Fact): LiveRow["emergency"] {
  const state = text(fact.state);
  if (!state || state === "recorded" || !text(fact.rule)) return row.emergency;
  const was = row.emergency;
  if (was && was.rule !== fact.rule && was.state === "open" && state !== "open") return was; // another one
  return { rule: text(fact.rule)!, severity: text(fact.severity) ?? was?.severity ?? null, state, since: was && was.rule === fact.rule ? was.since : momentOf(fact, row.started_at) };
}

function wordsOf(row: LiveRow, fact: Fact): LiveRow["last_words"] {
  const turn = number(fact.seq);
  if ((row.last_words?.turn ?? -1) > (turn ?? Infinity)) return row.last_words;
  return { role: text(fact.role) ?? "agent", text: text(fact.text), turn, at: momentOf(fact, row.started_at) };
}

/** What one fact makes of a row; null: the call is over. */
export function told(row: LiveRow, fact: Fact): LiveRow | null {
  switch (fact.type) {
    case "webhook":
      return OVER.has(text(fact.status) ?? "") ? null : row;
    case "state": {
      const state = text(fact.state) ?? row.state;
      if (GONE.has(state)) return row.state === "leaving" ? row : null; // its stream is over, not the call
      return { ...row, state };
    }
    case "transfer":
      return { ...row, state: fact.state === "asked" || fact.state === "answered" ? "leaving" : fact.state === "refused" ? "live" : row.state };
    case "ended":
    case "closed":
      return row.state === "leaving" ? row : null; // who is with a person may come back; /live says when that is over
    case "decision":
      return { ...row, system: text(fact.system) ?? row.system, version: text(fact.version) ?? row.version };
    case "failover":
      return { ...row, system: text(fact.to_system) ?? row.system };
    case "turn":
      return { ...row, last_words: wordsOf(row, fact) };
    case "triage":
      return { ...row, emergency: emergencyOf(row, fact) };
    default:
      return row;
  }
}

const BEGINS = new Set(["webhook", "decision", "state", "turn", "triage", "opened"]);
const isOver = (fact: Fact) => (fact.type === "state" && GONE.has(text(fact.state) ?? "")) || OVER.has(text(fact.status) ?? "");

/** The board after these facts; the same one when nothing changed. */
export function apply(board: Board, facts: Fact[], now = presentMs()): Board {
  let next: Map<string, LiveRow> | null = null;
  for (const fact of facts) {
    if (!fact.call) continue;
    const rows: Board = next ?? board;
    let row = rows.get(fact.call);
    if (!row) {
      if (!BEGINS.has(fact.type) || isOver(fact)) continue;
      row = begun(fact, now);
    }
    const after = told(row, fact);
    if (after === rows.get(fact.call)) continue;
    next ??= new Map(board);
    if (after) next.set(fact.call, after);
    else next.delete(fact.call);
  }
  return next ?? board;
}

const rank = (row: LiveRow) => (!row.emergency ? 2 : row.emergency.state === "open" ? 0 : 1);

/** Emergencies that nobody has first, then other emergencies, then the longest calls. */
export function inOrder(board: Board): LiveRow[] {
  return [...board.values()].sort((a, b) => rank(a) - rank(b) || (a.started_at ?? "").localeCompare(b.started_at ?? "") || (a.call < b.call ? -1 : 1));
}

/** Who of the agent's people can be rung, as GET /agents/{agent} names them. */
export function peopleOf(agent: Record<string, unknown> | undefined): { name: string; numbers: string[] }[] {
  const people = agent?.people;
  if (!people || typeof people !== "object") return [];
  return Object.entries(people).map(([name, numbers]) => ({ name, numbers: (Array.isArray(numbers) ? numbers : [numbers]).map(String) }));
}
