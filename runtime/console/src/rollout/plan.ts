// SPDX-License-Identifier: Apache-2.0
// plan - what a rollout's switches would write, and what its guards say, as pages show it.
import type { RolloutMoves, RolloutWithGuards } from "../api/types";
import type { Plan } from "../ui/dialog";
import * as f from "../ui/format";

export type Verb = "start" | "hold" | "advance" | "rollback";
type Stage = RolloutWithGuards["track"][number];

/** 1250 -> "12.5 %" */
export const share = (bp: number | null | undefined): string =>
  bp === null || bp === undefined ? f.UNKNOWN : `${f.count(bp / 100, bp % 100 === 0 ? 0 : bp % 10 === 0 ? 1 : 2)} %`;

export const stateName = (state: string | null | undefined): string =>
  ({ draft: "not begun", pilot: "named numbers only", running: "running", paused: "held", rolled_back: "rolled back", killed: "forced to Vapi", done: "done" })[state ?? ""] ?? f.words(state);

/** Which verbs the node takes in this state. */
export function verbsOf(state: string): Verb[] {
  const verbs: Record<string, Verb[]> = {
    draft: ["start", "rollback"],
    pilot: ["advance", "hold", "rollback"],
    running: ["advance", "hold", "rollback"],
    paused: ["start", "rollback"],
    rolled_back: ["start"],
    done: ["rollback"],
  };
  return verbs[state] ?? [];
}

/** Where moving the share to `bp` leads: back at once; forward only to the next stage, or to one made before it. */
export function wayTo(bp: number, now: number, track: Stage[]): { how: "none" | "back" | "advance" | "insert" | "too-far"; stage?: Stage } {
  if (bp === now) return { how: "none" };
  if (bp < now) return { how: "back" };
  const next = track.find((s) => s.is === "next" && s.percent_bp > now);
  if (!next) return { how: "too-far" };
  if (bp === next.percent_bp) return { how: "advance", stage: next };
  return bp < next.percent_bp ? { how: "insert", stage: next } : { how: "too-far", stage: next };
}

export interface StageIn {
  name: string;
  percent_bp: number;
  bake_s?: number;
  min_canary?: number;
  min_baseline?: number;
}

/** The same stages with one of this share before `next`, which asks for as much as `next`. */
export function withStage(track: Stage[], bp: number, next: Stage): StageIn[] {
  const one = (s: Stage): StageIn => ({
    name: s.name,
    percent_bp: s.percent_bp,
    ...(s.bake_s === null ? {} : { bake_s: s.bake_s }),
    ...(s.min_canary === null ? {} : { min_canary: s.min_canary }),
    ...(s.min_baseline === null ? {} : { min_baseline: s.min_baseline }),
  });
  const before = track.slice(0, track.indexOf(next));
  const baseline = bp < 10_000 ? Math.max(next.min_baseline ?? 0, next.min_canary ?? 0) : 0;
  return [...before.map(one), { ...one(next), name: String(bp / 100), percent_bp: bp, ...(baseline ? { min_baseline: baseline } : {}) }, ...track.slice(track.indexOf(next)).map(one)];
}

export const movesText = (m: RolloutMoves): string => {
  const callers = f.plural(m.callers, "caller");
  if (m.n_to_openai + m.n_to_vapi === 0) return `None of the ${callers} of the last ${m.days} days would change sides.`;
  const parts = [m.n_to_openai ? `${f.count(m.n_to_openai)} would move to OpenAI` : "", m.n_to_vapi ? `${f.count(m.n_to_vapi)} would move to Vapi` : ""].filter(Boolean);
  return `Of the ${callers} of the last ${m.days} days, ${parts.join(" and ")}; the others stay where they are.`;
};

export type System = "openai" | "vapi" | "off";
export const forcedName = (system: string | null | undefined): string => ({ openai: "OpenAI", vapi: "Vapi" })[system ?? ""] ?? "nothing";

