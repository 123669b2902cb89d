// SPDX-License-Identifier: Apache-2.0
// costs - what calls cost and how that is known, what is saved and would be; below it both systems compared and what calls
// may cost (costs/). Every dollar opens the calls it is made of (/costs/calls), which add up to it.
import { useMemo } from "preact/hooks";
import type { CostSavings, Costs } from "../api/types";
import { useApi } from "../api/use";
import { useQuery } from "../state/router";
import { Chart } from "../ui/chart";
import { Choice } from "../ui/controls";
import * as f from "../ui/format";
import { Lengths, ScopeFilters, scopeOf } from "../ui/scope";
import { Empty } from "../ui/states";
import { dayAt, EACH, groupsOf, listOf, partOfDay, share, totalOf, type Sum } from "../ui/sums";
import { Table, type Column } from "../ui/table";
import { Badge, Count, Money, Percent, System } from "../ui/values";
import { Figures, Page, Panel, Shown } from "../ui/view";
import type { PageProps } from "../pages";
import { BEHIND, Calls } from "./costs/behind";
import { Caps } from "./costs/caps";
import { Compare } from "./costs/compare";

const USUAL = "30d";
const MOST_COMPARED = 6; // agents at once: each is a question of its own

/** Dollars that open their calls. */
function Dollars({ microUsd, filter, more, about }: { microUsd: number | null | undefined; filter: Sum["filter"]; more?: Record<string, string | boolean>; about?: string }) {
  const money = <Money microUsd={microUsd} about={about} digits={2} />;
  return microUsd ? <a href={listOf(BEHIND, filter, more ?? {})}>{money}</a> : money;
}

type Saved = CostSavings["so_far"];

/** "$7.91 ± 0.21": half of how uncertain it is. */
export function plusMinus(of: { micro_usd: number | null; low_micro_usd: number | null; high_micro_usd: number | null }): string | null {
  if (of.micro_usd === null || of.low_micro_usd === null || of.high_micro_usd === null) return null;
  return "± " + f.count((of.high_micro_usd - of.low_micro_usd) / 2 / 1e6, 2);
}

function Saving({ of }: { of: Saved }) {
  return of.micro_usd === null ? (
    <span class="about">{of.reason ?? "not known"}</span>
  ) : (
    <>
      <Money microUsd={of.micro_usd} /> <span class="half num">{plusMinus(of)}</span>
    </>
  );
}

function Numbers({ costs, savings }: { costs: Costs; savings: CostSavings | undefined }) {
  const total = totalOf(costs);
  const { cost } = total;
  const known = cost.known_calls > 0 ? cost.micro_usd : null;
  const some = cost.unknown_calls > 0; // minutes and bookings are those of all calls
  const soFar = savings?.so_far;
  const atAll = savings?.at_all;
  return (
    <Figures
      of={[
        {
          name: "Cost",
          value: <Money microUsd={known} />,
          about: cost.unknown_calls ? `not known of ${f.plural(cost.unknown_calls, "call")}` : f.plural(total.calls, "call"),
          href: listOf(BEHIND, total.filter),
        },
        { name: "A call", value: <Money digits={EACH} microUsd={share(known, cost.known_calls)} />, about: `${f.count(cost.known_calls)} whose cost is known` },
        { name: "A minute", value: <Money digits={EACH} microUsd={share(known, total.talk_ms / 60_000)} atLeast={some} />, about: `${f.duration(total.talk_ms)} talked` },
        { name: "A booking", value: <Money digits={EACH} microUsd={share(known, total.bookings)} atLeast={some} />, about: f.plural(total.bookings, "booking") },
        { name: "Saved so far", value: soFar ? <Saving of={soFar} /> : f.UNKNOWN, about: soFar ? `by ${f.plural(soFar.calls, "call")} that OpenAI had` : null },
        { name: "Each month at 100 %", value: atAll ? <Saving of={atAll} /> : f.UNKNOWN, about: atAll ? `by ${f.plural(atAll.calls, "call")} on both` : null },
      ]}
    />
  );
}

const BASES: { key: string; tone: "good" | "quiet" | "warn"; about: string }[] = [
  { key: "billed", tone: "good", about: "as an invoice or the provider’s own record has it" },
  { key: "reported", tone: "quiet", about: "by what was told of the call, at our prices" },
  { key: "estimated", tone: "warn", about: "by how long it took, until it is told" },
];

