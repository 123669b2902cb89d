// SPDX-License-Identifier: Apache-2.0
// live - the calls that go on, emergencies on top; of the one that is chosen (/live/CA…) what is said, and what one may
// do to it: whisper, transfer, hang up.
import { useMemo, useState } from "preact/hooks";
import { ask } from "../api/client";
import { connection } from "../api/events";
import { useIntention } from "../api/intention";
import { useApi } from "../api/use";
import type { PageProps } from "../pages";
import { to, useQuery } from "../state/router";
import { useMay } from "../state/session";
import { useStore } from "../state/store";
import { Button, Filters } from "../ui/controls";
import { confirm } from "../ui/dialog";
import * as f from "../ui/format";
import { Empty } from "../ui/states";
import { Table, type Column } from "../ui/table";
import { toast } from "../ui/toast";
import { Badge, Duration, Phone, Since, System, Time } from "../ui/values";
import { Facts, Page, Panel, Shown } from "../ui/view";
import { inOrder, peopleOf, type LiveRow } from "./live/board";
import { Transcript } from "./live/transcript";
import { useBoard } from "./live/use";

function State({ row }: { row: LiveRow }) {
  const e = row.emergency;
  if (e) return <Badge tone={e.state === "open" ? "bad" : "warn"}>{e.state === "open" ? f.words(e.rule) : `${f.words(e.rule)}, ${e.state}`}</Badge>;
  if (row.state === "live") return <Badge tone="good">live</Badge>;
  return <Badge>{row.state === "leaving" ? "with a person" : f.words(row.state)}</Badge>;
}

const columns: Column<LiveRow>[] = [
  { key: "caller", head: "Caller", cell: (r) => <Phone number={r.from} /> },
  { key: "state", head: "State", cell: (r) => <State row={r} /> },
  { key: "took", head: "For", align: "right", cell: (r) => (r.started_at ? <Since at={r.started_at} /> : <Duration ms={r.seconds * 1000} />), sort: (r) => r.started_at },
  { key: "system", head: "System", cell: (r) => <System name={r.system} />, sort: (r) => r.system },
  { key: "agent", head: "Agent", cell: (r) => <span class="nowrap">{r.agent ?? f.UNKNOWN}</span>, sort: (r) => r.agent },
  {
    key: "words",
    head: "Last words",
    wide: true,
    cell: (r) =>
      r.last_words ? (
        <>
          <span class="said-who">{r.last_words.role}</span> {r.last_words.text ?? f.UNKNOWN}
        </>
      ) : null,
  },
];

/** Who is meant: named in every question. */
const whom = (row: LiveRow) => `${row.from ?? "the caller"} with ${row.agent ?? "the agent"}`;

function HangUp({ row }: { row: LiveRow }) {
  const press = async () => {
    const yes = await confirm({
      title: `Hang up on ${row.from ?? row.call}?`,
      what: `The call of ${whom(row)} ends once what is being said was heard. It cannot be taken back; they can call again.`,
      verb: "Hang up",
    });
    if (!yes) return;
    await ask("POST /calls/{call}/hang-up", { path: { call: row.call } });
    toast.say(`Hanging up on ${row.from ?? row.call}.`);
  };
  return (
    <Button kind="danger" onClick={press}>
      Hang up…
    </Button>
  );
}

function Transfer({ row }: { row: LiveRow }) {
  const [target, setTarget] = useState("");
  const wish = useIntention();
  const agent = useApi("GET /agents/{agent}", row.agent ? { path: { agent: row.agent } } : null);
  const people = peopleOf(agent.data);
  const press = async () => {
    const person = target.trim();
    const yes = await confirm({
      title: `Put ${row.from ?? row.call} through to ${person}?`,
      what: `${person} is rung. Who does not answer gives ${row.from ?? "the caller"} back to ${row.agent ?? "the agent"}.`,
      verb: "Transfer",
      danger: false,
    });
    if (!yes) return;
    const body = { to: person };
    await ask("POST /calls/{call}/transfer", { path: { call: row.call }, body, once: wish.keyOf([row.call, body]) });
    wish.done();
    setTarget("");
    toast.say(`${person} is rung for ${row.from ?? row.call}.`);
  };
  return (
    <form class="act" onSubmit={(e) => e.preventDefault()}>
      <label class="field">
        <span>Transfer to a number, or one of the agent's people</span>
        <input type="text" value={target} maxLength={64} autocomplete="off" spellcheck={false} placeholder="+1… or office" onInput={(e) => setTarget(e.currentTarget.value)} />
      </label>
      <Button disabled={target.trim() === ""} onClick={press}>
        Transfer…
      </Button>
      {people.length > 0 ? (
        <p class="people">
          {people.map((one) => (
            <button key={one.name} type="button" class="button small" aria-pressed={target.trim() === one.name} title={one.numbers.join(", ")} onClick={() => setTarget(one.name)}>
              {one.name}
            </button>
          ))}
        </p>
      ) : null}
    </form>
  );
}

function Whisper({ row }: { row: LiveRow }) {
  const [words, setWords] = useState("");
  const [now, setNow] = useState(false);
  const wish = useIntention();
  const press = async () => {
    const body = { text: words.trim(), now };
    await ask("POST /calls/{call}/whisper", { path: { call: row.call }, body, once: wish.keyOf([row.call, body]) });
    wish.done();
    setWords("");
    toast.say(now ? "The agent was told, and answers at once." : "The agent was told, and minds it from its next answer on.");
  };
  return (
    <form class="act" onSubmit={(e) => e.preventDefault()}>
      <label class="field">
        <span>Whisper to the agent; the caller does not hear it</span>
        <textarea rows={2} maxLength={2000} value={words} onInput={(e) => setWords(e.currentTarget.value)} />
      </label>
      <div class="actions">
        <label>
          <input type="checkbox" checked={now} onChange={(e) => setNow(e.currentTarget.checked)} />
          answer at once
        </label>
        <Button disabled={words.trim() === ""} onClick={press}>
          Whisper
        </Button>
      </div>
    </form>
  );
}