interface How {
  state?: string | null;
  stage?: string | null;
  percent_bp?: number | null;
  forced?: string | null;
}

/** What a dry run of any change of a rollout answers. */
export interface Would extends How {
  was?: How | null;
  moves?: RolloutMoves;
  notes?: string[];
  next_call: string;
}

/** A dry run's answer as what will be written. */
export function planOf(answer: Would): Plan {
  const was = answer.was;
  const changes = [
    { what: "State", before: stateName(was?.state), after: stateName(answer.state) },
    { what: "Stage", before: was?.stage ?? "none", after: answer.stage ?? "none" },
    { what: "Share that meets OpenAI", before: share(was?.percent_bp), after: share(answer.percent_bp) },
    { what: "Forced to", before: forcedName(was?.forced), after: forcedName(answer.forced) },
  ].filter((c) => c.before !== c.after);
  return { summary: answer.next_call, changes, warnings: answer.notes ?? [] };
}

// ---- guards ----

export interface Finding {
  guard: string;
  verdict: string;
  text: string;
  canary: { k: number; n: number } | null;
  baseline: { k: number; n: number } | null;
  interval: { difference: number; low: number; high: number } | null;
  limit: number | null;
}

const number = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

function pair(k: unknown, n: unknown): { k: number; n: number } | null {
  const a = number(k);
  const b = number(n);
  return a === null || b === null ? null : { k: a, n: b };
}

export const metricWords: Record<string, string> = {
  error_end: "calls ended by a fault",
  no_audio: "callers who heard nothing for 5 s",
  short_hangup: "callers gone within 15 s",
  transfer: "calls handed to a person",
  tool_error: "calls with a tool that failed",
  latency: "first words that came late",
};

type Arm = { metrics?: Record<string, { k?: number; n?: number }> };

/** What was counted but not judged yet: its numbers, and that they are too few. */
function counted(r: RolloutWithGuards, judged: Finding[]): Finding[] {
  const arms = (r.evidence ?? {}) as Record<string, Arm | undefined>;
  const [canary, baseline] = [arms.openai?.metrics ?? {}, arms.vapi?.metrics ?? {}];
  return Object.keys(metricWords)
    .filter((name) => (canary[name] || baseline[name]) && !judged.some((j) => j.guard === name))
    .map((name) => ({ guard: name, verdict: "too few", text: metricWords[name]!, canary: pair(canary[name]?.k, canary[name]?.n), baseline: pair(baseline[name]?.k, baseline[name]?.n), interval: null, limit: null }));
}

export function findingsOf(r: RolloutWithGuards): Finding[] {
  const judged = (r.findings ?? []).map((one): Finding => {
    const n = one.numbers ?? {};
    const [difference, low, high] = [number(n.difference), number(n.low), number(n.high)];
    return {
      guard: one.guard ?? "",
      verdict: one.verdict ?? "",
      text: one.text ?? "",
      canary: pair(n.k_canary, n.n_canary) ?? pair(n.k, n.n),
      baseline: pair(n.k_baseline, n.n_baseline),
      interval: difference === null || low === null || high === null ? null : { difference, low, high },
      limit: number(n.limit),
    };
  });
  return [...judged, ...counted(r, judged)];
}

const signed = (value: number) => (value < 0 ? "−" : "+") + f.count(Math.abs(value * 100), 1);

/** "+1.2 points, between −0.8 and +3.4" */
export const intervalText = (i: NonNullable<Finding["interval"]>): string => `${signed(i.difference)} points, between ${signed(i.low)} and ${signed(i.high)}`;

export const verdictWords: Record<string, string> = {
  rollback: "must go back",
  hold: "must be held",
  failing: "something fails; the next twenty calls decide",
  insufficient: "too few calls to say",
  inconclusive: "not sure yet",
  pass: "good so far; its time is not over",
  ready: "ready for the next stage",
};
