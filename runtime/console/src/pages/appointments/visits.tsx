// SPDX-License-Identifier: Apache-2.0
// visits - how a visit is called, what state it is in, and its row where visits are listed.
import type { Fact } from "../../api/events";
import type { Appointment } from "../../api/types";
import { to } from "../../state/router";
import { Tabs } from "../../ui/controls";
import * as f from "../../ui/format";
import { type Column } from "../../ui/table";
import { Badge, Count, Phone, Time } from "../../ui/values";

export const isVisit = (fact: Fact) => fact.type === "booking";

export const tabs = <Tabs label="Visits and customers" of={[{ href: "/appointments", name: "Visits" }, { href: "/appointments/customers", name: "Customers" }]} />;

export const minutesOf = (v: Pick<Appointment, "begins" | "ends">): number => Math.round((Date.parse(v.ends) - Date.parse(v.begins)) / 60_000);

/** How a visit is called where one is asked about it. */
export function nameOf(v: Appointment, zone: string): string {
  const at = new Date(v.begins);
  return `${v.service ?? "visit"} of ${v.name ?? v.number ?? "somebody"}, ${f.dayName(at, zone, new Date())} ${f.clock(at, zone)} ${f.zoneShort(zone, at)}`;
}

export function Status({ of }: { of: Appointment }) {
  if (of.status === "cancelled") return <Badge>called off</Badge>;
  return Date.parse(of.ends) < Date.now() ? <Badge>was booked</Badge> : <Badge tone="good">booked</Badge>;
}

export const visitColumns: Column<Appointment>[] = [
  { key: "begins", head: "Begins", cell: (v) => <Time at={v.begins} />, sort: (v) => v.begins },
  { key: "status", head: "State", cell: (v) => <Status of={v} />, sort: (v) => v.status },
  { key: "minutes", head: "Takes", align: "right", cell: (v) => <Count value={minutesOf(v)} unit="min" />, sort: minutesOf },
  { key: "resource", head: "Who or what", cell: (v) => v.resource, sort: (v) => v.resource },
  { key: "service", head: "For", cell: (v) => v.service ?? f.UNKNOWN, sort: (v) => v.service },
  { key: "name", head: "Customer", cell: (v) => (v.customer ? <a href={to("appointments", "customers", v.customer)}>{v.name ?? "no name"}</a> : (v.name ?? f.UNKNOWN)), sort: (v) => v.name },
  { key: "number", head: "Number", cell: (v) => <Phone number={v.number} /> },
  { key: "agent", head: "Agent", cell: (v) => (v.site === "default" ? v.agent : `${v.agent}, ${v.site}`), sort: (v) => v.agent },
];

export const visitRow = (v: Appointment) => (v.status === "cancelled" || Date.parse(v.ends) < Date.now() ? "faint" : null);
