// SPDX-License-Identifier: Apache-2.0
// costs - what calls cost and how that is known; Vapi against OpenAI over the same mix of calls; what is saved, and
// would be; what calls may cost. Every dollar opens the calls it is made of (/costs/calls), which add up to it.
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { sayWho } from "../api/changed";
import { ask } from "../api/client";
import type { CostCalls, CostCap, CostCompared, CostSavings, Costs } from "../api/types";
import { useApi } from "../api/use";
import { to, useQuery } from "../state/router";
import { useMay, useMe } from "../state/session";
import { Chart } from "../ui/chart";
import { Button, Choice, Pager } from "../ui/controls";
import { preview } from "../ui/dialog";
import * as f from "../ui/format";
import { Lengths, ScopeFilters, scopeOf, useAgentNames } from "../ui/scope";
import { Empty } from "../ui/states";
import { dayAt, EACH, groupsOf, listOf, partOfDay, share, totalOf, type Sum } from "../ui/sums";
import { Table, type Column } from "../ui/table";
import { toast } from "../ui/toast";
import { Badge, Count, Duration, Money, Percent, System, Time } from "../ui/values";
import { Facts, Figures, Page, Panel, Shown } from "../ui/view";
import type { PageProps } from "../pages";

const USUAL = "30d";
const HREF = "/costs/calls";
const MOST_COMPARED = 6; // agents at once: each is a question of its own

/** Dollars that open their calls. */
function Dollars({ microUsd, filter, more, about }: { microUsd: number | null | undefined; filter: Sum["filter"]; more?: Record<string, string | boolean>; about?: string }) {
  const money = <Money microUsd={microUsd} about={about} digits={2} />;
  return microUsd ? <a href={listOf(HREF, filter, more ?? {})}>{money}</a> : money;
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
          href: listOf(HREF, total.filter),
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
          <a href={listOf(HREF, of.filter, { unknown: true })}>The cost of {f.plural(cost.unknown_calls, "call")} is not known</a>
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
    { key: "unknown", head: "Not known", title: "calls whose cost is not known", align: "right", cell: (s) => (s.cost.unknown_calls ? <a href={listOf(HREF, s.filter, { unknown: true })}>{f.count(s.cost.unknown_calls)}</a> : <Count value={0} />), sort: (s) => s.cost.unknown_calls },
  ];
  return (
    <Panel title="Where it went" actions={<Choice label="By" value={by} of={GROUPED.map((value) => ({ value, name: value }))} onChange={(value) => change({ by: value === "agent" ? null : value })} />} flush>
      <Shown of={costs}>{(data) => <Table caption={`Costs by ${by}`} columns={columns} rows={groupsOf(data)} rowKey={(s) => s.key} empty={<Empty>There was no call in this time.</Empty>} />}</Shown>
    </Panel>
  );
}

// ---- Vapi against OpenAI ----

interface Estimate {
  n: number;
  value?: number;
  low?: number;
  high?: number;
  why?: string;
}
interface Measure {
  openai: Estimate;
  vapi: Estimate;
  difference?: { value: number; low: number; high: number; certain: boolean };
}
interface Side {
  calls: number;
  compared: number;
  left_out: number;
  known: number;
  micro_usd: number;
  filter: Sum["filter"];
}

const MEASURES: { key: string; name: string; money: boolean; less: boolean | null }[] = [
  { key: "per_minute", name: "A minute", money: true, less: true },
  { key: "per_call", name: "A call", money: true, less: true },
  { key: "per_booking", name: "A booking", money: true, less: true },
  { key: "booked", name: "Booked", money: false, less: false },
  { key: "contained", name: "Contained", money: false, less: false },
  { key: "transferred", name: "Transferred", money: false, less: true },
  { key: "failed", name: "Failed", money: false, less: true },
];

const says = (money: boolean, value: number) => (value < 0 ? "−" : "") + (money ? `$${f.count(Math.abs(value) / 1e6, EACH)}` : `${f.count(Math.abs(value) * 100, 1)} %`);

/** "$0.0730, 0.0686 to 0.0775 (85)" in parts; a share is never below nothing or above all. */
export function interval(of: Estimate, money: boolean): { value: string; range: string } | null {
  if (of.value === undefined) return null;
  const within = (v: number) => (money ? v : Math.min(1, Math.max(0, v)));
  return {
    value: says(money, of.value),
    range: of.low === undefined || of.high === undefined ? "no interval" : `${says(money, within(of.low))} to ${says(money, within(of.high))}`,
  };
}

