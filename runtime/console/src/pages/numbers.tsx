// SPDX-License-Identifier: Apache-2.0
// numbers - each phone number: who answers it, which system, where the carrier sends it and whether that is as we made
// it; one or many sent to us or to Vapi, read back, given back; and the changes that were made.
import { useEffect, useMemo, useState } from "preact/hooks";
import { isOver, linesOf } from "../api/job";
import { Problem } from "../api/problem";
import type { Number as PhoneNumber, NumberRun, Rollout } from "../api/types";
import { useApi } from "../api/use";
import { fieldName, whereName, type Where } from "../numbers/plan";
import * as go from "../numbers/switches";
import type { PageProps } from "../pages";
import { share } from "../rollout/plan";
import { route, to, useQuery } from "../state/router";
import { useMay, useMe } from "../state/session";
import { Button, Filters, Pager, type Filter } from "../ui/controls";
import * as f from "../ui/format";
import { Empty } from "../ui/states";
import { Table, type Column } from "../ui/table";
import { Badge, Code, Count, Phone, System, Time, type Tone } from "../ui/values";
import { Facts, Page, Panel, Shown } from "../ui/view";

const whereTone: Record<Where, Tone> = { ringdown: "good", vapi: "quiet", elsewhere: "warn", nobody: "bad", unknown: "warn" };

function Place({ of }: { of: Where | null }) {
  return of ? <Badge tone={whereTone[of]}>{whereName[of]}</Badge> : <span class="unknown">{f.UNKNOWN}</span>;
}

/** Which system speaks with the next caller: Vapi alone where the carrier goes there, else as the rollout shares. */
function Speaks({ number, rollout, known }: { number: PhoneNumber; rollout: Rollout | undefined; known: boolean }) {
  if (number.goes_to === "vapi") return <System name="vapi" />;
  if (number.goes_to !== "ringdown" || !number.agent || !known) return <span class="unknown">{f.UNKNOWN}</span>;
  if (rollout?.kill || rollout?.mode === "vapi") return <System name="vapi" />;
  if (rollout?.mode === "openai") return <System name="openai" />;
  if (!rollout || rollout.state === "draft") return <span class="about">as its file says</span>;
  if (rollout.percent_bp === 0) return <System name="vapi" />;
  if (rollout.percent_bp === 10_000) return <System name="openai" />;
  return (
    <span class="both">
      <System name="openai" /> <span class="num">{share(rollout.percent_bp)}</span> <System name="vapi" />
    </span>
  );
}

/** It has no rollout: that is known then. */
const missing = (why: unknown) => why instanceof Problem && why.status === 404;

function Drift({ of }: { of: PhoneNumber }) {
  if (of.gone_at) return <Badge tone="bad">the account has it no more</Badge>;
  if (of.drift?.length) return <Badge tone="bad">{f.plural(of.drift.length, "field differs", "fields differ")}</Badge>;
  if (of.target) return <Badge tone="good">as we made it</Badge>; // read back then, and compared since
  return <span class="about">never changed by us</span>;
}

/** null: not known yet. */
const useRollouts = (): Map<string, Rollout> | null => {
  const rollouts = useApi("GET /rollouts", {}, { everyMs: 30_000 });
  return useMemo(() => rollouts.data ? new Map(rollouts.data.items.map((r) => [r.agent, r])) : null, [rollouts.data]);
};

// ---- what goes on ----

const jobTone: Record<string, Tone> = { waiting: "quiet", running: "quiet", done: "good", failed: "bad", lost: "bad" };

