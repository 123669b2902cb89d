// SPDX-License-Identifier: Apache-2.0
// words - what is said of an alert, and of those that a silence is about.
import type { Alert, Silence } from "../../api/types";
import type { Tone } from "../../ui/values";
import { count, duration, money, percent, plural } from "../../ui/format";

/** Where one looks: the call that shows it, the number it is about, or the alert itself. */
export function whyOf(alert: Pick<Alert, "id" | "call" | "labels">): string {
  const shown = alert.call ?? alert.labels.call ?? alert.labels.number;
  return shown ? `ringdown why ${shown}` : `ringdown alerts show ${alert.id}`;
}

export const order: Record<Alert["severity"], number> = { page: 0, ticket: 1, info: 2 };
const stateOrder: Record<Alert["state"], number> = { firing: 0, pending: 1, resolved: 2 };

/** Those that want somebody first: what fires before what may, a page before a ticket, unseen before seen, new before old. */
export function byNeed(a: Alert, b: Alert): number {
  return (
    stateOrder[a.state] - stateOrder[b.state] ||
    order[a.severity] - order[b.severity] ||
    Number(!!a.acked_at) - Number(!!b.acked_at) ||
    Date.parse(b.fired_at ?? b.began_at ?? "") - Date.parse(a.fired_at ?? a.began_at ?? "") ||
    0
  );
}

export function toneOf(alert: Alert): Tone {
  if (alert.state === "resolved") return "quiet";
  if (alert.state === "pending" || alert.severity !== "page") return "warn";
  return "bad";
}

export function valueText(value: number | null, unit: string | undefined): string | null {
  if (value === null) return null;
  if (unit === "share") return percent(value);
  if (unit === "s") return duration(value * 1000);
  if (unit === "usd") return money(value * 1e6);
  if (unit === "calls") return plural(value, "call");
  return count(value, Number.isInteger(value) ? 0 : 2);
}

export const labelsText = (labels: Record<string, string>): string =>
  Object.keys(labels)
    .sort()
    .map((name) => `${name} ${labels[name]}`)
    .join(", ");

/** Whether a silence of these labels is about the alert; as the engine has it: * stands for anything. */
export function isAbout(labels: Record<string, string>, alert: Pick<Alert, "rule" | "severity" | "labels">): boolean {
  const own: Record<string, string> = { ...alert.labels, rule: alert.rule, severity: alert.severity };
  return Object.entries(labels).every(([name, pattern]) => {
    const value = own[name];
    if (value === undefined) return false;
    const parts = pattern.split("*").map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`, "s").test(value);
  });
}

export const lasts = [
  { value: "1h", name: "an hour" },
  { value: "4h", name: "four hours" },
  { value: "24h", name: "a day" },
  { value: "7d", name: "a week" },
] as const;

export const endOf = (lasting: string, now: Date): Date => {
  const [, n, unit] = /^(\d+)([mhd])$/.exec(lasting)!;
  return new Date(now.getTime() + Number(n) * { m: 60e3, h: 3600e3, d: 86400e3 }[unit as "m" | "h" | "d"]);
};

export const silenceName = (s: Pick<Silence, "labels">): string => labelsText(s.labels);

/** How long it would still last, as the API takes it, in whole minutes; null: less than one. */
export function leftOf(s: Pick<Silence, "until_at">, now: Date): string | null {
  const minutes = Math.floor((new Date(s.until_at ?? NaN).getTime() - now.getTime()) / 60_000);
  return minutes >= 1 ? `${minutes}m` : null;
}
