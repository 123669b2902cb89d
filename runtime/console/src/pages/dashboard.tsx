// SPDX-License-Identifier: Apache-2.0
// dashboard - how calls came out, how long callers waited for an answer, and how the model did, over days.
//
// Three questions at once, each of counts that the database keeps by the hour: a million calls are as quick as ten.
import { useMemo } from "preact/hooks";
import type { Statistics } from "../api/types";
import { useApi } from "../api/use";
import { useQuery } from "../state/router";
import { Chart } from "../ui/chart";
import * as f from "../ui/format";
import { Lengths, ScopeFilters, scopeOf } from "../ui/scope";
import { Empty } from "../ui/states";
import { dayAt, EACH, groupsOf, listOf, partOfDay, share, totalOf, type Sum, type Waits } from "../ui/sums";
import { Table, type Column } from "../ui/table";
import { Badge, Code, Count, Duration, Money, Percent, System } from "../ui/values";
import { Facts, Figures, Page, Panel, Shown } from "../ui/view";

const USUAL = "7d";

const TAKEN: Record<string, string> = { agent: "agent", site: "site", system: "system", local_from: "local_from", local_to: "local_to", from: "since", to: "until" };

/** The filter of a sum as /calls takes it; sums are of real calls, neither of tests nor of imported ones. */
export function callsHref(filter: Sum["filter"], more: Record<string, string | boolean> = {}): string | null {
  const kept = Object.fromEntries(Object.entries(filter).flatMap(([name, value]) => (Object.hasOwn(TAKEN, name) ? [[TAKEN[name]!, value]] : [])));
  return filter.agent === "?" || filter.system === "none" ? null : listOf("/calls", kept, { kind: "real" }, more);
}

function Numbers({ of }: { of: Sum }) {
  const open = (more: Record<string, string | boolean>) => callsHref(of.filter, more) ?? undefined;
  return (
    <Figures
      of={[
        { name: "Calls", value: <Count value={of.calls} />, about: of.talk_average_s == null ? "none was answered" : `${f.duration(of.talk_average_s * 1000)} each, on average`, href: open({}) },
        { name: "Answered", value: <Percent value={of.answered_share} />, about: `${f.count(of.answered)}; ${f.count(of.missed)} missed`, href: open({ result: "answered" }) },
        { name: "Contained", value: <Percent value={of.containment} />, about: "nobody else was needed", href: open({ result: "contained" }) },
        { name: "Bookings", value: <Count value={of.bookings} />, about: of.answered ? `${f.percent(share(of.bookings, of.answered))} of answered calls` : null, href: open({ booked: true }) },
        {
          name: "Emergencies",
          value: <Count value={of.emergencies.all} />,
          about: of.emergencies.not_handled ? <Badge tone="bad">{`${f.count(of.emergencies.not_handled)} not handled`}</Badge> : `${f.plural(of.emergencies.near_misses, "near miss", "near misses")}`,
          href: open({ emergency: true }),
        },
        {
          name: "Answer within, p95",
          value: <Duration ms={of.turn_latency.p95_ms} />,
          about: of.turn_latency.n ? `p50 ${f.duration(of.turn_latency.p50_ms)}, p99 ${f.duration(of.turn_latency.p99_ms)}` : "no turn was measured",
        },
        {
          name: "Cost",
          value: <Money microUsd={of.cost.known_calls ? of.cost.micro_usd : null} />,
          about: of.cost.unknown_calls ? `not known of ${f.plural(of.cost.unknown_calls, "call")}` : `${f.money(share(of.cost.micro_usd, of.cost.known_calls))} each`,
          href: listOf("/costs/calls", of.filter),
        },
      ]}
    />
  );
}

const waits = (days: Waits[]) => [
  { name: "p50", values: days.map((w) => w.p50_ms ?? null), look: "solid" as const },
  { name: "p95", values: days.map((w) => w.p95_ms ?? null), look: "dashed" as const },
  { name: "p99", values: days.map((w) => w.p99_ms ?? null), look: "dotted" as const },
];

function Courses({ of, zone }: { of: Statistics; zone: string }) {
  const c = useMemo(() => {
    const days = groupsOf(of);
    return {
      at: days.map((d) => dayAt(d.key)),
      calls: [
        { name: "calls", values: days.map((d) => d.calls), look: "bars" as const },
        { name: "missed", values: days.map((d) => d.missed), look: "dotted" as const },
        { name: "bookings", values: days.map((d) => d.bookings), look: "solid" as const },
      ],
      first: waits(days.map((d) => d.first_audio)),
      answers: waits(days.map((d) => d.turn_latency)),
      cache: [{ name: "from the cache", values: days.map((d) => (d.model?.cache_share == null ? null : d.model.cache_share * 100)), look: "area" as const }],
      model: days.some((d) => d.model),
    };
  }, [of]);
  const one = { at: c.at, zone: "UTC", by: "day" as const, partOf: partOfDay(of), height: 170 };
  return (
    <div class="pairs">
      <Panel title={`By the day (${zone})`}>
        <Chart {...one} label="Calls" series={c.calls} unit="" />
      </Panel>
      <Panel title="How long answers take, turn by turn">
        <Chart {...one} label="Until the answer is heard" series={c.answers} unit="ms" />
      </Panel>
      <Panel title="How long callers wait for the first word">
        <Chart {...one} label="Until the first sound" series={c.first} unit="ms" />
      </Panel>
      {c.model ? (
        <Panel title="What the model need not read again">
          <Chart {...one} label="Share of tokens read" series={c.cache} unit="%" format={(v) => `${f.count(v)} %`} />
        </Panel>
      ) : null}
    </div>
  );
}

