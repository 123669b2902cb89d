// SPDX-License-Identifier: Apache-2.0
// behind - the calls that some dollars are made of, the dearest first; they add up to them.
import type { CostCalls } from "../../api/types";
import { useApi } from "../../api/use";
import { to, useQuery } from "../../state/router";
import { Pager } from "../../ui/controls";
import * as f from "../../ui/format";
import { Empty } from "../../ui/states";
import { EACH, listOf } from "../../ui/sums";
import { Table, type Column } from "../../ui/table";
import { Duration, Money, System, Time } from "../../ui/values";
import { Facts, Page, Panel, Shown } from "../../ui/view";

export const BEHIND = "/costs/calls"; // its address, and the list of the API

type Behind = CostCalls["calls"][number];
const TAKEN = ["agent", "basis", "compared", "cursor", "day", "from", "hour", "imported", "item", "local_from", "local_to", "outcome", "reason", "since", "site", "system", "tests", "to", "unknown", "until", "weekday"];

/** What the address asks for, as /costs/calls takes it; all else is left out. */
export function behindOf(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...query].filter(([name, value]) => TAKEN.includes(name) && value !== ""));
}

export function Calls() {
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
