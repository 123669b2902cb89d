// SPDX-License-Identifier: Apache-2.0
// calls - looked for by what is in the address; one of them (/calls/CA…) with all that is known of it.
import type { Call } from "../api/types";
import type { Query } from "../api/client";
import { useAll } from "../api/all";
import { useApi } from "../api/use";
import type { PageProps } from "../pages";
import { to, useQuery } from "../state/router";
import { CopyButton, Filters, Pager, type Filter } from "../ui/controls";
import * as f from "../ui/format";
import { useAgentNames } from "../ui/scope";
import { Empty } from "../ui/states";
import { Table, type Column } from "../ui/table";
import { Badge, Count, Duration, Money, Phone, System, Time } from "../ui/values";
import { Figures, Page, Panel, Shown } from "../ui/view";
import { Cost, Sound, Story, Waits, Why } from "./calls/parts";

const goesOn = (c: Call) => c.state !== "ended" && c.ended_at === null && c.duration_s === null;

function Outcome({ of }: { of: Call }) {
  if (of.missed) return <Badge tone="warn">missed: {f.words(of.missed)}</Badge>;
  if (goesOn(of)) return <Badge tone="good">in progress</Badge>;
  return <>{f.words(of.outcome)}</>;
}

const columns: Column<Call>[] = [
  { key: "at", head: "Began", cell: (c) => <Time at={c.started_at} precision="second" />, sort: (c) => c.started_at },
  { key: "from", head: "Caller", cell: (c) => (c.erased ? <span class="unknown">forgotten</span> : <Phone number={c.from} />) },
  { key: "agent", head: "Agent", cell: (c) => <span class="nowrap">{c.agent ?? f.UNKNOWN}</span>, sort: (c) => c.agent },
  { key: "system", head: "System", cell: (c) => <System name={c.failed_over_to ?? c.system} />, sort: (c) => c.system },
  {
    key: "outcome",
    head: "Outcome",
    cell: (c) => (
      <span class="nowrap">
        <Outcome of={c} /> {c.emergencies ? <Badge tone="bad">emergency</Badge> : null}
        {c.imported ? <Badge title="taken over from Vapi, not answered here">imported</Badge> : null}
      </span>
    ),
    sort: (c) => c.missed ?? c.outcome,
  },
  { key: "took", head: "Took", align: "right", cell: (c) => <Duration ms={c.duration_s === null ? null : c.duration_s * 1000} />, sort: (c) => c.duration_s },
  { key: "turns", head: "Turns", align: "right", cell: (c) => <Count value={c.turns} />, sort: (c) => c.turns },
  { key: "barge", head: "Barge-ins", align: "right", cell: (c) => <Count value={c.barge_ins} />, sort: (c) => c.barge_ins },
  { key: "errors", head: "Errors", align: "right", cell: (c) => <Count value={c.errors} />, sort: (c) => c.errors },
  { key: "first", head: "First sound", align: "right", cell: (c) => <Count value={c.first_audio_ms} unit="ms" />, sort: (c) => c.first_audio_ms },
  { key: "cost", head: "Cost", align: "right", cell: (c) => <Money microUsd={c.cost_micro_usd} about={c.cost_reason} />, sort: (c) => c.cost_micro_usd },
];

const named = (...names: string[]) => names.map((value) => ({ value, name: f.words(value) }));

/** Those that are seldom wanted are there once the address has them: links of other pages bring them. */
const SELDOM: Filter[] = [
  { name: "state", label: "State", type: "select", options: [{ value: "live", name: "in progress" }, { value: "ended", name: "ended" }] },
  { name: "outcome", label: "Ended by", type: "text" },
  { name: "site", label: "Site", type: "text" },
  { name: "since", label: "Since (UTC)", type: "text" },
  { name: "until", label: "Before (UTC)", type: "text" },
];

const FLAGS = ["booked", "emergency", "failed"] as const;
const TEXTS = ["agent", "number", "system", "result", "kind", "state", "outcome", "site", "local_from", "local_to", "since", "until", "text", "cursor"] as const;

/** What the address asks for, as the API takes it. */
export function queryOf(query: URLSearchParams): Query<"GET /calls"> {
  const made: Record<string, string | boolean | number> = { limit: 50 };
  for (const name of TEXTS) {
    const value = query.get(name)?.trim();
    if (value) made[name] = value;
  }
  for (const name of FLAGS) if (query.get(name) === "true") made[name] = true;
  return made as Query<"GET /calls">;
}

