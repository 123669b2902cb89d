// SPDX-License-Identifier: Apache-2.0
// customers - who is known, and what of them; one of them with their visits, edited with what will be written shown before.
import { useState } from "preact/hooks";
import { sayWhoOf } from "../../api/changed";
import { ask, type Body } from "../../api/client";
import type { Customer, CustomerWithVisits } from "../../api/types";
import { useApi } from "../../api/use";
import { to, useQuery } from "../../state/router";
import { useMay, useMe } from "../../state/session";
import { Button, Filters, Pager, type Filter } from "../../ui/controls";
import { preview } from "../../ui/dialog";
import * as f from "../../ui/format";
import { useAgentNames } from "../../ui/scope";
import { Empty } from "../../ui/states";
import { listOf } from "../../ui/sums";
import { Table, type Column } from "../../ui/table";
import { toast } from "../../ui/toast";
import { Phone, Time } from "../../ui/values";
import { Facts, Page, Panel, Shown } from "../../ui/view";
import { isVisit, tabs, visitColumns, visitRow } from "./visits";

const isVip = (c: Customer) => c.facts?.vip === true;

const customerColumns: Column<Customer>[] = [
  { key: "name", head: "Name", cell: (c) => c.name ?? "no name", sort: (c) => c.name },
  { key: "number", head: "Number", cell: (c) => <Phone number={c.number} />, sort: (c) => c.number },
  { key: "email", head: "E-mail", cell: (c) => c.email ?? f.UNKNOWN, sort: (c) => c.email },
  { key: "vip", head: "VIP", cell: (c) => (isVip(c) ? "yes" : ""), sort: (c) => (isVip(c) ? 0 : 1) },
  { key: "notes", head: "Notes", wide: true, cell: (c) => c.notes ?? "" },
  { key: "agent", head: "Agent", cell: (c) => c.agent, sort: (c) => c.agent },
  { key: "at", head: "Known since", cell: (c) => <Time at={c.created_at} />, sort: (c) => c.created_at },
];

export function Customers() {
  const [query] = useQuery();
  const me = useMe();
  const names = useAgentNames();
  const may = useMay()("POST /customers/import");
  const customers = useApi("GET /customers", { query: { agent: query.get("agent") ?? undefined, q: me.masked ? undefined : (query.get("q") ?? undefined), cursor: query.get("cursor") ?? undefined, limit: 50 } });
  const of: Filter[] = [
    ...(me.masked ? [] : ([{ name: "q", label: "Number or name", type: "search", hint: "gar" }] as Filter[])),
    { name: "agent", label: "Agent", type: "select", any: "all agents", options: names.map((name) => ({ value: name, name })) },
  ];
  return (
    <Page title="Customers" about="the newest first" actions={may ? <a class="button" href="/appointments/customers/import">Import…</a> : null}>
      {tabs}
      <Filters of={of} />
      <Panel flush>
        <Shown of={customers}>
          {(data) => (
            <>
              <Table
                caption="Customers"
                columns={customerColumns}
                rows={data.items}
                rowKey={(c) => c.id}
                href={(c) => to("appointments", "customers", c.id)}
                empty={<Empty remedy="Who books becomes one; a table of yours can be imported.">There is no such customer.</Empty>}
              />
              <Pager next={data.next} shown={data.items.length} what="customers" />
            </>
          )}
        </Shown>
      </Panel>
    </Page>
  );
}

interface Edit {
  name: string;
  email: string;
  notes: string;
  vip: boolean;
}

const editOf = (c: Customer): Edit => ({ name: c.name ?? "", email: c.email ?? "", notes: c.notes ?? "", vip: isVip(c) });
const FIELDS = ["name", "email", "notes"] as const;

/** From what is there to what was written: only what differs; what is empty now is taken away. null: nothing does. */
export function patchOf(was: Edit, is: Edit): (Body<"PATCH /customers/{id}"> & object) | null {
  const body: Body<"PATCH /customers/{id}"> & object = {};
  const clear: ("name" | "email" | "notes")[] = [];
  for (const field of FIELDS) {
    const text = is[field].trim();
    if (text === was[field].trim()) continue;
    if (text === "") clear.push(field);
    else body[field] = text;
  }
  if (clear.length) body.clear = clear;
  if (is.vip !== was.vip) body.vip = is.vip;
  return Object.keys(body).length ? body : null;
}