/** How far what was begun is; its address has it, so one can come back to it. */
function Progress() {
  const [query, change] = useQuery();
  const id = query.get("job");
  const [over, setOver] = useState(false);
  const job = useApi("GET /jobs/{id}", id ? { path: { id } } : null, { everyMs: over ? undefined : 1500 });
  useEffect(() => setOver(!!job.data && isOver(job.data)), [job.data]);
  if (!id) return null;
  return (
    <Panel title={`What was begun: job ${id}`} actions={<Button onClick={() => change({ job: null, cursor: query.get("cursor") })}>Close</Button>}>
      <Shown of={job}>
        {(data) => (
          <>
            <p role="status">
              <Badge tone={jobTone[data.state] ?? "quiet"}>{data.state}</Badge> {data.progress && !isOver(data) ? <span class="num">{data.progress}</span> : null} {data.why}
            </p>
            {linesOf(data).length ? (
              <pre class="lines" tabIndex={0} aria-label="What it told">
                {linesOf(data)
                  .map((l) => l.text ?? l.note ?? "")
                  .filter(Boolean)
                  .join("\n")}
              </pre>
            ) : null}
          </>
        )}
      </Shown>
    </Panel>
  );
}

function useAfter(reload: () => void): go.After {
  const [query, change] = useQuery();
  const watch = (job: string) => route.get().segments[0] === "numbers" && change({ job, cursor: query.get("cursor") }); // not on the page one went to meanwhile
  return { done: reload, watch: (job) => void watch(job) };
}

// ---- changes that were made ----

const runTone: Record<string, Tone> = { running: "quiet", stopped: "warn", done: "good" };

function Runs({ after, tick }: { after: go.After; tick: number }) {
  const may = useMay();
  const runs = useApi("GET /numbers/runs", { query: { limit: 10 } }, { everyMs: 15_000 });
  useEffect(() => runs.reload(), [tick]);
  const columns: Column<NumberRun>[] = [
    { key: "run", head: "Change", align: "right", cell: (r) => <Count value={Number(r.run)} /> },
    { key: "what", head: "What", cell: (r) => (r.action === "restore" ? "given back" : `sent to ${whereName[r.goes_to as Where] ?? r.goes_to ?? f.UNKNOWN}`) },
    {
      key: "state",
      head: "State",
      cell: (r) => (
        <>
          <Badge tone={r.counts?.failed ? "bad" : (runTone[r.state] ?? "quiet")}>{r.state}</Badge>{" "}
          <span class="about num">
            {Object.entries(r.counts ?? {})
              .filter(([, n]) => n > 0)
              .map(([step, n]) => `${f.count(n)} ${step}`)
              .join(", ")}
          </span>
        </>
      ),
    },
    { key: "at", head: "Begun", cell: (r) => <Time at={r.started_at} />, sort: (r) => r.started_at },
    { key: "who", head: "Who", cell: (r) => r.who ?? f.UNKNOWN, sort: (r) => r.who },
    { key: "reason", head: "Why", wide: true, cell: (r) => r.reason ?? "" },
  ];
  if (may("POST /numbers/restore"))
    columns.push({
      key: "do",
      head: "",
      align: "right",
      cell: (r) =>
        r.state === "stopped" ? (
          <Button title={`Go on with change ${r.run}`} onClick={() => go.resume(r.run, after)}>
            Go on
          </Button>
        ) : r.counts?.verified ? (
          <Button title={`Take change ${r.run} back`} onClick={() => go.giveBack({ run: Number(r.run) }, `the numbers of change ${r.run}`, after)}>
            Undo…
          </Button>
        ) : null,
    });
  return (
    <Panel title="Changes of numbers" flush>
      <Shown of={runs}>{(data) => <Table caption="Changes of numbers" columns={columns} rows={data.items} rowKey={(r) => r.run} empty={<Empty>No number was changed yet.</Empty>} />}</Shown>
    </Panel>
  );
}

// ---- all of them ----

