// SPDX-License-Identifier: Apache-2.0
// sums - how /statistics and /costs tell what they have counted: the total, and each group with the filter of its calls.
import type { Statistics } from "../api/types";
import * as f from "./format";

type Maybe = number | null | undefined;

export interface Waits {
  n: number;
  p50_ms?: Maybe;
  p95_ms?: Maybe;
  p99_ms?: Maybe;
}

export interface Model {
  answers: number;
  incomplete: number; // the provider did not tell what they used
  cut_off?: number; // by the model, before their end
  models?: string[];
  audio_in: number;
  audio_cached: number;
  audio_out: number;
  text_in: number;
  text_cached: number;
  text_out: number;
  tokens_in: number;
  tokens_cached: number;
  tokens_out: number;
  cache_share?: Maybe;
  transcribed_s: number;
}

export interface Cost {
  micro_usd: Maybe;
  known_calls: number;
  unknown_calls: number;
  unknown_part_micro_usd: Maybe;
  bases: Record<string, Maybe>;
  items: Record<string, Maybe>;
}

export interface Sum {
  key: string;
  name: string;
  filter: Record<string, string | number | boolean>;
  calls: number;
  answered: number;
  answered_share?: Maybe;
  contained: number;
  containment?: Maybe;
  transferred: number;
  emergency: number;
  missed: number;
  not_taken: number;
  failed: number;
  failed_over: number;
  fallback: number;
  barge_ins: number;
  bookings: number;
  errors: number;
  turns: number;
  talk_ms: number;
  talk_average_s?: Maybe;
  first_audio: Waits;
  turn_latency: Waits; // from the end of what the caller said until they heard the answer
  tools: { calls: number; failed: number; success?: Maybe; took: Waits };
  transfers: { asked: number; answered: number };
  emergencies: { all: number; life: number; handled: number; not_handled: number; near_misses: number; waited: { n: number; p95_s?: Maybe } };
  cost: Cost;
  model?: Model;
}

export const totalOf = (of: { total: Statistics["total"] }): Sum => of.total as unknown as Sum;
export const groupsOf = (of: { groups: Statistics["groups"] }): Sum[] => of.groups as unknown as Sum[];

/** Of nothing there is no share. */
export const share = (part: Maybe, whole: Maybe): number | null => (part === null || part === undefined || !whole ? null : part / whole);

/** The list that shows what was counted: "/calls?…", "/costs/calls?…". */
export function listOf(list: string, ...filters: Record<string, string | number | boolean | null | undefined>[]): string {
  const query = new URLSearchParams();
  for (const filter of filters) for (const [name, value] of Object.entries(filter)) if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  const text = query.toString();
  return text ? `${list}?${text}` : list;
}

/** Days as the axis of a chart has them: as days of UTC, whichever clock they are of. */
export const dayAt = (day: string): number => Date.parse(day + "T00:00:00Z") / 1000;

/** What is said of a day that is not whole: today so far, or where "the last 24 hours" begin in it. */
export function partOfDay(of: { zone: string; period: unknown; groups: unknown[] }, now = new Date()): (at: number) => string | null {
  const today = dayAt(f.day(now, of.zone));
  const [first] = of.groups as { key: string }[];
  const begins = "from" in (of.period as object) && first ? dayAt(first.key) : null;
  return (at) => (at >= today ? "so far" : at === begins ? "in part" : null);
}

/** What one of many costs, in a column of such: four digits. */
export const EACH = 4;
