// SPDX-License-Identifier: Apache-2.0
// format - numbers, money and times as text. null and undefined are "not known", never 0.

export const UNKNOWN = "–";

const numbers = new Map<string, Intl.NumberFormat>();
function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  let found = numbers.get(key);
  if (!found) numbers.set(key, (found = new Intl.NumberFormat("en-US", options)));
  return found;
}

export function count(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  return numberFormat({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** 0.1234 -> "12.3 %". Nothing and all are said of nothing and all alone: 0.9999 -> "> 99.9 %", 0.0001 -> "< 0.1 %" */
export function percent(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined) return UNKNOWN;
  const text = count(value * 100, digits);
  if (value > 0 && text === count(0, digits)) return `< ${count(10 ** -digits, digits)} %`;
  if (value < 1 && text === count(100, digits)) return `> ${count(100 - 10 ** -digits, digits)} %`;
  return text + " %";
}

/** Whole micro-dollars -> "$31.20"; below a cent as many digits as there is something to see. */
export function money(microUsd: number | null | undefined): string {
  const usd = Math.abs(microUsd ?? 0) / 1e6;
  return moneyTo(microUsd, usd === 0 || usd >= 0.1 ? 2 : usd >= 0.001 ? 4 : 6);
}

/** With as many digits as the others of its column have; what is something is not shown as nothing. */
export function moneyTo(microUsd: number | null | undefined, digits: number): string {
  if (microUsd === null || microUsd === undefined || !Number.isFinite(microUsd)) return UNKNOWN;
  const text = count(Math.abs(microUsd) / 1e6, digits);
  if (microUsd > 0 && text === count(0, digits)) return `< $${count(10 ** -digits, digits)}`;
  return (microUsd < 0 ? "−" : "") + "$" + text;
}

/** 48210 ms -> "48 s"; 125000 -> "2 min 05 s"; below a second "340 ms" */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return UNKNOWN;
  if (ms < 0) return "−" + duration(-ms);
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 1000) return "1.0 s";
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** "3 min ago", "in 2 h" */
export function ago(at: Date, now: Date): string {
  const ms = now.getTime() - at.getTime();
  const far = (value: number) => {
    const s = Math.round(value / 1000);
    if (s < 90) return `${s} s`;
    if (s < 5400) return `${Math.round(s / 60)} min`;
    if (s < 129_600) return `${Math.round(s / 3600)} h`;
    return `${Math.round(s / 86_400)} days`;
  };
  return ms >= 0 ? `${far(ms)} ago` : `in ${far(-ms)}`;
}

export type Precision = "minute" | "second" | "ms" | "day";

const times = new Map<string, Intl.DateTimeFormat>();
function timeFormat(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let found = times.get(key);
  if (!found) times.set(key, (found = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options })));
  return found;
}

function part(at: Date, zone: string, options: Intl.DateTimeFormatOptions, type: Intl.DateTimeFormatPartTypes): string {
  return timeFormat(zone, options).formatToParts(at).find((p) => p.type === type)?.value ?? "";
}

export function isDate(at: Date): boolean {
  return !Number.isNaN(at.getTime());
}

/** "2026-11-27" there. */
export function day(at: Date, zone: string): string {
  const options: Intl.DateTimeFormatOptions = { year: "numeric", month: "2-digit", day: "2-digit" };
  const of = (type: Intl.DateTimeFormatPartTypes) => part(at, zone, options, type);
  return `${of("year")}-${of("month")}-${of("day")}`;
}

/** "14:02", "14:02:33", "14:02:33.120" there. */
export function clock(at: Date, zone: string, precision: Precision = "minute"): string {
  const text = timeFormat(zone, { hour: "2-digit", minute: "2-digit", ...(precision === "minute" ? {} : { second: "2-digit" }) }).format(at);
  return precision === "ms" ? `${text}.${String(at.getUTCMilliseconds()).padStart(3, "0")}` : text;
}

/** "Fri 27 Nov"; with the year when it is another. */
export function dayName(at: Date, zone: string, now: Date): string {
  const sameYear = day(at, zone).slice(0, 4) === day(now, zone).slice(0, 4);
  return timeFormat(zone, { weekday: "short", day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) })
    .format(at)
    .replace(",", "");
}

/** As short as it can be said: today the clock, else the day as well. */
export function moment(at: Date, zone: string, now: Date, precision: Precision = "minute"): string {
  if (precision === "day") return dayName(at, zone, now);
  const time = clock(at, zone, precision);
  return day(at, zone) === day(now, zone) ? time : `${dayName(at, zone, now)} ${time}`;
}

/** "CET", "GMT+1", "UTC": how the zone is called at that moment. */
export function zoneShort(zone: string, at: Date): string {
  return zone === "UTC" ? "UTC" : part(at, zone, { timeZoneName: "short" }, "timeZoneName");
}

/** All that can be said of a moment, for whoever points at it. */
export function fullMoment(at: Date, zone: string): string {
  const there = `${day(at, zone)} ${clock(at, zone, "second")} ${zoneShort(zone, at)} (${zone})`;
  return zone === "UTC" ? there : `${there}\n${at.toISOString().replace("T", " ").replace(/\.\d+Z/, " UTC")}`;
}

export const plural = (n: number, one: string, many = one + "s"): string => `${count(n)} ${n === 1 ? one : many}`;

/** "hang_up" -> "hang up" */
export const words = (text: string | null | undefined): string => (text ? text.replaceAll("_", " ") : UNKNOWN);