const columns = (rollouts: Map<string, Rollout> | null): Column<PhoneNumber>[] => [
  { key: "number", head: "Number", cell: (n) => <Phone number={n.number} />, sort: (n) => n.number },
  { key: "goes", head: "Calls go to", cell: (n) => <Place of={n.goes_to} />, sort: (n) => n.goes_to },
  { key: "system", head: "System", cell: (n) => <Speaks number={n} rollout={n.agent ? rollouts?.get(n.agent) : undefined} known={rollouts !== null} /> },
  {
    key: "agent",
    head: "Agent",
    cell: (n) => (n.agent ? n.agent : <span class="about" title={n.nobody_because ?? undefined}>nobody</span>),
    sort: (n) => n.agent,
  },
  { key: "site", head: "Site", cell: (n) => n.site ?? f.UNKNOWN, sort: (n) => n.site },
  { key: "drift", head: "At Twilio", cell: (n) => <Drift of={n} />, sort: (n) => n.drift?.length ?? null },
  { key: "texts", head: "Texts go to", cell: (n) => (n.texts_to ? whereName[n.texts_to] : f.UNKNOWN), sort: (n) => n.texts_to },
  { key: "set", head: "Changed", cell: (n) => <Time at={n.set_at} />, sort: (n) => n.set_at },
  { key: "by", head: "By", cell: (n) => n.set_by ?? f.UNKNOWN, sort: (n) => n.set_by },
];

function filters(agents: string[]): Filter[] {
  return [
    { name: "agent", label: "Agent", type: "select", options: agents.map((value) => ({ value, name: value })) },
    { name: "goes_to", label: "Calls go to", type: "select", options: (Object.keys(whereName) as Where[]).map((value) => ({ value, name: whereName[value] })) },
    { name: "drift", label: "At Twilio", type: "select", options: [{ value: "true", name: "not as we made it" }, { value: "false", name: "as we made it" }] },
  ];
}

function List() {
  const [query] = useQuery();
  const me = useMe();
  const may = useMay();
  const flag = query.get("drift");
  const numbers = useApi(
    "GET /numbers",
    { query: { agent: query.get("agent") ?? undefined, goes_to: (query.get("goes_to") as Where | null) ?? undefined, drift: flag === "true" ? true : flag === "false" ? false : undefined, cursor: query.get("cursor") ?? undefined, limit: 200 } },
    { everyMs: 15_000 },
  );
  const agents = useApi("GET /agents", {});
  const rollouts = useRollouts();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [tick, setTick] = useState(0);
  const after = useAfter(() => (numbers.reload(), setTick((n) => n + 1)));
  const rows = numbers.data?.items ?? [];
  const picked = rows.filter((n) => chosen.has(n.number)).map((n) => n.number); // what is not shown is not changed
  const toggle = (key: string, on: boolean) => setChosen((was) => (on ? new Set([...was, key]) : new Set([...was].filter((k) => k !== key))));
  const mayChange = may("POST /numbers/switch");
  return (
    <Page
      title="Numbers"
      about="where Twilio sends each number, and who answers it here"
      actions={
        <>
          {may("POST /numbers/drift") ? <Button title="Compare every number with what we made of it" onClick={() => go.look("drift", [], after)}>Compare all</Button> : null}
          {may("POST /numbers/sync") ? <Button title="Read the account’s numbers from Twilio and Vapi" onClick={() => go.look("sync", [], after)}>Look at Twilio</Button> : null}
        </>
      }
    >
      <Filters of={filters((agents.data?.items ?? []).map((a) => a.agent))} />
      <Progress />
      <Panel
        flush
        title="Numbers"
        actions={
          mayChange && picked.length ? (
            <>
              <span class="about num">{f.plural(picked.length, "number")} selected</span>
              <Button onClick={() => go.look("verify", picked, after)}>Verify</Button>
              <Button onClick={() => go.giveBack({ numbers: picked }, picked.length === 1 ? picked[0]! : f.plural(picked.length, "number"), after)}>Give back…</Button>
              <Button kind="danger" onClick={() => go.switchTo("vapi", picked, after)}>
                To Vapi…
              </Button>
              <Button kind="primary" onClick={() => go.switchTo("ringdown", picked, after)}>
                To us…
              </Button>
            </>
          ) : null
        }
      >
        <Shown of={numbers}>
          {(data) => (
            <>
              <Table
                caption="Numbers"
                columns={columns(rollouts)}
                rows={data.items}
                rowKey={(n) => n.number}
                href={(n) => to("numbers", n.number)}
                rowClass={(n) => (n.gone_at || n.drift?.length || n.goes_to === "nobody" ? "bad" : n.goes_to === "elsewhere" ? "warn" : null)}
                select={mayChange ? { has: (k) => chosen.has(k), toggle, name: (n) => n.number } : undefined}
                empty={<Empty remedy={query.size ? "Clear the filters to see all." : "Look at Twilio reads the account’s numbers; so does ringdown numbers sync."}>{query.size ? "No number is like that." : "No number is known yet."}</Empty>}
              />
              <Pager next={data.next} shown={data.items.length} what="numbers" />
            </>
          )}
        </Shown>
      </Panel>
      {me.agents ? null : <Runs after={after} tick={tick} />}
    </Page>
  );
}