interface Outcome {
  key: string;
  name: string;
  n: number;
  all: number;
  about: string;
  href: string | null;
}

export function outcomesOf(of: Sum): Outcome[] {
  const row = (key: string, name: string, n: number, about: string, more: Record<string, string | boolean> | null): Outcome => ({ key, name, n, all: of.calls, about, href: more && n > 0 ? callsHref(of.filter, more) : null });
  return [
    row("contained", "contained", of.contained, "the agent did it alone", { result: "contained" }),
    row("transferred", "transferred", of.transferred, `${f.count(of.transfers.answered)} of ${f.count(of.transfers.asked)} asked people took it`, { result: "transferred" }),
    row("emergency", "emergency", of.emergency, `${f.count(of.emergencies.life)} of life and limb`, { result: "emergency" }),
    row("missed", "missed", of.missed, "nobody answered in time, or all were busy", { result: "missed" }),
    row("not_taken", "not taken", of.not_taken, "transferred, but nobody took it", { result: "not_taken" }),
    row("failed", "failed", of.failed, "ended by an error", { result: "failed" }),
    row("fallback", "fallback", of.fallback, "heard the fallback", { result: "fallback" }),
    row("failed_over", "failed over", of.failed_over, "began on one system, went on on the other", null),
  ];
}

const outcomeColumns: Column<Outcome>[] = [
  { key: "name", head: "Outcome", cell: (o) => o.name, sort: (o) => o.name },
  { key: "n", head: "Calls", align: "right", cell: (o) => <Count value={o.n} />, sort: (o) => o.n },
  { key: "share", head: "Of all", align: "right", cell: (o) => <Percent value={share(o.n, o.all)} /> },
  { key: "about", head: "Which means", cell: (o) => <span class="about">{o.about}</span> },
];

const systemColumns: Column<Sum>[] = [
  { key: "name", head: "System", cell: (s) => <System name={s.key} />, sort: (s) => s.key },
  { key: "calls", head: "Calls", align: "right", cell: (s) => <Count value={s.calls} />, sort: (s) => s.calls },
  { key: "contained", head: "Contained", align: "right", cell: (s) => <Percent value={s.containment} />, sort: (s) => s.containment },
  { key: "booked", head: "Bookings", align: "right", cell: (s) => <Count value={s.bookings} />, sort: (s) => s.bookings },
  { key: "answer", head: "Answer p95", title: "from the end of what the caller said until they heard the answer", align: "right", cell: (s) => <Count value={s.turn_latency.p95_ms} unit="ms" />, sort: (s) => s.turn_latency.p95_ms },
  { key: "p50", head: "First p50", title: "until the first sound", align: "right", cell: (s) => <Count value={s.first_audio.p50_ms} unit="ms" />, sort: (s) => s.first_audio.p50_ms },
  { key: "p95", head: "First p95", title: "until the first sound", align: "right", cell: (s) => <Count value={s.first_audio.p95_ms} unit="ms" />, sort: (s) => s.first_audio.p95_ms },
  { key: "p99", head: "First p99", title: "until the first sound", align: "right", cell: (s) => <Count value={s.first_audio.p99_ms} unit="ms" />, sort: (s) => s.first_audio.p99_ms },
  { key: "failed", head: "Failed", align: "right", cell: (s) => <Count value={s.failed} />, sort: (s) => s.failed },
  { key: "cost", head: "Each", title: "cost of a call", align: "right", cell: (s) => <Money digits={EACH} microUsd={share(s.cost.micro_usd, s.cost.known_calls)} />, sort: (s) => share(s.cost.micro_usd, s.cost.known_calls) },
];

