// SPDX-License-Identifier: Apache-2.0
// story - the facts of a call as one reads them: who said what and when, and between it what happened.
import type { Operations } from "../../api/types";
import * as f from "../../ui/format";

export type CallEvent = Operations["GET /calls/{call}/timeline"]["answer"]["items"][number];

export interface Line {
  key: string;
  at: string;
  offsetMs: number | null; // since the call began
  who: "caller" | "agent" | null; // null: it happened
  kind: string; // a word in front: "tool", "triage"
  tone: "bad" | "warn" | null;
  text: string;
  more: string | null; // arguments, output, words that were not heard
  turn: number | null;
}

const str = (value: unknown): string => (value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));
const join = (...parts: (string | false | null | undefined)[]): string => parts.filter(Boolean).join(", ");

type Told = Pick<Line, "who" | "kind" | "text"> & Partial<Pick<Line, "tone" | "more" | "turn">>;
type Body = Record<string, unknown>;

function turn(b: Body): Told {
  const who = b.role === "caller" ? "caller" : "agent";
  const text = b.withheld ? "(not kept)" : str(b.text);
  const unheard = typeof b.said === "string" && b.said !== b.text ? `said, and not heard whole: ${b.said}` : null;
  return { who, kind: b.interrupted ? "cut in" : "", text, more: unheard, turn: typeof b.seq === "number" ? b.seq : null };
}

const EMERGENCY: Record<string, "bad" | "warn"> = { open: "bad", abandoned: "bad" };

const tellers: Record<string, (b: Body) => Told | null> = {
  webhook: (b) => (b.kind === "voice" && !b.repeated ? { who: null, kind: "call", text: `${str(b.from)} calls ${str(b.to)}` } : b.kind === "status" ? { who: null, kind: "carrier", text: join(str(b.status), typeof b.duration_s === "number" && f.duration(b.duration_s * 1000)) } : null),
  decision: (b) => ({ who: null, kind: "answers", text: join(str(b.system), str(b.reason), str(b.model), b.version ? `version ${str(b.version).slice(0, 12)}` : ""), more: str(b.fix) || str(b.detail) || null }),
  state: (b) => ({ who: null, kind: "state", text: str(b.state) }),
  notice: (b) => ({ who: null, kind: "notice", text: `heard: ${str(b.text)}` }),
  turn,
  tool: (b) => ({ who: null, kind: "tool", text: b.done ? `${str(b.name)} answered` : str(b.name), more: str(b.done ? b.output : b.arguments) || null }),
  barge_in: (b) => ({ who: null, kind: "barge-in", text: `the caller cut in${typeof b.heard_ms === "number" ? ` after hearing ${f.duration(b.heard_ms)}` : ""}` }),
  dtmf: () => ({ who: null, kind: "key", text: "a key was pressed" }),
  triage: (b) => ({ who: null, kind: "triage", tone: EMERGENCY[str(b.state)] ?? "warn", text: join(f.words(str(b.rule)), str(b.severity), str(b.state), b.by ? `by ${str(b.by)}` : ""), more: str(b.words) || null }),
  triage_step: (b) => ({ who: null, kind: "triage", text: join(`step ${str(b.step)}: ${str(b.kind)}`, str(b.target), f.words(str(b.state))), more: str(b.detail) || null }),
  near_miss: (b) => ({ who: null, kind: "near miss", text: join(f.words(str(b.rule)), str(b.why)), more: str(b.words) || null }),
  error: (b) => ({ who: null, kind: "error", tone: "bad", text: join(str(b.code), str(b.message)) }),
  failover: (b) => ({ who: null, kind: "fail-over", tone: "warn", text: join(`${str(b.from_system ?? b.from)} to ${str(b.to_system ?? b.to)}`, str(b.why)) }),
  resumed: (b) => ({ who: null, kind: "resumed", tone: "warn", text: join(f.words(str(b.reason)), typeof b.gap_ms === "number" && `after ${f.duration(b.gap_ms)}`) }),
  operator: (b) => ({ who: null, kind: "operator", text: join(f.words(str(b.action)), str(b.who)), more: str(b.detail) || null }),
  transfer: (b) => ({ who: null, kind: "transfer", tone: b.state === "failed" ? "warn" : null, text: join(str(b.whom), str(b.state), str(b.why)) }),
  text: (b) => ({ who: null, kind: "text", text: join(`${b.direction === "in" ? "from" : "to"} ${str(b.direction === "in" ? b.from : b.to)}`, str(b.status), str(b.error_code)), more: str(b.body) || null }),
  missed: (b) => ({ who: null, kind: "missed", tone: "warn", text: f.words(str(b.why)) }),
  pause: (b) => ({ who: null, kind: "pause", text: b.on ? "nothing is kept from here" : "words are kept again" }),
  recording: (b) => ({ who: null, kind: "recording", text: join(str(b.state), typeof b.duration_ms === "number" && f.duration(b.duration_ms), str(b.why)) }),
  closed: (b) => ({ who: null, kind: "closed", tone: "warn", text: f.words(str(b.reason)) }),
  ended: (b) => ({ who: null, kind: "ended", text: f.words(str(b.reason)) }),
};