// ---- one ----

function Assign({ seen, done }: { seen: { number: PhoneNumber; etag: string }; done: () => void }) {
  const agents = useApi("GET /agents", {});
  const [agent, setAgent] = useState(seen.number.agent ?? "");
  const [site, setSite] = useState(seen.number.site && seen.number.site !== "default" ? seen.number.site : "");
  const sites = useApi("GET /sites", agent ? { query: { agent, limit: 200 } } : null);
  const names = (agents.data?.items ?? []).map((a) => a.agent);
  return (
    <div class="assign">
      <label class="field">
        <span>Agent</span>
        <select value={agent} onChange={(e) => (setAgent(e.currentTarget.value), setSite(""))}>
          {agent && !names.includes(agent) ? <option value={agent}>{agent}</option> : null}
          {agent ? null : <option value="">choose one</option>}
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Site</span>
        <select value={site} onChange={(e) => setSite(e.currentTarget.value)}>
          <option value="">default</option>
          {(sites.data?.items ?? []).map((s) => (
            <option key={s.site} value={s.site}>
              {s.name ? `${s.name} (${s.site})` : s.site}
            </option>
          ))}
        </select>
      </label>
      <Button disabled={!agent} onClick={() => go.assign(seen, { agent, ...(site ? { site } : {}) }, done)}>
        Assign…
      </Button>
      {seen.number.assigned ? <Button onClick={() => go.assign(seen, null, done)}>End the assignment…</Button> : null}
    </div>
  );
}

const driftColumns: Column<{ name?: string; found?: string; wanted?: string }>[] = [
  { key: "name", head: "Field", cell: (d) => fieldName(d.name ?? "") },
  { key: "wanted", head: "As we made it", cell: (d) => <Code>{d.wanted || "nothing"}</Code> },
  { key: "found", head: "As it is at Twilio", cell: (d) => <Code>{d.found || "nothing"}</Code> },
];

type Snapshot = Record<string, unknown>;
const text = (value: unknown) => (typeof value === "string" ? value : typeof value === "number" ? String(value) : null);
const voiceOf = (s: Snapshot) => text((s.fields as Record<string, unknown> | undefined)?.voice_url);
const pastColumns: Column<Snapshot>[] = [
  { key: "at", head: "Kept", cell: (s) => <Time at={text(s.taken_at)} /> },
  { key: "by", head: "Before a change by", cell: (s) => text(s.taken_by) ?? f.UNKNOWN },
  { key: "goes", head: "Calls went to", cell: (s) => <Code>{voiceOf(s) || "nothing"}</Code> },
];