function Estimated({ of, money }: { of: Estimate; money: boolean }) {
  const shown = interval(of, money);
  if (!shown) return <span class="about">{of.why ?? "not known"}</span>;
  return (
    <>
      <span class="num">{shown.value}</span> <span class="about num">{shown.range}</span>
    </>
  );
}

/** OpenAI minus Vapi, and whether that is more than chance. */
export function verdict(of: Measure, less: boolean | null): { tone: "good" | "bad" | "quiet"; text: string } {
  const d = of.difference;
  if (!d) return { tone: "quiet", text: "too few calls" };
  if (!d.certain) return { tone: "quiet", text: "may be chance" };
  const better = less === null ? null : d.value < 0 === less;
  return { tone: better === null ? "quiet" : better ? "good" : "bad", text: better === null ? "certain" : better ? "better" : "worse" };
}

function Compared({ of }: { of: CostCompared }) {
  const measures = of.measures as unknown as Record<string, Measure>;
  const sides = of.calls as unknown as { openai: Side; vapi: Side };
  const columns: Column<(typeof MEASURES)[number]>[] = [
    { key: "name", head: "Measure", cell: (m) => m.name },
    { key: "vapi", head: "Vapi (95 %)", cell: (m) => <Estimated of={measures[m.key]!.vapi} money={m.money} /> },
    { key: "vn", head: "n", title: "of so many calls, or bookings", align: "right", cell: (m) => <Count value={measures[m.key]!.vapi.n} /> },
    { key: "openai", head: "OpenAI (95 %)", cell: (m) => <Estimated of={measures[m.key]!.openai} money={m.money} /> },
    { key: "on", head: "n", title: "of so many calls, or bookings", align: "right", cell: (m) => <Count value={measures[m.key]!.openai.n} /> },
    {
      key: "difference",
      head: "Difference",
      align: "right",
      cell: (m) => {
        const d = measures[m.key]!.difference;
        const sign = (v: number) => (v > 0 ? "+" : "") + says(m.money, v);
        return d ? <span class="num" title={`${sign(d.low)} to ${sign(d.high)}`}>{sign(d.value)}</span> : f.UNKNOWN;
      },
    },
    {
      key: "certain",
      head: "On OpenAI",
      cell: (m) => {
        const v = verdict(measures[m.key]!, m.less);
        return <Badge tone={v.tone}>{v.text}</Badge>;
      },
    },
  ];
  const side = (name: string, s: Side): ComponentChildren => (
    <>
      {name}: <a href={listOf(HREF, s.filter)}>{f.plural(s.compared, "call")}</a> compared, {f.count(s.left_out)} left out
    </>
  );
  return (
    <>
      <Table caption={`Vapi against OpenAI: ${of.agent}`} columns={columns} rows={MEASURES.filter((m) => measures[m.key])} rowKey={(m) => m.key} />
      <p class="panel-foot about">
        {side("Vapi", sides.vapi)}; {side("OpenAI", sides.openai)}. Compared is the same mix: kinds of calls that only one of them had are left out
        {of.changed ? `; the agent changed ${f.plural(of.changed, "time")} meanwhile` : ""}.
      </p>
    </>
  );
}

