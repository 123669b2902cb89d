// SPDX-License-Identifier: Apache-2.0
// clock - between what a clock in some zone says ("2026-12-02T09:00", as an input has it) and the moment that is.
import * as f from "./format";

/** "2026-12-02T09:00" there. */
export function localOf(at: Date, zone: string): string {
  return `${f.day(at, zone)}T${f.clock(at, zone)}`;
}

/** How far the clock there is ahead of UTC at that moment. */
function aheadMs(at: number, zone: string): number {
  const whole = Math.floor(at / 1000) * 1000;
  const there = new Date(whole);
  return Date.parse(`${f.day(there, zone)}T${f.clock(there, zone, "second")}Z`) - whole;
}

/**
 * The moment at which a clock there says that; of two (clocks put back) the first. A time that is left out (clocks put
 * forward) is as much later as was left out. null: it is no time.
 */
export function momentOf(local: string, zone: string): Date | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(local)) return null;
  const said = Date.parse(local + ":00Z");
  if (Number.isNaN(said)) return null;
  const DAY_MS = 86_400_000;
  const before = said - aheadMs(said - DAY_MS, zone);
  const after = said - aheadMs(said + DAY_MS, zone);
  const first = Math.min(before, after);
  const is = (at: number) => at + aheadMs(at, zone) === said;
  return new Date(is(first) ? first : is(before) ? before : is(after) ? after : before);
}

/** The moment at which that day begins there, for lists that take moments. */
export function dayBegins(day: string | null, zone: string, later = 0): string | undefined {
  if (!day || !/^\d{4}-\d\d-\d\d$/.test(day)) return undefined;
  const at = new Date(day + "T12:00:00Z");
  if (!f.isDate(at)) return undefined;
  at.setUTCDate(at.getUTCDate() + later);
  return momentOf(at.toISOString().slice(0, 10) + "T00:00", zone)?.toISOString().replace(".000Z", "Z");
}
