// SPDX-License-Identifier: Apache-2.0
// values - numbers, money, times and states, aligned and with their unit. What is not known is a dash that says so.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { zone as zoneStore } from "../state/prefs";
import { present } from "../state/present";
import { createStore, useStore } from "../state/store";
import * as f from "./format";

const NotKnown = () => (
  <span class="unknown" title="not known">
    {f.UNKNOWN}
  </span>
);

type Maybe<T> = T | null | undefined;

export function Count({ value, digits, unit }: { value: Maybe<number>; digits?: number; unit?: string }) {
  if (value === null || value === undefined) return <NotKnown />;
  return (
    <span class="num">
      {f.count(value, digits)}
      {unit ? <span class="unit"> {unit}</span> : null}
    </span>
  );
}

export function Percent({ value, digits }: { value: Maybe<number>; digits?: number }) {
  return value === null || value === undefined ? <NotKnown /> : <span class="num">{f.percent(value, digits)}</span>;
}

/** `about`: estimated, reported, billed…; `digits`: as many as the others of its column; `atLeast`: part of it is not known */
export function Money({ microUsd, about, digits, atLeast }: { microUsd: Maybe<number>; about?: string | null; digits?: number; atLeast?: boolean }) {
  if (microUsd === null || microUsd === undefined) return <NotKnown />;
  return (
    <span class="num" title={`${atLeast ? "at least " : ""}${(microUsd / 1e6).toFixed(6)} US dollars${about ? ", " + about : ""}`}>
      {atLeast ? "≥ " : ""}
      {digits === undefined ? f.money(microUsd) : f.moneyTo(microUsd, digits)}
    </span>
  );
}

export function Duration({ ms }: { ms: Maybe<number> }) {
  return ms === null || ms === undefined ? <NotKnown /> : <span class="num">{f.duration(ms)}</span>;
}

// One clock for all that says how long ago something was.
const now = createStore(present());
if (typeof window !== "undefined") {
  const tick = () => document.hidden || now.set(present());
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
}

/** The present moment, each `everyMs` anew. */
export function useNow(everyMs = 10_000): Date {
  const [value, setValue] = useState(now.get());
  useEffect(() => now.watch((at) => setValue((was) => (at.getTime() - was.getTime() >= everyMs - 50 ? at : was))), [everyMs]);
  return value;
}

interface TimeProps {
  at: Maybe<string | number | Date>; // numbers: milliseconds
  precision?: f.Precision;
  relative?: boolean; // "3 min ago"
  zone?: string; // another than the one chosen above: it is then named
  named?: boolean; // name the zone as well
}

/** A moment in the zone that was chosen; whoever points at it sees all of it, and UTC. */
export function Time({ at, precision, relative, zone, named }: TimeProps) {
  const chosen = useStore(zoneStore);
  const moment = useNow(relative ? 1000 : 60_000);
  if (at === null || at === undefined) return <NotKnown />;
  const date = at instanceof Date ? at : new Date(at);
  if (!f.isDate(date)) return <NotKnown />;
  const there = zone ?? chosen;
  const text = relative ? f.ago(date, moment) : f.moment(date, there, moment, precision);
  const name = !relative && (named || (zone && zone !== chosen)) ? " " + f.zoneShort(there, date) : "";
  return (
    <time class="num" dateTime={date.toISOString()} title={f.fullMoment(date, there)}>
      {text}
      {name}
    </time>
  );
}

/** How long it is since then; runs. */
export function Since({ at }: { at: Maybe<string | number> }) {
  const moment = useNow(1000);
  if (at === null || at === undefined) return <NotKnown />;
  return <span class="num">{f.duration(Math.max(0, moment.getTime() - new Date(at).getTime()))}</span>;
}

export type Tone = "good" | "warn" | "bad" | "quiet";

/** A state: a lamp and a word. Colour never says it alone. */
export function Badge({ tone = "quiet", children, title }: { tone?: Tone; children: ComponentChildren; title?: string }) {
  return (
    <span class={`badge ${tone}`} title={title}>
      <span class="lamp" aria-hidden="true" />
      {children}
    </span>
  );
}

/** Which system speaks: told apart by form, since colour is for states. */
export function System({ name }: { name: Maybe<string> }) {
  if (!name) return <NotKnown />;
  const text = { openai: "OpenAI", vapi: "Vapi", fallback: "fallback" }[name] ?? name;
  return <span class={`system ${name === "openai" ? "solid" : name === "vapi" ? "outline" : "dotted"}`}>{text}</span>;
}

/** A phone number, as the API gave it (masked for viewers). */
export function Phone({ number }: { number: Maybe<string> }) {
  return number ? <span class="phone">{number}</span> : <NotKnown />;
}

export function Code({ children }: { children: ComponentChildren }) {
  return <code class="code">{children}</code>;
}
