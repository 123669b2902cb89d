// SPDX-License-Identifier: Apache-2.0
// compare - Vapi against OpenAI over the same mix of calls: each measure with its interval, of how many calls, and
// whether the difference is more than chance.
import type { ComponentChildren } from "preact";
import type { CostCompared } from "../../api/types";
import { useApi } from "../../api/use";
import * as f from "../../ui/format";
import type { scopeOf } from "../../ui/scope";
import { EACH, listOf, type Sum } from "../../ui/sums";
import { Table, type Column } from "../../ui/table";
import { Badge, Count } from "../../ui/values";
import { Panel, Shown } from "../../ui/view";
import { BEHIND } from "./behind";

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
      {name}: <a href={listOf(BEHIND, s.filter)}>{f.plural(s.compared, "call")}</a> compared, {f.count(s.left_out)} left out
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

export function Compare({ agent, scope }: { agent: string; scope: ReturnType<typeof scopeOf> }) {
  const compared = useApi("GET /costs/compare", { query: { agent, since: scope.since, until: scope.until } }, { everyMs: 300_000 });
  return (
    <Panel title={`Vapi against OpenAI: ${agent}`} flush>
      <Shown of={compared} what="Comparing">
        {(data) => <Compared of={data} />}
      </Shown>
    </Panel>
  );
}
