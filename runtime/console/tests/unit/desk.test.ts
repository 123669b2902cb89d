// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Appointment, Imported } from "../../src/api/types";
import { moveOf } from "../../src/pages/appointments";
import { patchOf } from "../../src/pages/appointments/customers";
import { minutesOf } from "../../src/pages/appointments/visits";
import { stateOf } from "../../src/pages/texts";
import { dayBegins, localOf, momentOf } from "../../src/ui/clock";
import { tally } from "../../src/ui/import";

const CHICAGO = "America/Chicago";
const iso = (local: string, zone = CHICAGO) => momentOf(local, zone)?.toISOString();

describe("what a clock says", () => {
  it("is a moment, in summer and winter", () => {
    expect(iso("2026-12-02T09:00")).toBe("2026-12-02T15:00:00.000Z");
    expect(iso("2026-07-02T09:00")).toBe("2026-07-02T14:00:00.000Z");
    expect(iso("2026-07-02T09:00", "Asia/Kolkata")).toBe("2026-07-02T03:30:00.000Z");
    expect(iso("2026-07-02T09:00", "UTC")).toBe("2026-07-02T09:00:00.000Z");
  });

  it("on the days on which it is put on or back", () => {
    expect(iso("2026-03-08T01:59")).toBe("2026-03-08T07:59:00.000Z");
    expect(iso("2026-03-08T02:30")).toBe("2026-03-08T08:30:00.000Z"); // left out: half an hour after three
    expect(iso("2026-03-08T03:00")).toBe("2026-03-08T08:00:00.000Z");
    expect(iso("2026-11-01T01:30")).toBe("2026-11-01T06:30:00.000Z"); // twice: the first
    expect(iso("2026-11-01T02:00")).toBe("2026-11-01T08:00:00.000Z");
  });

  it("comes back as it was said", () => {
    for (const local of ["2026-12-31T23:59", "2026-02-28T00:00", "2026-11-01T12:00"]) expect(localOf(momentOf(local, CHICAGO)!, CHICAGO)).toBe(local);
  });

  it("or is no time", () => expect(["", "tomorrow", "2026-13-40T09:00", "2026-12-02 09:00"].map((t) => momentOf(t, CHICAGO))).toEqual([null, null, null, null]));

  it("tells when days begin, the next one too", () => {
    expect(dayBegins("2026-11-27", CHICAGO)).toBe("2026-11-27T06:00:00Z");
    expect(dayBegins("2026-10-31", CHICAGO, 1)).toBe("2026-11-01T05:00:00Z");
    expect([dayBegins(null, CHICAGO), dayBegins("27.11.", CHICAGO)]).toEqual([undefined, undefined]);
  });
});

const visit = { begins: "2026-12-01T15:00:00+00:00", ends: "2026-12-01T16:00:00+00:00", resource: "truck 1" } as Appointment;

describe("a visit that is moved", () => {
  const form = { begins: "2026-12-01T09:00", minutes: "60", resource: "truck 1" };
  it("sends what differs", () => {
    expect(minutesOf(visit)).toBe(60);
    expect(moveOf(visit, { ...form, begins: "2026-12-02T10:30" }, CHICAGO)).toEqual({ body: { begins: "2026-12-02T16:30:00Z" } });
    expect(moveOf(visit, { ...form, minutes: "90", resource: " truck 2 " }, CHICAGO)).toEqual({ body: { minutes: 90, resource: "truck 2" } });
  });
  it("says what is wrong or that nothing differs", () => {
    for (const bad of [{}, { begins: "" }, { minutes: "0" }, { minutes: "1.5" }, { minutes: "" }, { resource: " " }]) expect(moveOf(visit, { ...form, ...bad }, CHICAGO)).toHaveProperty("why");
  });
});

describe("what is known of a customer", () => {
  const was = { name: "Maria", email: "m@example.com", notes: "", vip: false };
  it("changes by what differs; what is empty is taken away", () => {
    expect(patchOf(was, { ...was, name: "Maria G", email: " ", vip: true })).toEqual({ name: "Maria G", clear: ["email"], vip: true });
    expect(patchOf(was, { ...was, name: " Maria " })).toBeNull();
  });
  it("goes back the same way", () => expect(patchOf({ ...was, notes: "a dog" }, was)).toEqual({ clear: ["notes"] }));
});

describe("tables that are taken over", () => {
  const none: Imported = { dry_run: true, rows: 0, new: 0, changed: 0, same: 0, wrong: 0, errors: [], next_call: "" };
  it("are told in one line", () => {
    expect(tally({ ...none, rows: 5, new: 2, same: 1, wrong: 2 })).toBe("5 rows: 2 new, 1 as before, 2 wrong");
    expect(tally({ ...none, rows: 1, changed: 1 })).toBe("1 row: 1 changed");
    expect(tally(none)).toBe("0 rows: nothing");
  });
});

describe("a text", () => {
  const out = { direction: "out" as const, error_code: null };
  it("is in a state that everybody understands", () => {
    expect(stateOf({ ...out, status: "delivered" })).toEqual({ tone: "good", word: "delivered" });
    expect(stateOf({ ...out, status: "undelivered", error_code: "30003" }).tone).toBe("bad");
    expect(stateOf({ ...out, status: "scheduled" }).tone).toBe("warn");
    expect(stateOf({ ...out, status: null }).word).toBe("not told");
    expect(stateOf({ direction: "in", status: "received", error_code: null }).word).toBe("received");
  });
});
