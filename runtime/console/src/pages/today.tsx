// SPDX-License-Identifier: Apache-2.0
// today - the day in one sentence, each part of which opens its calls; its numbers beside those of the same weekday a
// week ago; what wants somebody now; its hours; the last calls.
import type { ComponentChildren } from "preact";
import type { Fact } from "../api/events";
import type { Alert, Call, Emergency, Today } from "../api/types";
import { useApi } from "../api/use";
import { zone as zoneStore } from "../state/prefs";
import { to, useQuery } from "../state/router";
import { useMay } from "../state/session";
import { useStore } from "../state/store";
import * as f from "../ui/format";
import { Empty, Failed, Loading, Stale } from "../ui/states";
import { listOf } from "../ui/sums";
import { Table, type Column } from "../ui/table";
import { Badge, Count, Duration, Money, Phone, Since, System, Time } from "../ui/values";
import { Figures, Page, Panel, Shown } from "../ui/view";

type Part = Today["parts"][number];
type Group = { key: string; name: string; calls: number; answered: number; missed: number; filter: Record<string, string> };

const COUNTED = new Set(["ended", "missed", "booking", "triage", "triage_step", "text", "alarm"]);
const counts = (fact: Fact) => COUNTED.has(fact.type);

export function otherDay(day: string, by: number): string {
  const at = new Date(day + "T12:00:00Z");
  at.setUTCDate(at.getUTCDate() + by);
  return at.toISOString().slice(0, 10);
}

/** A list of the API is a page of the same name here, with the same filters. */
export function hrefOf(opens: Part["opens"]): string | null {
  if (!opens) return null;
  const query = new URLSearchParams(Object.entries(opens.query).map(([k, v]) => [k, String(v)]));
  return `${opens.list}?${query.toString()}`;
}

function Sentence({ of }: { of: Today }) {
  return (
    <p class="sentence">
      {of.parts.map((part, i) => {
        const href = hrefOf(part.opens);
        const text = i === 0 ? part.text.charAt(0).toUpperCase() + part.text.slice(1) : part.text;
        const mark = i === of.parts.length - 1 ? "." : of.parts[i + 1]!.name === "vapi" ? "; " : ", ";
        return (
          <span key={part.name}>
            {href ? <a href={href}>{text}</a> : text}
            {mark}
          </span>
        );
      })}
    </p>
  );
}

const href = (of: Today, name: Part["name"]) => hrefOf(of.parts.find((p) => p.name === name)?.opens ?? null) ?? undefined;

function FiguresOf({ of }: { of: Today }) {
  const then = of.so_far ? of.before?.by_now : of.before;
  const before = (value: number | null | undefined): ComponentChildren =>
    !then ? "nothing known a week ago" : value === null || value === undefined ? "not known a week ago" : `${f.count(value)} a week ago${of.so_far ? ", by now" : ""}`;
  const beforeMoney = !then ? "nothing known a week ago" : then.micro_usd === null ? "not known a week ago" : `${f.money(then.micro_usd)} a week ago${of.so_far ? ", by now" : ""}`;
  const vapi = of.on_vapi;
  return (
    <Figures
      of={[
        { name: "Answered", value: <Count value={of.answered} />, about: before(then?.answered), href: href(of, "answered") },
        {
          name: "Missed",
          value: <Count value={of.missed} />,
          about: of.missed > 0 ? `${f.count(of.missed_texted)} texted${of.missed_waiting ? `, ${f.count(of.missed_waiting)} wait` : ""}` : before(then?.missed),
          href: href(of, "missed"),
        },
        { name: "Bookings", value: <Count value={of.bookings} />, about: before(then?.bookings), href: href(of, "bookings") },
        {
          name: "Emergencies",
          value: <Count value={of.emergencies.all} />,
          about: of.emergencies.slowest_s !== null ? `slowest confirmed in ${f.duration(of.emergencies.slowest_s * 1000)}` : before(then?.emergencies),
          href: href(of, "emergencies"),
        },
        {
          name: "Cost",
          value: <Money microUsd={of.cost.micro_usd} />,
          about: of.cost.unknown_calls > 0 ? `not known of ${f.plural(of.cost.unknown_calls, "call")}` : beforeMoney,
          href: "/costs",
        },
        {
          name: "On Vapi it would be",
          value: (
            <>
              <Money microUsd={vapi.micro_usd} />
              {vapi.half_micro_usd !== null ? <span class="half"> ± {f.count(vapi.half_micro_usd / 1e6, 2)}</span> : null}
            </>
          ),
          about: vapi.micro_usd === null ? (vapi.reason ?? "not known") : `by ${f.plural(vapi.n ?? 0, "call")} that Vapi had`,
          href: vapi.micro_usd === null ? undefined : href(of, "vapi"),
        },
      ]}
    />
  );
}

