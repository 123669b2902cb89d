// SPDX-License-Identifier: Apache-2.0
// appointments - visits, moved or called off with what will be written shown before; customers (appointments/); both
// taken over from tables. Hours are those of the clock that is chosen above, and say so.
//
//   /appointments            visits          /appointments/12            one of them
//   /appointments/customers  customers       /appointments/customers/7   one of them
//   /appointments/import, /appointments/customers/import
import { useState } from "preact/hooks";
import { sayWhoOf } from "../api/changed";
import { ask, newKey, type Body } from "../api/client";
import type { Appointment } from "../api/types";
import { useApi } from "../api/use";
import { zone as zoneStore } from "../state/prefs";
import { to, useQuery } from "../state/router";
import { useMay, useMe } from "../state/session";
import { useStore } from "../state/store";
import { dayBegins, localOf, momentOf } from "../ui/clock";
import { Button, Filters, Pager, type Filter } from "../ui/controls";
import { preview } from "../ui/dialog";
import * as f from "../ui/format";
import { ImportPanel } from "../ui/import";
import { useAgentNames } from "../ui/scope";
import { Empty } from "../ui/states";
import { Table } from "../ui/table";
import { toast } from "../ui/toast";
import { Phone, Time } from "../ui/values";
import { Facts, Page, Panel, Shown } from "../ui/view";
import type { PageProps } from "../pages";
import { CustomerPage, Customers } from "./appointments/customers";
import { isVisit, minutesOf, nameOf, Status, tabs, visitColumns, visitRow } from "./appointments/visits";

function Visits() {
  const [query] = useQuery();
  const zone = useStore(zoneStore);
  const me = useMe();
  const names = useAgentNames();
  const may = useMay()("POST /appointments/import");
  const get = (name: string) => query.get(name) ?? undefined;
  const from = query.get("from") ?? (query.get("past") === "true" ? null : f.day(new Date(), zone));
  const visits = useApi(
    "GET /appointments",
    {
      query: {
        agent: get("agent"),
        status: get("status") as "booked" | undefined,
        resource: get("resource"),
        number: me.masked ? undefined : get("number"),
        since: dayBegins(from, zone),
        until: dayBegins(query.get("to"), zone, 1),
        cursor: get("cursor"),
        limit: 50,
      },
    },
    { on: isVisit, everyMs: 60_000 },
  );
  const of: Filter[] = [
    { name: "agent", label: "Agent", type: "select", any: "all agents", options: names.map((name) => ({ value: name, name })) },
    { name: "status", label: "State", type: "select", any: "all", options: [{ value: "booked", name: "booked" }, { value: "cancelled", name: "called off" }] },
    { name: "resource", label: "Who or what", type: "search", hint: "truck 1" },
    ...(me.masked ? [] : ([{ name: "number", label: "Number", type: "search", hint: "+13125550142" }] as Filter[])),
    { name: "from", label: "From", type: "date" },
    { name: "to", label: "To, that day too", type: "date" },
    { name: "past", label: "past ones as well", type: "check" },
  ];
  return (
    <Page title="Appointments" about={`in the order they begin, by the clock of ${zone}`} actions={may ? <a class="button" href="/appointments/import">Import…</a> : null}>
      {tabs}
      <Filters of={of} />
      <Panel flush>
        <Shown of={visits}>
          {(data) => (
            <>
              <Table
                caption="Visits"
                columns={visitColumns}
                rows={data.items}
                rowKey={(v) => v.id}
                href={(v) => to("appointments", v.id)}
                rowClass={visitRow}
                empty={<Empty remedy="Those before today are shown with “past ones as well”.">{from && !query.get("from") ? "No visit is to come." : "There is no such visit."}</Empty>}
              />
              <Pager next={data.next} shown={data.items.length} what="visits" />
            </>
          )}
        </Shown>
      </Panel>
    </Page>
  );
}

// ---- one visit ----

interface Move {
  begins: string; // as the clock says it
  minutes: string;
  resource: string;
}