/** One line of the story; null: it tells a reader nothing (it is among all facts). */
export function lineOf(event: CallEvent, startedAt: string | null): Line | null {
  const teller = Object.hasOwn(tellers, event.type) ? tellers[event.type] : undefined;
  const told = teller?.(event.body as Body);
  if (!told) return null;
  const offsetMs = startedAt ? new Date(event.at).getTime() - new Date(startedAt).getTime() : null;
  return { key: `${event.epoch}.${event.seq}`, at: event.at, offsetMs, tone: null, more: null, turn: null, ...told };
}

export const storyOf = (events: CallEvent[], startedAt: string | null): Line[] => events.map((e) => lineOf(e, startedAt)).filter((l): l is Line => l !== null);

/** 65340 -> "1:05.3" */
export function offset(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return f.UNKNOWN;
  const sign = ms < 0 ? "−" : "";
  const tenths = Math.round(Math.abs(ms) / 100);
  const s = Math.floor(tenths / 10);
  return `${sign}${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}.${tenths % 10}`;
}

export interface Bar {
  from: number; // of 1000
  to: number;
  what: "tool" | "wait" | "speech";
  name: string;
}

export interface Fall {
  key: string;
  turn: number | null;
  audioMs: number | null;
  bars: Bar[];
  text: string; // all of it in words
}

type Waited = Operations["GET /calls/{call}"]["answer"]["waits"][number];

/** A scale that all waits of a call share, from zero. */
export function topOf(waits: Waited[]): number {
  const most = Math.max(1000, ...waits.map((w) => Math.max(w.first_audio_ms ?? 0, ...w.tools.map((t) => (t.after_ms ?? 0) + (t.ms ?? 0)))));
  return Math.ceil(most / 500) * 500;
}

export function fallOf(wait: Waited, top: number): Fall {
  const at = (ms: number) => Math.max(0, Math.min(1000, Math.round((ms / top) * 1000)));
  const { first_text_ms: text, first_audio_ms: audio } = wait;
  const bars: Bar[] = [];
  if (text !== null) bars.push({ from: 0, to: at(text), what: "wait", name: "first words" });
  if (audio !== null) bars.push({ from: at(text ?? 0), to: at(audio), what: text === null ? "wait" : "speech", name: "first sound" });
  for (const t of wait.tools)
    if (t.after_ms !== null) bars.push({ from: at(t.after_ms), to: t.ms === null ? 1000 : Math.max(at(t.after_ms) + 4, at(t.after_ms + t.ms)), what: "tool", name: t.name ?? "tool" });
  const tools = wait.tools.map((t) => `${t.name ?? "tool"} ${t.ms === null ? "without an answer" : f.duration(t.ms)}`);
  return {
    key: `${wait.epoch}.${wait.seq}`,
    turn: wait.turn,
    audioMs: audio,
    bars,
    text: [text === null ? null : `first words after ${f.duration(text)}`, audio === null ? "no sound" : `first sound after ${f.duration(audio)}`, ...tools].filter(Boolean).join("; "),
  };
}