function EditForm({ of, etag, reload }: { of: CustomerWithVisits; etag: string | null; reload: () => void }) {
  const was = editOf(of);
  const [form, setForm] = useState(was);
  const body = patchOf(was, form);
  const set = (patch: Partial<Edit>) => setForm((before) => ({ ...before, ...patch }));
  const save = async () => {
    if (!body) return;
    const shown = (text: string) => (text.trim() === "" ? "nothing" : text.trim());
    let after: string | null = null;
    const done = await preview({
      title: `Change what is known of ${of.name ?? of.number ?? "this customer"}?`,
      verb: "Write it",
      load: () =>
        Promise.resolve({
          summary: "The next call of this customer knows it.",
          changes: [
            ...FIELDS.filter((field) => form[field].trim() !== was[field].trim()).map((field) => ({ what: { name: "Name", email: "E-mail", notes: "Notes" }[field], before: shown(was[field]), after: shown(form[field]) })),
            ...(form.vip === was.vip ? [] : [{ what: "VIP", before: was.vip ? "yes" : "no", after: form.vip ? "yes" : "no" }]),
          ],
        }),
      commit: async () => {
        after = (await sayWhoOf(ask("PATCH /customers/{id}", { path: { id: of.id }, body, ifMatch: etag ?? undefined }), "customer", of.id)).etag;
      },
    });
    if (!done) return reload();
    toast.say(`What is known of ${of.name ?? "this customer"} is changed.`, {
      name: "Undo",
      run: () => void sayWhoOf(ask("PATCH /customers/{id}", { path: { id: of.id }, body: patchOf(form, was) ?? undefined, ifMatch: after ?? undefined }), "customer", of.id).then(reload, toast.problem),
    });
    reload();
  };
  return (
    <form class="edit" onSubmit={(e) => e.preventDefault()}>
      <label class="field">
        <span>Name</span>
        <input type="text" maxLength={200} autocomplete="off" value={form.name} onInput={(e) => set({ name: e.currentTarget.value })} />
      </label>
      <label class="field">
        <span>E-mail</span>
        <input type="text" inputMode="email" autocomplete="off" value={form.email} onInput={(e) => set({ email: e.currentTarget.value })} />
      </label>
      <label class="field">
        <span>Notes, which the agent reads</span>
        <textarea rows={4} maxLength={16000} value={form.notes} onInput={(e) => set({ notes: e.currentTarget.value })} />
      </label>
      <label class="check">
        <input type="checkbox" checked={form.vip} onChange={(e) => set({ vip: e.currentTarget.checked })} /> VIP
      </label>
      <div>
        <Button kind="primary" disabled={!body} onClick={save}>
          Write…
        </Button>
      </div>
    </form>
  );
}

export function CustomerPage({ id }: { id: string }) {
  const may = useMay()("PATCH /customers/{id}");
  const me = useMe();
  const customer = useApi("GET /customers/{id}", { path: { id } }, { on: isVisit });
  const c = customer.data;
  const others = Object.entries(c?.facts ?? {}).filter(([name]) => name !== "vip");
  return (
    <Page
      title={c ? (c.name ?? c.number ?? "Customer") : "Customer"}
      about={c ? `of ${c.agent}` : null}
      actions={
        <>
          {c?.number && !me.masked ? (
            <>
              <a href={listOf("/calls", { number: c.number })}>Calls</a>
              <a href={to("texts", c.number)}>Texts</a>
            </>
          ) : null}
          <a href="/appointments/customers">All customers</a>
        </>
      }
    >
      <Shown of={customer}>
        {(data) => (
          <>
            <div class="pairs">
              <Panel title="Known">
                <Facts
                  rows={[
                    ["Number", <Phone number={data.number} />],
                    ["Name", data.name ?? f.UNKNOWN],
                    ["E-mail", data.email ?? f.UNKNOWN],
                    ["Notes", data.notes ?? f.UNKNOWN],
                    data.facts ? ["VIP", isVip(data) ? "yes" : "no"] : null,
                    ...others.map(([name, value]): [string, string] => [f.words(name), typeof value === "string" ? value : JSON.stringify(value)]),
                    ["Known since", <Time at={data.created_at} />],
                    ["Changed", <Time at={data.updated_at} />],
                  ]}
                />
              </Panel>
              {may ? (
                <Panel title="Change it">
                  <EditForm key={customer.etag} of={data} etag={customer.etag} reload={customer.reload} />
                </Panel>
              ) : null}
            </div>
            <Panel title="Visits, the last first" flush>
              <Table caption="Visits" columns={visitColumns.filter((col) => col.key !== "name" && col.key !== "number")} rows={data.visits ?? []} rowKey={(v) => v.id} href={(v) => to("appointments", v.id)} rowClass={visitRow} empty={<Empty>There is no visit of theirs.</Empty>} />
            </Panel>
          </>
        )}
      </Shown>
    </Page>
  );
}