function Compare({ agent, scope }: { agent: string; scope: ReturnType<typeof scopeOf> }) {
  const compared = useApi("GET /costs/compare", { query: { agent, since: scope.since, until: scope.until } }, { everyMs: 300_000 });
  return (
    <Panel title={`Vapi against OpenAI: ${agent}`} flush>
      <Shown of={compared} what="Comparing">
        {(data) => <Compared of={data} />}
      </Shown>
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

// ---- caps ----

const capName = (cap: { agent: string | null }) => cap.agent ?? "all agents together";
const capPath = (agent: string | null) => ({ agent: agent ?? "all" });

/** "25", "$25.00" -> 25000000; "" -> null; what is no amount -> undefined */
export function microOf(text: string): number | null | undefined {
  const clean = text.trim().replace(/^\$\s*/, "");
  if (clean === "") return null;
  if (!/^(\d{1,9}|\d{1,3}(,\d{3}){1,2})(\.\d{1,6})?$/.test(clean)) return undefined; // 25,50 is not 2,550
  const micro = Math.round(Number(clean.replaceAll(",", "")) * 1e6);
  return micro > 0 ? micro : undefined;
}

const bodyOf = (day: number | null, call: number | null) => ({ ...(day === null ? {} : { day_micro_usd: day }), ...(call === null ? {} : { call_micro_usd: call }) });

async function putCap(agent: string | null, day: number | null, call: number | null, seen: string | null, o: { dry_run?: true; signal?: AbortSignal } = {}) {
  const asked = { path: capPath(agent), query: o.dry_run ? { dry_run: true } : {}, ifMatch: seen ?? "*", signal: o.signal };
  return sayWho(day === null && call === null ? ask("DELETE /costs/caps/{agent}", asked) : ask("PUT /costs/caps/{agent}", { ...asked, body: bodyOf(day, call) }));
}

/** Shows what it is now and will be, writes it, and offers the way back. */
async function changeCap(agent: string | null, day: number | null, call: number | null, reload: () => void): Promise<void> {
  const name = capName({ agent });
  const takesAway = day === null && call === null;
  let was: { day_micro_usd?: number | null; call_micro_usd?: number | null } | null | undefined = null;
  let seen: string | null = null;
  const done = await preview({
    title: takesAway ? `Take away what is set for ${name}?` : `What may ${name} cost?`,
    verb: takesAway ? `Take it away from ${name}` : `Set it for ${name}`,
    danger: takesAway,
    load: async (signal) => {
      const { data: before, etag } = await ask("GET /costs/caps/{agent}", { path: capPath(agent), signal });
      const { data: would } = await putCap(agent, day, call, etag, { dry_run: true, signal });
      [was, seen] = [would.was, etag];
      const then = (v: number | null) => (takesAway ? "what the agent’s file says" : v === null ? "no cap" : f.money(v));
      const now = (v: number | null | undefined) => (v ? f.money(v) : "no cap");
      return {
        summary: would.changed ? would.next_call : "It is so already: there is nothing to write.",
        warnings: would.said,
        nothing: !would.changed,
        changes: [
          { what: "Each day", before: now(before.day_micro_usd), after: then(day) },
          { what: "Each call", before: now(before.call_micro_usd), after: then(call) },
        ],
      };
    },
    commit: async () => {
      seen = (await putCap(agent, day, call, seen)).etag;
    },
  });
  if (!done) return;
  toast.say(takesAway ? `Nothing is set for ${name} any more.` : `What ${name} may cost is set. Nodes follow within seconds.`, {
    name: "Undo",
    run: () => void putCap(agent, was?.day_micro_usd ?? null, was?.call_micro_usd ?? null, seen).then(reload, toast.problem),
  });
  reload();
}

function SetCap({ reload }: { reload: () => void }) {
  const names = useAgentNames();
  const me = useMe();
  const [agent, setAgent] = useState("");
  const [day, setDay] = useState("");
  const [call, setCall] = useState("");
  const [micro, each] = [microOf(day), microOf(call)];
  const wrong = micro === undefined || each === undefined;
  const whose = agent === "" && me.agents ? (names[0] ?? "") : agent;
  return (
    <form class="filters panel-form" onSubmit={(e) => e.preventDefault()}>
      <label>
        <span>For</span>
        <select value={whose} onChange={(e) => setAgent(e.currentTarget.value)}>
          {me.agents ? null : <option value="">all agents together</option>}
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        <span>Each day, $</span>
        <input type="text" inputMode="decimal" value={day} placeholder="no cap" aria-invalid={micro === undefined} onInput={(e) => setDay(e.currentTarget.value)} />
      </label>
      <label>
        <span>Each call, $</span>
        <input type="text" inputMode="decimal" value={call} placeholder="no cap" aria-invalid={each === undefined} onInput={(e) => setCall(e.currentTarget.value)} />
      </label>
      <Button disabled={wrong || (micro === null && each === null)} onClick={() => changeCap(whose || null, micro ?? null, each ?? null, reload)}>
        Set…
      </Button>
      {wrong ? <span class="about" role="alert">An amount is dollars, as 25 or 0.80.</span> : null}
    </form>
  );
}

function Caps() {
  const caps = useApi("GET /costs/caps", {}, { everyMs: 60_000 });
  const may = useMay()("PUT /costs/caps/{agent}");
  const me = useMe();
  const toneOf = { ok: "good", near: "warn", over: "bad" } as const;
  const wordOf = { ok: "within", near: "near the cap", over: "over: new calls hear the fallback" } as const;
  const columns: Column<CostCap>[] = [
    { key: "agent", head: "For", cell: capName, sort: capName },
    { key: "state", head: "Today", cell: (c) => (c.state ? <Badge tone={toneOf[c.state]}>{wordOf[c.state]}</Badge> : f.UNKNOWN) },
    { key: "spent", head: "Spent today", align: "right", cell: (c) => <Money microUsd={c.spent_micro_usd} about={c.unknown_calls ? `not known of ${f.plural(c.unknown_calls, "call")}` : null} />, sort: (c) => c.spent_micro_usd },
    { key: "day", head: "Each day", align: "right", cell: (c) => (c.day_micro_usd === null ? <span class="about">no cap</span> : <Money microUsd={c.day_micro_usd} />), sort: (c) => c.day_micro_usd },
    { key: "call", head: "Each call", align: "right", cell: (c) => (c.call_micro_usd === null ? <span class="about">no cap</span> : <Money microUsd={c.call_micro_usd} />), sort: (c) => c.call_micro_usd },
    { key: "until", head: "The day is over", cell: (c) => <Time at={c.until} named /> },
    { key: "by", head: "Set by", cell: (c) => c.set_by ?? "the agent’s file" },
  ];
  if (may)
    columns.push({
      key: "do",
      head: "Change",
      align: "right",
      cell: (c) =>
        c.set_by && !(c.agent === null && me.agents) ? (
          <Button kind="danger" onClick={() => changeCap(c.agent, null, null, caps.reload)}>
            Take away…
          </Button>
        ) : null,
    });
  return (
    <Panel title="What calls may cost" flush id="caps">
      {may ? <SetCap reload={caps.reload} /> : null}
      <Shown of={caps}>
        {(data) => <Table caption="Caps" columns={columns} rows={data.items} rowKey={(c) => c.agent ?? "all"} rowClass={(c) => (c.state === "over" ? "bad" : c.state === "near" ? "warn" : null)} empty={<Empty remedy="costs in an agent’s file sets one, and so does an admin here.">There is no cap: calls may cost what they cost.</Empty>} />}
      </Shown>
    </Panel>
  );
}

// ---- the calls behind ----

type Behind = CostCalls["calls"][number];
const TAKEN = ["agent", "basis", "compared", "cursor", "day", "from", "hour", "imported", "item", "local_from", "local_to", "outcome", "reason", "since", "site", "system", "tests", "to", "unknown", "until", "weekday"];

/** What the address asks for, as /costs/calls takes it; all else is left out. */
export function behindOf(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...query].filter(([name, value]) => TAKEN.includes(name) && value !== ""));
}