function One({ number }: { number: string }) {
  const may = useMay();
  const one = useApi("GET /numbers/{number}", { path: { number } }, { everyMs: 15_000 });
  const rollout = useApi("GET /rollouts/{agent}", one.data?.agent ? { path: { agent: one.data.agent } } : null);
  const after = useAfter(one.reload);
  const seen = one.data && one.etag ? { number: one.data, etag: one.etag } : null;
  const made = seen?.number.target;
  return (
    <Page
      title={number}
      about={<a href="/numbers">all numbers</a>}
      actions={
        seen ? (
          <>
            {may("POST /numbers/verify") ? <Button onClick={() => go.look("verify", [number], after)}>Verify</Button> : null}
            {may("POST /numbers/restore") && seen.number.target ? <Button onClick={() => go.giveBack({ numbers: [number] }, number, after)}>Give back…</Button> : null}
            {may("POST /numbers/{number}/switch") && seen.number.drift?.length && !seen.number.gone_at && made === seen.number.goes_to && (made === "ringdown" || made === "vapi") ? (
              <Button kind="primary" title="Write what differs at Twilio again" onClick={() => go.switchTo(made, [number], after, seen)}>
                As we made it…
              </Button>
            ) : null}
            {may("POST /numbers/{number}/switch") ? (
              seen.number.goes_to === "ringdown" ? (
                <Button kind="danger" onClick={() => go.switchTo("vapi", [number], after, seen)}>
                  To Vapi…
                </Button>
              ) : (
                <Button kind="primary" onClick={() => go.switchTo("ringdown", [number], after, seen)}>
                  To us…
                </Button>
              )
            ) : null}
          </>
        ) : null
      }
    >
      <Progress />
      <Shown of={one}>
        {(n) => (
          <>
            <div class="columns">
              <Panel title="Where its calls go">
                <Facts
                  rows={[
                    ["Calls", <Place of={n.goes_to} />],
                    ["System", <Speaks number={n} rollout={rollout.data as Rollout | undefined} known={rollout.data !== undefined || missing(rollout.error)} />],
                    rollout.data && n.goes_to === "ringdown" ? ["Next call", rollout.data.next_call] : null,
                    ["Texts", <Place of={n.texts_to} />],
                    ["We made it go to", <Place of={n.target} />],
                    ["Changed", <><Time at={n.set_at} named /> {n.set_by ? `by ${n.set_by}` : ""}</>],
                  ]}
                />
              </Panel>
              <Panel title="At Twilio and Vapi">
                <Facts
                  rows={[
                    ["As we made it", <><Drift of={n} /> {n.compared_at ? <span class="about">compared <Time at={n.compared_at} relative /></span> : n.set_at ? <span class="about">read back <Time at={n.set_at} relative /></span> : null}</>],
                    ["Called", n.name ?? f.UNKNOWN],
                    ["Id at Twilio", n.carrier_id ? <Code>{n.carrier_id}</Code> : f.UNKNOWN],
                    ["Seen there", <Time at={n.seen_at} relative />],
                    ["At Vapi", n.vapi_id ? <Code>{n.vapi_id}</Code> : "not imported"],
                    ["Vapi’s assistant", n.vapi_assistant ?? f.UNKNOWN],
                  ]}
                />
              </Panel>
            </div>
            {n.drift?.length ? (
              <Panel title="What differs" flush>
                <Table caption="What differs from what we made" columns={driftColumns} rows={n.drift} rowKey={(d) => d.name ?? ""} rowClass={() => "bad"} />
              </Panel>
            ) : null}
            <Panel title="Who answers it">
              <Facts rows={[["Agent", n.agent ? <a href={to("agents", n.agent)}>{n.agent}</a> : (n.nobody_because ?? "nobody")], ["Site", n.site ?? "default"], ["By", n.assigned ? "an operator" : "the agents’ files"]]} />
              {seen && may("PUT /numbers/{number}/assignment") ? <Assign key={n.version} seen={seen} done={one.reload} /> : null}
            </Panel>
            <Panel title="How it was before each change" flush>
              <Table caption="How it was before each change" columns={pastColumns} rows={n.snapshots ?? []} rowKey={(s) => JSON.stringify([s.taken_at, s.run, s.id])} empty={<Empty>It was never changed by us.</Empty>} />
            </Panel>
          </>
        )}
      </Shown>
    </Page>
  );
}

export default function Numbers({ rest }: PageProps) {
  return rest[0] ? <One key={rest[0]} number={rest[0]} /> : <List />;
}
