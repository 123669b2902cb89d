// SPDX-License-Identifier: Apache-2.0
// scope - of which time and of whose calls a page of sums tells. Both stand in the address, as the API takes them.
import { useApi } from "../api/use";
import { useQuery } from "../state/router";
import { Choice, Filters, type Filter } from "./controls";

const DAY = /^\d{4}-\d\d-\d\d$/;
const LENGTHS = ["24h", "7d", "30d", "90d"] as const;

/** What of it is asked: { since, until, agent, … }; `usual` when the address says no time. */
export function scopeOf(query: URLSearchParams, usual: string): { since: string; until?: string; agent?: string } {
  const since = query.get("since") ?? usual;
  const until = query.get("until");
  return {
    since: DAY.test(since) || /^[1-9]\d{0,3}[hd]$/.test(since) ? since : usual,
    until: until && DAY.test(until) ? until : undefined,
    agent: query.get("agent") ?? undefined,
  };
}

export function Lengths({ usual }: { usual: string }) {
  const [query, change] = useQuery();
  const now = query.get("until") ? "" : (query.get("since") ?? usual);
  return (
    <Choice
      label="How long"
      value={now as (typeof LENGTHS)[number]}
      of={LENGTHS.map((value) => ({ value, name: value === "24h" ? "24 hours" : `${value.slice(0, -1)} days` }))}
      onChange={(value) => change({ since: value === usual ? null : value, until: null })}
    />
  );
}

/** Names of all agents, those that the address names too. */
export function useAgentNames(): string[] {
  const [query] = useQuery();
  const agents = useApi("GET /agents", {});
  const names = new Set((agents.data?.items ?? []).map((a) => a.agent));
  const asked = query.get("agent");
  if (asked) names.add(asked);
  return [...names].sort();
}

export function ScopeFilters({ more = [], days = true }: { more?: Filter[]; days?: boolean }) {
  const names = useAgentNames();
  const of: Filter[] = [
    { name: "agent", label: "Agent", type: "select", any: "all agents", options: names.map((name) => ({ value: name, name })) },
    ...more,
    ...(days
      ? ([
          { name: "since", label: "From", type: "date" },
          { name: "until", label: "To, that day too", type: "date" },
        ] as Filter[])
      : []),
  ];
  return <Filters of={of} />;
}
