// SPDX-License-Identifier: Apache-2.0
// caps - what calls may cost, each day and each: seen beside what is spent, set and taken away with a preview and the way
// back.
import { useState } from "preact/hooks";
import { sayWho } from "../../api/changed";
import { ask } from "../../api/client";
import type { CostCap } from "../../api/types";
import { useApi } from "../../api/use";
import { useMay, useMe } from "../../state/session";
import { Button } from "../../ui/controls";
import { preview } from "../../ui/dialog";
import * as f from "../../ui/format";
import { useAgentNames } from "../../ui/scope";
import { Empty } from "../../ui/states";
import { Table, type Column } from "../../ui/table";
import { toast } from "../../ui/toast";
import { Badge, Money, Time } from "../../ui/values";
import { Panel, Shown } from "../../ui/view";

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

export function Caps() {
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
