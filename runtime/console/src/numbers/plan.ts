// SPDX-License-Identifier: Apache-2.0
// plan - what a change of numbers would write, out of what its dry run told.
import type { Job } from "../api/types";
import { linesOf, type Line } from "../api/job";
import type { Plan } from "../ui/dialog";
import * as f from "../ui/format";

export type Where = "ringdown" | "vapi" | "elsewhere" | "nobody" | "unknown";

export const whereName: Record<Where, string> = { ringdown: "us", vapi: "Vapi", elsewhere: "elsewhere", nobody: "nobody", unknown: "not known" };

const fieldNames: Record<string, string> = {
  voice_url: "calls go to",
  voice_method: "asked by",
  voice_fallback_url: "if that fails",
  voice_fallback_method: "then asked by",
  sms_url: "texts go to",
  sms_method: "texts asked by",
  voice_application_sid: "application",
  trunk_sid: "trunk",
  status_callback: "told when it ends",
};
export const fieldName = (name: string): string => fieldNames[name] ?? f.words(name);

const value = (text: string) => (text === "" ? "nothing" : text);

/** Which numbers, in few words. */
export const named = (numbers: string[]): string => (numbers.length === 1 ? numbers[0]! : f.plural(numbers.length, "number"));

/** Of a dry run that is over: each field of each number, what is refused and why, and what else it said. */
export function planOf(job: Job): Plan & { numbers: string[] } {
  const lines = linesOf(job);
  const of = (l: Line) => [...(l.changes ?? []), ...(l.change ? [l.change] : [])];
  const numbers = [...new Set(lines.filter((l) => of(l).length).map((l) => l.number ?? ""))];
  const n = numbers.length;
  const many = n > 1;
  const changes = lines.flatMap((l) =>
    of(l).map((c) => ({ what: `${many ? l.number + " " : ""}${fieldName(c.name)}`, before: value(c.found), after: value(c.wanted) })),
  );
  const refused = lines.filter((l) => l.refused).map((l) => `${l.number} is refused: ${l.refused}`);
  const notes = lines.filter((l) => l.note).map((l) => l.note!);
  const same = lines.filter((l) => l.changes && l.changes.length === 0).length;
  const told = lines.filter((l) => l.text && of(l).length === 0 && !l.changes && !l.refused).map((l) => l.text!.trim());
  const parts = [`${f.plural(n, "number")} would change`, same ? `${f.count(same)} ${same === 1 ? "is" : "are"} so already` : "", refused.length ? `${f.count(refused.length)} refused` : ""];
  return {
    summary: parts.filter(Boolean).join(", ") + ".",
    changes,
    warnings: [...refused, ...notes],
    more: n === 0 && told.length ? told.join(" ") : undefined,
    nothing: n === 0,
    numbers,
  };
}

/** Those that were to be changed are as they should be; others were refused, as was told before. */
export function isWell(job: Job): boolean {
  const { failed, counts } = (job.result ?? {}) as { failed?: boolean; counts?: Record<string, number> };
  return !failed || (!!counts?.verified && Object.entries(counts).every(([step, n]) => step === "verified" || n === 0));
}

/** What came of it: how many are as they should be, of those that were changed; else the last that it said. */
export function sumOf(job: Job): string {
  const lines = linesOf(job);
  const counted = lines.filter((l) => l.counts).pop();
  const text = (counted ?? lines.filter((l) => l.text).pop())?.text?.trim() ?? "It is done.";
  const refused = (job.result as { refused?: number } | null)?.refused ?? 0;
  return text.replace(/^run \d+: /, "").replace(/; ringdown numbers [^;]*$/, "") + (counted && refused > 0 ? `, ${f.count(refused)} refused` : "");
}