function Known({ of }: { of: Sum }) {
  const { cost } = of;
  const all = BASES.reduce((sum, b) => sum + (cost.bases[b.key] ?? 0), 0);
  const columns: Column<(typeof BASES)[number]>[] = [
    { key: "basis", head: "Known as", cell: (b) => <Badge tone={b.tone}>{b.key}</Badge> },
    { key: "usd", head: "Dollars", align: "right", cell: (b) => <Dollars microUsd={cost.bases[b.key]} filter={of.filter} more={{ basis: b.key }} about={b.key} /> },
    { key: "share", head: "Of all", align: "right", cell: (b) => <Percent value={share(cost.bases[b.key], all)} /> },
    { key: "about", head: "Which means", cell: (b) => <span class="about">{b.about}</span> },
  ];
  return (
    <>
      <Table caption="How it is known" columns={columns} rows={BASES} rowKey={(b) => b.key} />
      {cost.unknown_calls ? (
        <p class="stale">
          <a href={listOf(BEHIND, of.filter, { unknown: true })}>The cost of {f.plural(cost.unknown_calls, "call")} is not known</a>
          {cost.unknown_part_micro_usd ? `: ${f.money(cost.unknown_part_micro_usd)} of it is, and not in these sums.` : "; it is not in these sums."}
        </p>
      ) : null}
    </>
  );
}

const ITEMS: [string, string][] = [
  ["model", "OpenAI: tokens"],
  ["transcription", "OpenAI: what callers said, written down"],
  ["provider", "Vapi: all that it bills"],
  ["carrier", "Twilio: minutes of calls"],
  ["stream", "Twilio: streams to us"],
  ["transfer", "Twilio: minutes of those transferred to"],
  ["texts", "Twilio: texts"],
  ["hosting", "hosting"],
];

function Items({ of }: { of: Sum }) {
  const { items } = of.cost;
  const rows = ITEMS.filter(([key]) => items[key]).sort((a, b) => (items[b[0]] ?? 0) - (items[a[0]] ?? 0));
  const all = ITEMS.reduce((sum, [key]) => sum + (items[key] ?? 0), 0);
  const columns: Column<[string, string]>[] = [
    { key: "what", head: "For", cell: ([, name]) => name },
    { key: "usd", head: "Dollars", align: "right", cell: ([key]) => <Dollars microUsd={items[key]} filter={of.filter} more={{ item: key }} />, sort: ([key]) => items[key] },
    { key: "share", head: "Of all", align: "right", cell: ([key]) => <Percent value={share(items[key], all)} /> },
  ];
  return <Table caption="What it was for" columns={columns} rows={rows} rowKey={([key]) => key} empty={<Empty>Nothing of it is known yet.</Empty>} />;
}

function ByDay({ of }: { of: Costs }) {
  const c = useMemo(() => {
    const days = groupsOf(of);
    const usd = (d: Sum, items: string[]) => (d.cost.known_calls ? items.reduce((sum, item) => sum + (d.cost.items[item] ?? 0), 0) / 1e6 : null);
    return {
      at: days.map((d) => dayAt(d.key)),
      series: [
        { name: "all", values: days.map((d) => (d.cost.known_calls ? (d.cost.micro_usd ?? 0) / 1e6 : null)), look: "bars" as const },
        { name: "Vapi", values: days.map((d) => usd(d, ["provider"])), look: "dashed" as const },
        { name: "OpenAI", values: days.map((d) => usd(d, ["model", "transcription"])), look: "solid" as const },
        { name: "Twilio", values: days.map((d) => usd(d, ["carrier", "stream", "transfer", "texts"])), look: "dotted" as const },
      ],
    };
  }, [of]);
  return <Chart label="Cost by the day" at={c.at} series={c.series} unit="$" format={(v) => f.money(v * 1e6)} zone="UTC" by="day" partOf={partOfDay(of)} height={190} />;
}

type Grouped = "agent" | "system" | "site" | "outcome" | "day";
const GROUPED: Grouped[] = ["agent", "system", "site", "outcome", "day"];