/** What somebody should look after now, the worst first. */
function Wants({ today }: { today: Today }) {
  const live = useApi("GET /calls/live", {}, { on: (fact) => fact.type === "state" || fact.type === "ended", everyMs: 15_000 });
  const open = useApi("GET /emergencies", { query: { state: "open", limit: 20 } }, { on: (fact) => fact.type.startsWith("triage") });
  const alerts = useApi("GET /alerts", { query: { state: "firing", limit: 20 } }, { everyMs: 30_000 });
  const errors = useMay()("GET /agents/errors");
  const broken = useApi("GET /agents/errors", errors ? {} : null, { everyMs: 60_000 });
  const rows = [
    ...(open.data?.items ?? []).map((e: Emergency) => ({
      key: `e${e.call}${e.rule}`,
      tone: "bad" as const,
      word: "emergency",
      text: <a href={to("emergencies", e.call, e.rule)}>{f.words(e.rule)}: nobody has confirmed yet</a>,
      since: e.matched_at,
    })),
    ...(alerts.data?.items ?? []).map((a: Alert) => ({
      key: `a${a.id}`,
      tone: a.severity === "page" ? ("bad" as const) : ("warn" as const),
      word: "alert",
      text: <a href={to("alerts", a.id)}>{a.text ?? f.words(a.rule)}</a>,
      since: a.fired_at,
    })),
    ...(broken.data?.items ?? []).map((b) => ({
      key: `b${b.module}`,
      tone: "warn" as const,
      word: "agent",
      text: <a href="/agents">{b.module} does not load{b.version ? "; the version before answers" : ""}</a>,
      since: null,
    })),
    ...(today.missed_waiting > 0
      ? [{ key: "w", tone: "quiet" as const, word: "texts", text: <a href="/texts">{f.plural(today.missed_waiting, "text")} to missed callers wait for the hour when they may go out</a>, since: null }]
      : []),
  ];
  const calls = (live.data?.items.length ?? 0) + (live.data?.elsewhere?.length ?? 0);
  const asked = errors ? [open, alerts, broken] : [open, alerts]; // that nothing wants somebody is said once all of them said so
  const failed = asked.find((one) => one.error);
  const reload = () => asked.forEach((one) => one.reload());
  return (
    <Panel title="Now" actions={live.data ? <a href="/live">{calls === 0 ? "no call in progress" : `${f.plural(calls, "call")} in progress`}</a> : null} flush>
      {rows.length ? (
        <ul class="wants">
          {rows.map((row) => (
            <li key={row.key}>
              <Badge tone={row.tone}>{row.word}</Badge>
              <span class="wants-text">{row.text}</span>
              {row.since ? <Since at={row.since} /> : null}
            </li>
          ))}
        </ul>
      ) : null}
      {failed ? (
        failed.data === undefined ? <Failed why={failed.error} again={reload} /> : <Stale why={failed.error} again={reload} />
      ) : rows.length ? null : asked.some((one) => one.data === undefined) ? (
        <Loading what="Looking for what wants you" />
      ) : (
        <Empty>Nothing wants you: no open emergency, no alert{errors ? ", every agent loads" : ""}.</Empty>
      )}
    </Panel>
  );
}

/** A bar for each hour, from zero; what was missed stands on what was answered. */
function Hours({ day, agent, zone }: { day: string; agent: string | null; zone: string }) {
  const stats = useApi("GET /statistics", { query: { since: day, until: day, by: "hour", agent: agent ?? undefined } }, { on: counts, soonMs: 2000, everyMs: 60_000 });
  return (
    <Panel title={`Calls by the hour (${zone})`}>
      <Shown of={stats}>
        {(data) => {
          const groups = data.groups as unknown as Group[];
          const top = Math.max(4, ...groups.map((g) => g.calls));
          return (
            <div class="hours" tabIndex={0} role="region" aria-label="Calls by the hour">
              <span class="hours-top num" aria-hidden="true">
                {f.count(top)}
              </span>
              <ol>
                {groups.map((g) => {
                  const name = `${g.name}: ${f.plural(g.calls, "call")}, ${f.count(g.missed)} missed`;
                  const bar = (
                    <span class="bar-of" style={{ height: `${(g.calls / top) * 100}%` }}>
                      <span class="part-bad" style={{ flexGrow: g.missed }} />
                      <span class="part" style={{ flexGrow: g.calls - g.missed }} />
                    </span>
                  );
                  return (
                    <li key={g.key} title={name}>
                      {g.calls > 0 ? (
                        <a href={listOf("/costs/calls", g.filter, { agent })} aria-label={name}>
                          {bar}
                        </a>
                      ) : (
                        <span class="bar-none" />
                      )}
                      <span class="hour num" aria-hidden="true">
                        {Number(g.key) % 3 === 0 ? g.name.slice(0, 2) : ""}
                      </span>
                    </li>
                  );
                })}
              </ol>
            </div>
          );
        }}
      </Shown>
    </Panel>
  );
}