function List() {
  const [query] = useQuery();
  const agents = useAgentNames();
  const first = !query.get("cursor");
  const calls = useApi("GET /calls", { query: queryOf(query) }, first ? { on: (fact) => fact.type === "ended" || (fact.type === "state" && fact.state === "live"), soonMs: 3000 } : {});
  const some = [...TEXTS, ...FLAGS].some((name) => query.get(name));
  return (
    <Page title="Calls" about="newest first; days are those of the clock at each site">
      <Filters
        of={[
          { name: "text", label: "Said", type: "search", hint: 'words, "a phrase", -without' },
          { name: "number", label: "Number", type: "search", hint: "+1…" },
          { name: "agent", label: "Agent", type: "select", options: agents.map((value) => ({ value, name: value })) },
          { name: "system", label: "System", type: "select", options: [{ value: "openai", name: "OpenAI" }, { value: "vapi", name: "Vapi" }, { value: "fallback", name: "fallback" }] },
          { name: "result", label: "Result", type: "select", options: named("answered", "contained", "transferred", "not_taken", "emergency", "failed", "fallback", "missed") },
          { name: "kind", label: "Kind", type: "select", options: named("real", "test", "imported") },
          { name: "local_from", label: "From", type: "date" },
          { name: "local_to", label: "Before", type: "date" },
          { name: "booked", label: "booked", type: "check" },
          { name: "emergency", label: "emergency", type: "check" },
          { name: "failed", label: "errors", type: "check" },
          ...SELDOM.filter((s) => query.get(s.name)),
        ]}
      />
      <Panel flush>
        <Shown of={calls} what="Looking for calls">
          {(data) => (
            <>
              <Table
                caption="Calls"
                columns={columns}
                rows={data.items}
                rowKey={(c) => c.call}
                href={(c) => to("calls", c.call)}
                rowClass={(c) => (c.emergencies ? "bad" : null)}
                empty={data.searched_to ? <></> : <Empty remedy={some ? "Take a filter away, or clear all of them." : "scripts/demo places some; ringdown call places one."}>{some ? "No call fits these filters." : "There was no call yet."}</Empty>}
              />
              {data.searched_to ? (
                <p class="stale" role="status">
                  {data.items.length ? "These calls" : "No call"} since <Time at={data.searched_to} precision="second" named /> {data.items.length ? "fit" : "fits"}; this search takes long, and older calls were not looked at yet. “Older” goes on.
                </p>
              ) : null}
              <Pager next={data.next} shown={data.items.length} what="calls" />
            </>
          )}
        </Shown>
      </Panel>
    </Page>
  );
}

function One({ call }: { call: string }) {
  const of = (fact: { call?: string }) => fact.call === call;
  const one = useApi("GET /calls/{call}", { path: { call } }, { on: of, soonMs: 2000 });
  const events = useAll("GET /calls/{call}/timeline", { path: { call } }, { on: of });
  const c = one.data;
  const rules = [...new Set((events.data?.items ?? []).filter((e) => e.type === "triage").map((e) => String(e.body.rule)))];
  return (
    <Page
      title={c ? `Call of ${c.erased ? "somebody forgotten" : (c.from ?? "nobody known")}` : "Call"}
      about={
        c ? (
          <>
            <Time at={c.started_at} precision="second" named />, {c.agent ?? "no agent"}, <Sid text={call} />
          </>
        ) : null
      }
      actions={
        <>
          {c && goesOn(c) ? (
            <a class="button" href={to("live", call)}>
              In progress: watch it
            </a>
          ) : null}
          {rules.map((rule) => (
            <a key={rule} class="button" href={to("emergencies", call, rule)}>
              Emergency: {f.words(rule)}
            </a>
          ))}
          <a class="button" href="/calls">
            All calls
          </a>
        </>
      }
    >
      <Shown of={one} what="Looking for this call">
        {(data) => (
          <>
            {data.fix ? <p class="warning">{data.fix}</p> : null}
            <Figures
              of={[
                { name: "Outcome", value: <span class="in-words"><Outcome of={data} /></span>, about: data.failed_over_to ? `failed over to ${data.failed_over_to}` : f.words(data.reason) },
                { name: "System", value: <System name={data.system} />, about: data.model },
                { name: "Took", value: <Duration ms={data.duration_s === null ? null : data.duration_s * 1000} />, about: f.words(data.status) },
                { name: "First sound", value: <Count value={data.first_audio_ms} unit="ms" />, about: f.plural(data.turns, "turn") },
                { name: "Barge-ins", value: <Count value={data.barge_ins} />, about: f.plural(data.tool_calls, "tool call") },
                { name: "Errors", value: <Count value={data.errors} />, about: data.node ? `node ${data.node}` : null },
                { name: "Cost", value: <Money microUsd={data.cost_micro_usd} />, about: data.cost_reason ? f.words(data.cost_reason) : null },
              ]}
            />
            <div class="call-columns">
              <div>
                <Story events={events} startedAt={data.started_at} />
              </div>
              <div>
                <Waits of={data} />
                <Sound call={call} />
                <Cost call={call} />
                <Why call={call} />
              </div>
            </div>
          </>
        )}
      </Shown>
    </Page>
  );
}

function Sid({ text }: { text: string }) {
  return (
    <>
      <code class="code">{text}</code> <CopyButton text={text} />
    </>
  );
}

export default function CallsPage({ rest }: PageProps) {
  return rest[0] ? <One key={rest[0]} call={rest[0]} /> : <List />;
}
