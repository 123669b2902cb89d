// SPDX-License-Identifier: Apache-2.0
// words - forms to bodies, and what is written before it is.
import type { Rate } from "../../api/types";

export type What = Rate["what"];

const tokens = ["text_in", "text_cached", "audio_in", "audio_cached", "image_in", "image_cached", "text_out", "audio_out"];

/** What has which units, as scripts/ringdown/stats/rates.lua has it. */
export const units: Record<What, string[]> = {
  openai: [...tokens, "minute"],
  twilio_voice: ["minute"],
  twilio_stream: ["minute"],
  twilio_dial: ["minute"],
  sms: ["segment"],
  hosting: ["minute", "month"],
};

export const whatName: Record<What, string> = {
  openai: "OpenAI",
  twilio_voice: "Twilio voice",
  twilio_stream: "Twilio stream",
  twilio_dial: "Twilio dial",
  sms: "Texts",
  hosting: "Hosting",
};

export const perOf = (unit: string): string => (tokens.includes(unit) ? "1M tokens" : unit);

export const rateName = (r: { what: What; model?: string | null; unit: string }): string =>
  [whatName[r.what], r.model, r.unit.replaceAll("_", " ")].filter(Boolean).join(" ");

/** "0.0085"; null: it is no price. */
export function priceOf(text: string): string | null {
  const trimmed = text.trim().replace(/^\$/, "");
  return /^\d{1,6}(\.\d{1,12})?$/.test(trimmed) ? trimmed : null;
}

export interface TokenForm {
  name: string;
  role: "viewer" | "operator" | "admin";
  agents: string[];
  sees: boolean;
  expires: string;
}

export function tokenBody(form: TokenForm) {
  return {
    name: form.name.trim(),
    role: form.role,
    expires: form.expires,
    ...(form.agents.length ? { agents: form.agents } : {}),
    ...(form.role === "viewer" && form.sees ? { sees_personal: true } : {}),
  };
}

/** `all` with `one` or without it, each once, in the order of the alphabet. */
export const withOrWithout = (all: string[], one: string, on: boolean): string[] => [...new Set(on ? [...all, one] : all.filter((a) => a !== one))].sort();

export interface Difference {
  what: string;
  before: string;
  after: string;
}

const text = (value: unknown): string => {
  if (value === undefined || value === null) return "–";
  if (typeof value !== "string") return JSON.stringify(value);
  const moment = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)$/.exec(value);
  return moment ? `${moment[1]} ${moment[2]} UTC` : value;
};

/** "0.3" -> "0.3000": prices of a column stand below each other. */
export const aligned = (usd: string): string => (/\.\d{4,}$/.test(usd) ? usd : Number(usd).toFixed(4));

/** What a change changed: the fields that differ, in the order of their names. */
export function differences(before: Record<string, unknown> | null, after: Record<string, unknown> | null): Difference[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  return names
    .map((what) => ({ what, before: text(before?.[what]), after: text(after?.[what]) }))
    .filter((d) => d.before !== d.after);
}

/** A day of a form, as the start of it in UTC. */
export const startOf = (day: string | null): string | undefined => (day && /^\d{4}-\d\d-\d\d$/.test(day) ? `${day}T00:00:00Z` : undefined);

/** … and the start of the day behind it. */
export const behind = (day: string | null): string | undefined => {
  const start = startOf(day);
  if (!start) return undefined;
  const at = new Date(Date.parse(start) + 86_400_000);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString().slice(0, 19) + "Z";
};