function Calls() {
  const [query] = useQuery();
  const asked = behindOf(query);
  const calls = useApi("GET /costs/calls", { query: { ...asked, limit: 100 } as never });
  const part = asked.item ?? asked.basis;
  const columns: Column<Behind>[] = [
    { key: "at", head: "Began", cell: (c) => <Time at={c.started_at ?? null} />, sort: (c) => c.started_at },
    { key: "agent", head: "Agent", cell: (c) => c.agent ?? f.UNKNOWN, sort: (c) => c.agent },
    { key: "system", head: "System", cell: (c) => <System name={c.system} />, sort: (c) => c.system },
    { key: "outcome", head: "Outcome", cell: (c) => f.words(c.outcome), sort: (c) => c.outcome },
    { key: "talk", head: "Talked", align: "right", cell: (c) => <Duration ms={c.talk_ms} />, sort: (c) => c.talk_ms },
    ...(part ? [{ key: "part", head: f.words(part), align: "right" as const, cell: (c: Behind) => <Money microUsd={c.amount_micro_usd} about={part} digits={EACH} />, sort: (c: Behind) => c.amount_micro_usd }] : []),
    { key: "usd", head: "Cost", align: "right", cell: (c) => <Money microUsd={c.micro_usd} digits={EACH} />, sort: (c) => c.micro_usd },
  ];
  if (calls.data?.calls.some((c) => c.micro_usd === null))
    columns.push({ key: "why", head: "Why it is not known", prose: true, cell: (c) => (c.micro_usd === null ? `${c.reason ?? "not told"}; ${f.money(c.known_part_micro_usd)} is known` : "") });
  const named = Object.entries(asked).filter(([name]) => !["cursor", "local_from", "local_to", "since", "until"].includes(name));
  return (
    <Page title="Calls behind a sum" about={calls.data ? `${(calls.data.period as { text: string }).text}, the dearest first` : null} actions={<a href={listOf("/costs", { agent: asked.agent })}>All costs</a>}>
      {named.length ? (
        <Panel>
          <Facts rows={named.map(([name, value]) => [f.words(name), f.words(value)])} />
        </Panel>
      ) : null}
      <Panel flush>
        <Shown of={calls}>
          {(data) => (
            <>
              <Table caption="Calls behind a sum" columns={columns} rows={data.calls} rowKey={(c) => c.call} href={(c) => to("calls", c.call)} empty={<Empty remedy="Prices may have been reckoned anew since; go back and look again.">No call is behind this sum.</Empty>} />
              <Pager next={data.next} shown={data.calls.length} what="calls" />
            </>
          )}
        </Shown>
      </Panel>
    </Page>
  );
}

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