function Acts({ row }: { row: LiveRow }) {
  const may = useMay();
  const some = may("POST /calls/{call}/hang-up");
  if (!some) return null;
  if (!row.here) return <p class="about">{row.node ? `Node ${row.node}` : "Another node"} has this call: what is done to it is done in that node's console.</p>;
  return (
    <>
      {may("POST /calls/{call}/whisper") ? <Whisper row={row} /> : null}
      {may("POST /calls/{call}/transfer") ? <Transfer row={row} /> : null}
    </>
  );
}

function One({ row, search }: { row: LiveRow; search: string }) {
  const may = useMay();
  const e = row.emergency;
  return (
    <Panel
      title={<Phone number={row.from} />}
      actions={
        <>
          {row.here && may("POST /calls/{call}/hang-up") ? <HangUp row={row} /> : null}
          <a class="button" href={"/live" + search}>
            Close
          </a>
        </>
      }
    >
      {e ? (
        <p class={e.state === "open" ? "warning bad" : "warning"}>
          <a href={to("emergencies", row.call, e.rule)}>{f.words(e.rule)}</a>
          {e.state === "open" ? ": nobody has confirmed yet" : `: ${e.state}`}
          {e.since ? (
            <>
              , since <Time at={e.since} precision="second" named />
            </>
          ) : null}
        </p>
      ) : null}
      <Facts
        rows={[
          ["Agent", `${row.agent ?? f.UNKNOWN}${row.version ? ` ${row.version.slice(0, 8)}` : ""}`],
          ["Began", <Time at={row.started_at} precision="second" named />],
          ["Called", <Phone number={row.to} />],
          ["Call", <a href={to("calls", row.call)}>{row.call}</a>],
        ]}
      />
      <h3 class="part-head">What is said</h3>
      <Transcript key={row.call} call={row.call} />
      <Acts key={row.call + (row.agent ?? "")} row={row} />
    </Panel>
  );
}

/** Live, or not any more: then what is shown is as of some moment. */
function Kept({ at }: { at: number | null }) {
  const now = useStore(connection);
  if (now.state === "live" || now.state === "connecting" || at === null) return null;
  return (
    <p class="stale" role="status">
      {now.state === "stale" ? "Nothing comes from the node" : "The node is not connected"}: these calls are as of <Time at={Math.max(at, now.since)} precision="second" named />, and some may be over.
    </p>
  );
}

export default function LivePage({ rest }: PageProps) {
  const { of, board } = useBoard();
  const [query] = useQuery();
  const chosen = rest[0] ?? null;
  const agent = query.get("agent");
  const system = query.get("system");
  const all = useMemo(() => inOrder(board), [board]);
  // What nobody has taken is shown whatever the filters say.
  const rows = useMemo(() => all.filter((r) => r.emergency?.state === "open" || ((!agent || r.agent === agent) && (!system || r.system === system))), [all, agent, system]);
  const agents = useMemo(() => [...new Set(all.map((r) => r.agent ?? "").filter(Boolean))].sort(), [all]);
  const open = all.filter((r) => r.emergency?.state === "open").length;
  const text = query.toString();
  const search = text ? "?" + text : "";
  const row = chosen ? board.get(chosen) : undefined;
  const left = of.data?.left_out ?? 0;
  return (
    <Page
      title="Live"
      about={of.data ? `${all.length + left === 0 ? "no call" : f.plural(all.length + left, "call")} in progress${open ? `, ${f.plural(open, "open emergency", "open emergencies")}` : ""}` : null}
      actions={
        agents.length > 1 || agent || system ? (
          <Filters
            of={[
              { name: "agent", label: "Agent", type: "select", options: [...new Set([...agents, ...(agent ? [agent] : [])])].map((a) => ({ value: a, name: a })) },
              { name: "system", label: "System", type: "select", options: [{ value: "openai", name: "OpenAI" }, { value: "vapi", name: "Vapi" }] },
            ]}
          />
        ) : null
      }
    >
      <Shown of={of}>
        {(data) => (
          <>
            <Kept at={of.at} />
            {data.elsewhere_reason ? <p class="warning">Only the calls of this node are shown, without their last words: {data.elsewhere_reason}.</p> : null}
            {left > 0 ? <p class="warning">{f.plural(left, "call")} more are not in this list; filter by agent on the page Calls.</p> : null}
            <div class={chosen ? "live-columns" : undefined}>
              <Panel flush>
                <Table
                  caption="Calls in progress"
                  columns={columns}
                  rows={rows}
                  rowKey={(r) => r.call}
                  href={(r) => to("live", r.call) + search}
                  rowClass={(r) => [r.emergency?.state === "open" ? "bad" : r.emergency ? "warn" : "", r.call === chosen ? "chosen" : ""].filter(Boolean).join(" ") || null}
                  empty={<Empty remedy={all.length ? "Clear the filters to see them." : "They appear here as they come; you need not load the page anew."}>{all.length ? "No call in progress fits the filters." : "No call is in progress."}</Empty>}
                />
              </Panel>
              {row ? (
                <One key={row.call} row={row} search={search} />
              ) : chosen ? (
                <Panel title="This call is over" actions={<a class="button" href={"/live" + search}>Close</a>}>
                  <p>
                    <a href={to("calls", chosen)}>What happened in it</a>
                  </p>
                </Panel>
              ) : null}
            </div>
          </>
        )}
      </Shown>
    </Page>
  );
}