const callColumns: Column<Call>[] = [
  { key: "at", head: "Began", cell: (c) => <Time at={c.started_at} />, sort: (c) => c.started_at },
  { key: "from", head: "Caller", cell: (c) => <Phone number={c.from} /> },
  { key: "agent", head: "Agent", cell: (c) => c.agent ?? f.UNKNOWN, sort: (c) => c.agent },
  { key: "system", head: "System", cell: (c) => <System name={c.system} />, sort: (c) => c.system },
  { key: "took", head: "Took", align: "right", cell: (c) => <Duration ms={c.duration_s === null ? null : c.duration_s * 1000} />, sort: (c) => c.duration_s },
  { key: "outcome", head: "Outcome", cell: (c) => (c.state !== "ended" ? <Badge tone="good">in progress</Badge> : f.words(c.outcome ?? c.missed ?? null)), sort: (c) => c.outcome },
  { key: "cost", head: "Cost", align: "right", cell: (c) => <Money microUsd={c.cost_micro_usd} />, sort: (c) => c.cost_micro_usd },
];

function Last({ of, agent }: { of: Today; agent: string | null }) {
  const zone = useStore(zoneStore);
  const days = { local_from: of.day, local_to: otherDay(of.day, 1) };
  const query = { ...days, agent: agent ?? undefined };
  const calls = useApi("GET /calls", { query: { ...query, limit: 8 } }, { on: (fact) => fact.type === "ended" || fact.type === "webhook", soonMs: 1500, everyMs: 60_000 });
  return (
    <Panel title={(of.so_far ? "Last calls" : "Last calls of the day") + (zone === of.zone ? "" : ` (times of ${zone})`)} actions={<a href={"/calls?" + new URLSearchParams({ ...days, ...(agent ? { agent } : {}) }).toString()}>all of the day</a>} flush>
      <Shown of={calls}>
        {(data) => (
          <Table
            caption="The last calls"
            columns={callColumns}
            rows={data.items}
            rowKey={(c) => c.call}
            href={(c) => to("calls", c.call)}
            rowClass={(c) => (c.emergencies ? "bad" : null)}
            empty={<Empty remedy={of.so_far ? "scripts/demo places some; ringdown call places one." : null}>{of.so_far ? "There was no call yet." : "There was no call."}</Empty>}
          />
        )}
      </Shown>
    </Panel>
  );
}

export default function TodayPage() {
  const [query, change] = useQuery();
  const day = query.get("day") ?? "today";
  const agent = query.get("agent");
  const today = useApi("GET /today", { query: { day, agent: agent ?? undefined } }, { on: counts, soonMs: 1500, everyMs: 60_000 });
  const agents = useApi("GET /agents", {});
  const now = today.data;
  const go = (by: number) => now && change({ day: otherDay(now.day, by) });
  return (
    <Page
      title={now ? now.name : "Today"}
      about={now ? `${now.so_far ? "so far, " : ""}by the clock of ${now.zone}${now.zone_note ? `; ${now.zone_note}` : ""}` : null}
      actions={
        <>
          {(agents.data?.items.length ?? 0) > 1 ? (
            <label>
              <span class="hidden">Agent</span>
              <select value={agent ?? ""} onChange={(e) => change({ agent: e.currentTarget.value })}>
                <option value="">all agents</option>
                {agents.data!.items.map((a) => (
                  <option key={a.agent} value={a.agent}>
                    {a.agent}
                  </option>
                ))}
              </select>
            </label>
          ) : null}
          <button type="button" class="button" disabled={!now} onClick={() => go(-1)}>
            Day before
          </button>
          <button type="button" class="button" disabled={!now || now.so_far} onClick={() => go(1)}>
            Day after
          </button>
          {day === "today" ? null : (
            <button type="button" class="button" onClick={() => change({ day: null })}>
              Today
            </button>
          )}
        </>
      }
    >
      <Shown of={today} what="Counting">
        {(data) => (
          <>
            {(data.behind?.hours as number | undefined) ? (
              <p class="stale" role="status">
                {f.plural(data.behind!.hours as number, "hour")} with changes are being counted: there may be more than this page says.
              </p>
            ) : null}
            <Sentence of={data} />
            <FiguresOf of={data} />
            <div class="today-columns">
              <Wants today={data} />
              <Hours day={data.day} agent={agent} zone={data.zone} />
            </div>
            <Last of={data} agent={agent} />
          </>
        )}
      </Shown>
    </Page>
  );
}