function Groups({ scope, by }: { scope: ReturnType<typeof scopeOf>; by: Grouped }) {
  const [, change] = useQuery();
  const costs = useApi("GET /costs", { query: { ...scope, by } }, { everyMs: 60_000 });
  const each = (s: Sum, n: number) => share(s.cost.known_calls ? s.cost.micro_usd : null, n);
  const columns: Column<Sum>[] = [
    { key: "name", head: f.words(by).replace(/^./, (c) => c.toUpperCase()), cell: (s) => (by === "system" ? <System name={s.key} /> : <span class="nowrap">{by === "agent" && s.key === "?" ? "no agent was found" : f.words(s.name)}</span>), sort: (s) => s.key },
    { key: "calls", head: "Calls", align: "right", cell: (s) => <Count value={s.calls} />, sort: (s) => s.calls },
    { key: "usd", head: "Dollars", align: "right", cell: (s) => <Dollars microUsd={s.cost.known_calls ? s.cost.micro_usd : null} filter={s.filter} />, sort: (s) => s.cost.micro_usd },
    { key: "call", head: "A call", align: "right", cell: (s) => <Money digits={EACH} microUsd={each(s, s.cost.known_calls)} />, sort: (s) => each(s, s.cost.known_calls) },
    { key: "minute", head: "A minute", align: "right", cell: (s) => <Money digits={EACH} microUsd={each(s, s.talk_ms / 60_000)} atLeast={s.cost.unknown_calls > 0} />, sort: (s) => each(s, s.talk_ms / 60_000) },
    { key: "booking", head: "A booking", align: "right", cell: (s) => <Money digits={EACH} microUsd={each(s, s.bookings)} atLeast={s.cost.unknown_calls > 0} />, sort: (s) => each(s, s.bookings) },
    ...BASES.map((b): Column<Sum> => ({ key: b.key, head: b.key, align: "right", cell: (s) => <Dollars microUsd={s.cost.bases[b.key]} filter={s.filter} more={{ basis: b.key }} about={b.key} />, sort: (s) => s.cost.bases[b.key] })),
    { key: "unknown", head: "Not known", title: "calls whose cost is not known", align: "right", cell: (s) => (s.cost.unknown_calls ? <a href={listOf(BEHIND, s.filter, { unknown: true })}>{f.count(s.cost.unknown_calls)}</a> : <Count value={0} />), sort: (s) => s.cost.unknown_calls },
  ];
  return (
    <Panel title="Where it went" actions={<Choice label="By" value={by} of={GROUPED.map((value) => ({ value, name: value }))} onChange={(value) => change({ by: value === "agent" ? null : value })} />} flush>
      <Shown of={costs}>{(data) => <Table caption={`Costs by ${by}`} columns={columns} rows={groupsOf(data)} rowKey={(s) => s.key} empty={<Empty>There was no call in this time.</Empty>} />}</Shown>
    </Panel>
  );
}

type Saver = CostSavings["agents"][number];
const savingColumns: Column<Saver>[] = [
  { key: "agent", head: "Agent", cell: (a) => a.agent, sort: (a) => a.agent },
  { key: "share", head: "On OpenAI", align: "right", cell: (a) => <Percent value={a.share} digits={0} />, sort: (a) => a.share },
  { key: "calls", head: "Calls", align: "right", cell: (a) => <Count value={a.so_far.calls} />, sort: (a) => a.so_far.calls },
  { key: "so_far", head: "Saved so far", align: "right", cell: (a) => <Saving of={a.so_far} />, sort: (a) => a.so_far.micro_usd },
  { key: "at_all", head: "Each month at 100 %", align: "right", cell: (a) => <Saving of={a.at_all} />, sort: (a) => a.at_all.micro_usd },
];

function All() {
  const [query] = useQuery();
  const scope = scopeOf(query, USUAL);
  const by = GROUPED.find((g) => g === query.get("by")) ?? "agent";
  const costs = useApi("GET /costs", { query: { ...scope, by: "day" } }, { everyMs: 60_000 });
  const savings = useApi("GET /costs/savings", { query: scope }, { everyMs: 300_000 });
  const compared = (savings.data?.agents ?? []).map((a) => a.agent).filter((a) => a !== "?");
  const now = costs.data;
  return (
    <Page title="Costs" about={now ? `${(now.period as { text: string }).text}, days by the clock of ${now.zone}${now.hosting_month_micro_usd ? `; hosting is ${f.money(now.hosting_month_micro_usd)} a month beside all of this` : ""}` : null} actions={<Lengths usual={USUAL} />}>
      <ScopeFilters />
      <Shown of={costs} what="Adding up">
        {(data) => {
          const total = totalOf(data);
          return total.calls === 0 ? (
            <Panel>
              <Empty remedy="Choose a longer time or another agent.">There was no call in this time.</Empty>
            </Panel>
          ) : (
            <>
              <Numbers costs={data} savings={savings.data} />
              <Panel>
                <ByDay of={data} />
              </Panel>
              <div class="columns">
                <Panel title="How it is known" flush>
                  <Known of={total} />
                </Panel>
                <Panel title="What it was for" flush>
                  <Items of={total} />
                </Panel>
              </div>
              <Groups scope={scope} by={by} />
            </>
          );
        }}
      </Shown>
      <Panel title="What OpenAI saves" flush>
        <Shown of={savings} what="Comparing">
          {(data) => <Table caption="Savings" columns={savingColumns} rows={data.agents} rowKey={(a) => a.agent} empty={<Empty remedy="Savings are told once an agent had calls on both.">There is nothing to compare in this time.</Empty>} />}
        </Shown>
      </Panel>
      {compared.slice(0, MOST_COMPARED).map((agent) => (
        <Compare key={agent} agent={agent} scope={scope} />
      ))}
      {compared.length > MOST_COMPARED ? <p class="about">Other agents are compared when they are chosen above.</p> : null}
      <Caps />
    </Page>
  );
}

export default function CostsPage({ rest }: PageProps) {
  return rest[0] === "calls" ? <Calls /> : <All />;
}