/** What only a realtime model has: what it reads, what of it came from the cache, where it was cut short. */
function OfTheModel({ of }: { of: Sum }) {
  const m = of.model;
  if (!m) return <Empty remedy="They come with calls that OpenAI has; tokens are told for all sites together.">No call of this time has told tokens.</Empty>;
  const part = (cached: number, all: number) => `${f.count(all)}, ${f.percent(share(cached, all))} of them from the cache`;
  return (
    <Facts
      rows={[
        ["Models", m.models?.length ? m.models.join(", ") : f.UNKNOWN],
        ["Tokens read", part(m.tokens_cached, m.tokens_in)],
        ["of text", part(m.text_cached, m.text_in)],
        ["of sound", part(m.audio_cached, m.audio_in)],
        ["Tokens made", `${f.count(m.tokens_out)}: ${f.count(m.audio_out)} of sound, ${f.count(m.text_out)} of text`],
        ["Answers", `${f.count(m.answers)}, ${f.count(share(m.tokens_in, m.answers))} tokens read for each`],
        ["Cut off by the model", m.cut_off ? <Badge tone="warn">{`${f.plural(m.cut_off, "answer")}: no tokens left, or its filter`}</Badge> : "no answer"],
        ["Tokens not told", m.incomplete ? <Badge tone="warn">of {f.plural(m.incomplete, "answer")}</Badge> : "of no answer"],
        ["Cut short by callers", `${f.plural(of.barge_ins, "barge-in")}, ${f.percent(share(of.barge_ins, of.turns))} of ${f.count(of.turns)} turns`],
        ["Written down", `${f.duration(m.transcribed_s * 1000)} of what callers said`],
        ["Tools", of.tools.calls ? `${f.plural(of.tools.calls, "call")}, ${f.percent(of.tools.success)} worked; p95 ${f.duration(of.tools.took.p95_ms)}` : "none was called"],
      ]}
    />
  );
}

type Err = NonNullable<Statistics["errors"]>[number];
const errorColumns: Column<Err>[] = [
  { key: "code", head: "Code", cell: (e) => <Code>{e.code}</Code>, sort: (e) => e.code },
  { key: "n", head: "Times", align: "right", cell: (e) => <Count value={e.n} />, sort: (e) => e.n },
  { key: "call", head: "One that shows it", cell: (e) => <a href={`/calls/${encodeURIComponent(e.call)}`}>{e.call.slice(0, 2)}…{e.call.slice(-6)}</a> },
];

export default function Dashboard() {
  const [query] = useQuery();
  const scope = { ...scopeOf(query, USUAL), system: (query.get("system") ?? undefined) as "openai" | undefined };
  const total = useApi("GET /statistics", { query: scope }, { everyMs: 60_000 });
  const days = useApi("GET /statistics", { query: { ...scope, by: "day" } }, { everyMs: 60_000 });
  const systems = useApi("GET /statistics", { query: { ...scope, by: "system" } }, { everyMs: 60_000 });
  const now = total.data;
  const behind = now?.behind as { hours?: number; oldest_s?: number } | null | undefined;
  return (
    <Page
      title="Dashboard"
      about={now ? `${(now.period as { text: string }).text}, days by the clock of ${now.zone}; percentiles are ${f.percent(now.percentile_error)} off at most` : null}
      actions={<Lengths usual={USUAL} />}
    >
      <ScopeFilters more={[{ name: "system", label: "System", type: "select", any: "all systems", options: ["openai", "vapi", "fallback"].map((value) => ({ value, name: value === "openai" ? "OpenAI" : value === "vapi" ? "Vapi" : value })) }]} />
      {behind?.hours ? <p class="stale">{f.plural(behind.hours, "hour")} of calls are not counted yet; the oldest waits for {f.duration((behind.oldest_s ?? 0) * 1000)}.</p> : null}
      <Shown of={total} what="Counting">
        {(data) =>
          totalOf(data).calls === 0 ? (
            <Panel>
              <Empty remedy="Choose a longer time or fewer filters.">There was no call in this time.</Empty>
            </Panel>
          ) : (
            <>
              <Numbers of={totalOf(data)} />
              <Shown of={days} what="Counting days">
                {(by) => <Courses of={by} zone={by.zone} />}
              </Shown>
              <div class="columns">
                <Panel title="Outcomes" flush>
                  <Table caption="Outcomes" columns={outcomeColumns} rows={outcomesOf(totalOf(data))} rowKey={(o) => o.key} href={(o) => o.href} />
                </Panel>
                <Panel title="OpenAI">
                  <OfTheModel of={totalOf(data)} />
                </Panel>
              </div>
              <Panel title="Systems, side by side" actions={<a href="/costs">what each costs</a>} flush>
                <Shown of={systems}>{(by) => <Table caption="Systems" columns={systemColumns} rows={groupsOf(by)} rowKey={(s) => s.key} href={(s) => callsHref(s.filter)} />}</Shown>
              </Panel>
              <Panel title="Errors, of the newest 500 calls that had any" flush>
                <Table caption="Errors" columns={errorColumns} rows={data.errors ?? []} rowKey={(e) => e.code} sortedBy={{ key: "n", down: true }} empty={<Empty>No call had an error.</Empty>} />
              </Panel>
            </>
          )
        }
      </Shown>
    </Page>
  );
}