/** What would be written, or why it cannot be. */
export function moveOf(v: Appointment, form: Move, zone: string): { body: Body<"POST /appointments/{id}/move"> & object } | { why: string } {
  const at = momentOf(form.begins, zone);
  const minutes = Number(form.minutes);
  const resource = form.resource.trim();
  if (!at) return { why: "Say a day and an hour." };
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > 44_640) return { why: "It takes from 1 to 44640 minutes." };
  if (resource === "") return { why: "Say who or what is booked." };
  const body = {
    ...(at.getTime() === Date.parse(v.begins) ? {} : { begins: at.toISOString().replace(".000Z", "Z") }),
    ...(minutes === minutesOf(v) ? {} : { minutes }),
    ...(resource === v.resource ? {} : { resource }),
  };
  return Object.keys(body).length === 0 ? { why: "Nothing of it is changed yet." } : { body };
}

function MoveForm({ of, etag, reload }: { of: Appointment; etag: string | null; reload: () => void }) {
  const zone = useStore(zoneStore);
  const [form, setForm] = useState<Move>({ begins: localOf(new Date(of.begins), zone), minutes: String(minutesOf(of)), resource: of.resource });
  const made = moveOf(of, form, zone);
  const set = (patch: Partial<Move>) => setForm((was) => ({ ...was, ...patch }));
  const move = async () => {
    if ("why" in made) return;
    const once = newKey();
    let after: string | null = null;
    const said = (at: Date) => `${f.dayName(at, zone, new Date())} ${f.clock(at, zone)} ${f.zoneShort(zone, at)}`;
    const done = await preview({
      title: `Move the ${nameOf(of, zone)}?`,
      verb: "Move this visit",
      load: async (signal) => {
        const { data } = await sayWhoOf(ask("POST /appointments/{id}/move", { path: { id: of.id }, body: { ...made.body, dry_run: true }, ifMatch: etag ?? undefined, signal }), "appointment", of.id);
        const was = data.was ?? data;
        return {
          summary: data.changed ? "Its hour is free again, and the other one is taken." : data.said[0],
          warnings: data.changed ? data.said : [],
          nothing: !data.changed,
          changes: [
            was.begins !== data.begins ? { what: "Begins", before: said(new Date(was.begins)), after: said(new Date(data.begins)) } : null,
            minutesOf(was) !== minutesOf(data) ? { what: "Takes", before: `${minutesOf(was)} min`, after: `${minutesOf(data)} min` } : null,
            was.resource !== data.resource ? { what: "Who or what", before: was.resource, after: data.resource } : null,
          ].filter((c) => c !== null),
        };
      },
      commit: async () => {
        after = (await sayWhoOf(ask("POST /appointments/{id}/move", { path: { id: of.id }, body: made.body, ifMatch: etag ?? undefined, once }), "appointment", of.id)).etag;
      },
    });
    if (!done) return reload();
    const back = { begins: new Date(of.begins).toISOString().replace(".000Z", "Z"), minutes: minutesOf(of), resource: of.resource };
    toast.say("The visit is moved.", {
      name: "Undo",
      run: () => void sayWhoOf(ask("POST /appointments/{id}/move", { path: { id: of.id }, body: back, ifMatch: after ?? undefined, once: newKey() }), "appointment", of.id).then(reload, toast.problem),
    });
    reload();
  };
  return (
    <form class="filters" onSubmit={(e) => e.preventDefault()}>
      <label>
        <span>Begins ({zone})</span>
        <input type="datetime-local" value={form.begins} onInput={(e) => set({ begins: e.currentTarget.value })} />
      </label>
      <label>
        <span>Minutes</span>
        <input type="number" min={1} max={44640} value={form.minutes} onInput={(e) => set({ minutes: e.currentTarget.value })} />
      </label>
      <label>
        <span>Who or what</span>
        <input type="text" maxLength={128} value={form.resource} onInput={(e) => set({ resource: e.currentTarget.value })} />
      </label>
      <Button kind="primary" disabled={"why" in made} onClick={move}>
        Move…
      </Button>
      {"why" in made ? <span class="about">{made.why}</span> : null}
    </form>
  );
}

async function cancel(v: Appointment, etag: string | null, zone: string, reload: () => void): Promise<void> {
  const once = newKey();
  const done = await preview({
    title: `Call off the ${nameOf(v, zone)}?`,
    verb: "Call it off",
    danger: true,
    load: async (signal) => {
      const { data } = await sayWhoOf(ask("POST /appointments/{id}/cancel", { path: { id: v.id }, body: { dry_run: true }, ifMatch: etag ?? undefined, signal }), "appointment", v.id);
      const [summary, ...warnings] = data.said;
      return { summary, warnings, nothing: !data.changed, changes: data.changed ? [{ what: "State", before: "booked", after: "called off" }] : [] };
    },
    commit: () => sayWhoOf(ask("POST /appointments/{id}/cancel", { path: { id: v.id }, ifMatch: etag ?? undefined, once }), "appointment", v.id),
  });
  if (done) toast.say("The visit is called off.");
  reload();
}

function Visit({ id }: { id: string }) {
  const zone = useStore(zoneStore);
  const may = useMay();
  const visit = useApi("GET /appointments/{id}", { path: { id } }, { on: isVisit });
  const v = visit.data;
  return (
    <Page
      title={v ? `${f.words(v.service ?? "visit").replace(/^./, (c) => c.toUpperCase())}: ${v.name ?? v.number ?? "somebody"}` : "Visit"}
      about={`by the clock of ${zone}`}
      actions={
        <>
          {v && v.status === "booked" && may("POST /appointments/{id}/cancel") ? (
            <Button kind="danger" onClick={() => cancel(v, visit.etag, zone, visit.reload)}>
              Call it off…
            </Button>
          ) : null}
          <a href="/appointments">All visits</a>
        </>
      }
    >
      <Shown of={visit}>
        {(data) => (
          <>
            <Panel title="Visit">
              <Facts
                rows={[
                  ["State", <Status of={data} />],
                  ["Begins", <Time at={data.begins} named />],
                  ["Ends", <Time at={data.ends} named />],
                  ["Who or what", data.resource],
                  ["For", data.service ?? f.UNKNOWN],
                  ["Customer", data.customer ? <a href={to("appointments", "customers", data.customer)}>{data.name ?? "no name"}</a> : (data.name ?? f.UNKNOWN)],
                  ["Number", <Phone number={data.number} />],
                  ["Agent", `${data.agent}, ${data.site}`],
                  ["Notes", data.notes ?? f.UNKNOWN],
                  ["Booked", <><Time at={data.created_at} /> {data.call ? <a href={to("calls", data.call)}>in this call</a> : "not in a call"}</>],
                  ["Changed", <Time at={data.updated_at} />],
                ]}
              />
            </Panel>
            {data.status === "booked" && may("POST /appointments/{id}/move") ? (
              <Panel title="Move it">
                <MoveForm key={visit.etag + zone} of={data} etag={visit.etag} reload={visit.reload} />
              </Panel>
            ) : null}
          </>
        )}
      </Shown>
    </Page>
  );
}

function Import({ customers }: { customers: boolean }) {
  const may = useMay()(customers ? "POST /customers/import" : "POST /appointments/import");
  const back = customers ? "/appointments/customers" : "/appointments";
  return (
    <Page title={customers ? "Import customers" : "Import visits"} actions={<a href={back}>{customers ? "All customers" : "All visits"}</a>}>
      {!may ? (
        <Panel>
          <Empty remedy="An operator can.">You may not import.</Empty>
        </Panel>
      ) : customers ? (
        <ImportPanel
          op="POST /customers/import"
          what="customers"
          columns="agent, number, name, email, notes, vip, and fact.… for what else agents shall know"
          example={"agent,number,name,vip\nnorthside-plumbing,+13125550142,Maria Garcia,true"}
          after={back}
        />
      ) : (
        <ImportPanel
          op="POST /appointments/import"
          what="visits"
          columns="agent, site, resource, begins, minutes, number, name, service, notes, status, key; hours are of the clock at the site"
          example={"agent,resource,begins,minutes,number\nnorthside-plumbing,truck 1,2026-12-01 09:00,60,+13125550142"}
          after={back}
        />
      )}
    </Page>
  );
}

export default function Appointments({ rest }: PageProps) {
  const [first, second] = rest;
  if (first === "customers") return second === "import" ? <Import customers /> : second ? <CustomerPage id={second} /> : <Customers />;
  if (first === "import") return <Import customers={false} />;
  return first ? <Visit id={first} /> : <Visits />;
}
