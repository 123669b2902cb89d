// SPDX-License-Identifier: Apache-2.0
// health - the nodes of the last day and how to let one go, open alarms with their remedy, and each component of the
// node that answers, the worst first.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask } from "../api/client";
import { asProblem, Problem } from "../api/problem";
import type { Alarm, Node } from "../api/types";
import { useApi } from "../api/use";
import { useMay } from "../state/session";
import { Button } from "../ui/controls";
import { confirm } from "../ui/dialog";
import * as f from "../ui/format";
import { Empty, Failed, Loading, Stale } from "../ui/states";
import { Table, type Column } from "../ui/table";
import { toast } from "../ui/toast";
import { Badge, Code, Count, Duration, Time, type Tone } from "../ui/values";
import { Facts, Figures, Page, Panel, Shown } from "../ui/view";

// ---- /health: for machines, so it has no token and no description ----

type Verdict = "pass" | "warn" | "fail";
interface Check {
  name: string;
  status: Verdict;
  value: number | null;
  unit: string;
  output: string | null;
}
interface Probe {
  status: Verdict;
  checks: Check[];
}

const rank: Record<Verdict, number> = { fail: 0, warn: 1, pass: 2 };
const toneOf: Record<Verdict, Tone> = { pass: "good", warn: "warn", fail: "bad" };
const wordOf: Record<Verdict, string> = { pass: "good", warn: "look at it", fail: "fails" };

type Raw = { status?: Verdict; checks?: Record<string, { observedValue?: number; observedUnit?: string; status?: Verdict; output?: string }[]> };

export function readProbe(raw: Raw): Probe {
  const checks = Object.entries(raw.checks ?? {}).map(([name, [first]]) => ({
    name,
    status: first?.status ?? "warn",
    value: first?.observedValue ?? null,
    unit: first?.observedUnit ?? "",
    output: first?.output ?? null,
  }));
  checks.sort((a, b) => rank[a.status] - rank[b.status] || (a.name < b.name ? -1 : 1));
  return { status: raw.status ?? "fail", checks };
}

async function probe(signal: AbortSignal): Promise<Probe> {
  let response: Response;
  try {
    response = await fetch("/health", { signal, headers: { accept: "application/health+json, application/json" } });
  } catch (why) {
    if (signal.aborted) throw why;
    throw new Problem({ title: "The node does not answer", fix: "It may be restarting; this page asks again by itself" });
  }
  if (response.status !== 200 && response.status !== 503) throw new Problem({ title: `/health answered ${response.status}` });
  return readProbe((await response.json()) as Raw); // 503: something fails, and it says what
}

function useProbe(everyMs: number) {
  const [now, setNow] = useState<{ data?: Probe; error?: unknown }>({});
  const [tried, setTried] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const look = () =>
      document.hidden ||
      probe(stop.signal).then(
        (data) => stop.signal.aborted || setNow({ data }),
        (error: unknown) => stop.signal.aborted || setNow((was) => ({ ...was, error })),
      );
    void look();
    const timer = setInterval(() => void look(), everyMs);
    return () => (clearInterval(timer), stop.abort());
  }, [everyMs, tried]);
  return { ...now, reload: () => setTried((n) => n + 1) };
}

// ---- GET /status: what `ringdown status` shows ----

interface Status {
  node: string;
  version: string;
  uptime_s: number;
  calls: number;
  max_calls: number;
  draining: boolean;
  force: string;
  script_queue: number;
  script_threads: number;
  vms: number;
  database: { shipping: boolean; private: boolean; error: string };
  journal: { waiting: number; kept: number; dead: number; lost: number; oldest_age_ms: number; disk: string; append_p99_us: number };
  media_threads: { calls: number; lag_worst_us: number; warm: number }[];
  targets: { name: string; state: string; why: string; worked: number; failed: number; refused: number }[];
}

const nodeTone: Record<Node["state"], Tone> = { live: "good", draining: "warn", lost: "bad", stopped: "quiet" };

async function drain(node: Node, reload: () => void): Promise<void> {
  const calls = node.calls ?? 0;
  const yes = await confirm({
    title: `Drain ${node.node}?`,
    what: (
      <>
        <p>
          {node.node} on {node.host} takes no new call from now on{calls ? ` and keeps the ${f.plural(calls, "call")} it has until they end` : ""}. It goes on so until somebody has it take calls again, or its process ends.
        </p>
        <p class="remedy">If it is the only node, new callers get their number’s fallback until then.</p>
      </>
    ),
    verb: `Drain ${node.node}`,
    type: node.node,
  });
  if (!yes) return;
  await ask("POST /nodes/{node}/drain", { path: { node: node.node } });
  toast.say(`${node.node} takes no new calls.`, { name: "Undo", run: () => void letIn(node, reload).catch(toast.problem) });
  reload();
}

async function letIn(node: Node, reload: () => void): Promise<void> {
  try {
    await ask("DELETE /nodes/{node}/drain", { path: { node: node.node } });
    toast.say(`${node.node} takes new calls again.`);
  } finally {
    reload(); // somebody else may have done it, or ended it
  }
}

async function undrain(node: Node, reload: () => void): Promise<void> {
  const yes = await confirm({ title: `Have ${node.node} take new calls again?`, what: `${node.node} on ${node.host} drains now: new callers get another node, or their number’s fallback. From then on it answers them again.`, verb: "Take calls again", danger: false });
  if (yes) await letIn(node, reload);
}

function Nodes({ own, reload }: { own: Status | undefined; reload: () => void }) {
  const may = useMay()("POST /nodes/{node}/drain");
  const answers = own?.node ?? null;
  const nodes = useApi("GET /nodes", {}, { everyMs: 5000 });
  const again = () => (nodes.reload(), reload());
  const columns: Column<Node>[] = [
    {
      key: "node",
      head: "Node",
      cell: (n) => (
        <>
          <b>{n.node}</b>
          {n.leader ? <span class="about"> leads</span> : null}
          {n.node === answers && n.state !== "stopped" ? <span class="about"> answers here</span> : null}
        </>
      ),
      sort: (n) => n.node,
    },
    { key: "state", head: "State", cell: (n) => <Badge tone={nodeTone[n.state]}>{n.state}</Badge>, sort: (n) => n.state },
    { key: "calls", head: "Calls", align: "right", cell: (n) => <Count value={n.state === "stopped" ? null : n.calls} />, sort: (n) => n.calls },
    { key: "left", head: "Left behind", align: "right", title: "calls that it did not end", cell: (n) => <Count value={n.left_open} />, sort: (n) => n.left_open },
    { key: "version", head: "Version", cell: (n) => n.version ?? f.UNKNOWN, sort: (n) => n.version },
    { key: "agents", head: "Agents", title: "the hash of all agents' files", cell: (n) => <Code>{n.agents ? n.agents.slice(0, 12) : f.UNKNOWN}</Code>, sort: (n) => n.agents },
    { key: "host", head: "Host", cell: (n) => `${n.host ?? f.UNKNOWN}, ${n.pid ?? f.UNKNOWN}`, sort: (n) => n.host },
    { key: "started", head: "Started", cell: (n) => <Time at={n.started_at} />, sort: (n) => n.started_at },
    { key: "seen", head: "Seen", cell: (n) => <Time at={n.seen_at} relative />, sort: (n) => n.seen_at },
  ];
  if (may)
    columns.push({
      key: "do",
      head: "",
      align: "right",
      cell: (n) =>
        n.node !== answers || (n.state !== "live" && n.state !== "draining") ? null : own?.draining ? (
          <Button onClick={() => undrain(n, again)}>Take calls again…</Button>
        ) : (
          <Button kind="danger" onClick={() => drain(n, again)}>
            Drain…
          </Button>
        ),
    });
  return (
    <Panel title="Nodes of the last day" flush>
      <Shown of={nodes}>
        {(data) => {
          const trees = new Set(data.items.filter((n) => n.state === "live").map((n) => n.agents));
          return (
            <>
              {trees.size > 1 ? <p class="stale">Live nodes have different agents’ files. ringdown agents publish makes one set of files everybody’s.</p> : null}
              <Table
                caption="Nodes of the last day"
                columns={columns}
                rows={data.items}
                rowKey={(n) => `${n.node}.${n.process}`}
                rowClass={(n) => (n.state === "lost" ? "bad" : n.state === "stopped" ? "faint" : null)}
                empty={<Empty remedy="Without PostgreSQL a node does not know of others.">No node has said anything in the last day.</Empty>}
              />
            </>
          );
        }}
      </Shown>
    </Panel>
  );
}

const alarmColumns: Column<Alarm>[] = [
  { key: "severity", head: "Severity", cell: (a) => <Badge tone={a.severity === "critical" ? "bad" : "warn"}>{a.severity}</Badge>, sort: (a) => a.severity },
  { key: "kind", head: "What", cell: (a) => <Code>{a.kind}</Code>, sort: (a) => a.kind },
  {
    key: "text",
    head: "In words, and what to do",
    prose: true,
    cell: (a) => (
      <>
        {a.subject ? <b>{a.subject}: </b> : null}
        {a.text}
        {a.fix ? <div class="about">{a.fix}</div> : null}
      </>
    ),
  },
  { key: "node", head: "Node", cell: (a) => a.node, sort: (a) => a.node },
  { key: "count", head: "Times", align: "right", cell: (a) => <Count value={a.count} />, sort: (a) => a.count },
  { key: "opened", head: "Since", cell: (a) => <Time at={a.opened_at} />, sort: (a) => a.opened_at },
];

function Alarms() {
  const alarms = useApi("GET /alarms", { query: { open: true, limit: 100 } }, { everyMs: 15_000, on: (fact) => fact.type === "alarm" });
  return (
    <Panel title="Open alarms" flush>
      <Shown of={alarms}>
        {(data) => (
          <Table
            caption="Open alarms"
            columns={alarmColumns}
            rows={data.items}
            rowKey={(a) => a.id}
            rowClass={(a) => (a.severity === "critical" ? "bad" : "warn")}
            empty={<Empty>No alarm is open.</Empty>}
          />
        )}
      </Shown>
    </Panel>
  );
}

/** "journal:age", 1200, "ms" -> "1.2 s" */
function observed(check: Check) {
  if (check.unit === "ms") return <Duration ms={check.value} />;
  if (check.unit === "s") return <Duration ms={check.value === null ? null : check.value * 1000} />;
  if (check.unit === "percent") return <Count value={check.value} unit="%" />;
  if (check.unit === "errors") return check.value ? <Count value={check.value} unit="errors" /> : <span class="about">no errors</span>;
  return <Count value={check.value} unit={check.unit} />;
}

const checkColumns: Column<Check>[] = [
  { key: "name", head: "Component", cell: (c) => c.name.replace(":", ": "), sort: (c) => c.name },
  { key: "state", head: "State", cell: (c) => <Badge tone={toneOf[c.status]}>{wordOf[c.status]}</Badge>, sort: (c) => rank[c.status] },
  { key: "value", head: "Observed", align: "right", cell: observed },
  { key: "output", head: "Why", prose: true, cell: (c) => c.output ?? "" },
];

/** What is not good in a table, with why; what is good in as little room as it needs. */
function Checks({ of }: { of: Check[] }) {
  const bad = of.filter((c) => c.status !== "pass");
  const good = of.filter((c) => c.status === "pass");
  return (
    <>
      {bad.length > 0 ? (
        <Table caption="Components that are not good" columns={checkColumns} rows={bad} rowKey={(c) => c.name} rowClass={(c) => (c.status === "fail" ? "bad" : "warn")} />
      ) : null}
      <ul class="checks" aria-label={`${good.length} of ${of.length} components are good`}>
        {good.map((c) => (
          <li key={c.name}>
            <span class="good-lamp" aria-hidden="true" />
            <span class="checks-name">{c.name.replace(":", ": ")}</span>
            {c.unit === "errors" || (c.name === "certificate:expiry" && !c.value) ? null : observed(c)}
            <span class="hidden">good</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Components({ of }: { of: ReturnType<typeof useProbe> }) {
  return (
    <Panel title="Components of this node" flush>
      {of.data === undefined ? (
        of.error ? (
          <Failed why={of.error} again={of.reload} />
        ) : (
          <Loading />
        )
      ) : (
        <>
          {of.error ? <Stale why={asProblem(of.error)} again={of.reload} /> : null}
          <Checks of={of.data.checks} />
        </>
      )}
    </Panel>
  );
}

function Inside({ of }: { of: Status }) {
  const j = of.journal;
  return (
    <Panel title={`Inside ${of.node}`}>
      <Facts
        rows={[
          ["New calls", of.draining ? <Badge tone="warn">refused: it drains</Badge> : of.force ? <Badge tone="warn">all to {of.force}: the force switch is on</Badge> : <Badge tone="good">taken</Badge>],
          [
            "Database",
            of.database.error ? (
              <Badge tone="bad" title={of.database.error}>
                away: {of.database.error}
              </Badge>
            ) : (
              <Badge tone="good">{of.database.private ? "its own, answers" : "answers"}</Badge>
            ),
          ],
          ["Journal", `${f.plural(j.waiting, "fact")} waiting${j.waiting ? `, the oldest for ${f.duration(j.oldest_age_ms)}` : ""}; written in ${f.count(j.append_p99_us / 1000, 1)} ms (p99)${j.disk ? `; ${j.disk}` : ""}`],
          j.dead || j.lost ? ["Facts given up", <Badge tone="bad">{`${f.count(j.dead)} dead, ${f.count(j.lost)} lost`}</Badge>] : null,
          ["Media threads", of.media_threads.map((t, i) => `${i + 1}: ${f.plural(t.calls, "call")}, ${t.warm} warm, late by ${f.count(t.lag_worst_us / 1000, 1)} ms at worst`).join("; ")],
          ["Script threads", `${f.count(of.script_threads)}, ${f.plural(of.vms, "VM")}, ${f.count(of.script_queue)} in the queue`],
          ...of.targets.map((t): [string, ComponentChildren] => [
            `Way to ${t.name}`,
            <Badge key={t.name} tone={t.state === "closed" ? "good" : t.state === "open" ? "bad" : "warn"} title={t.why || undefined}>
              {t.state === "closed" ? "open for calls" : t.state === "open" ? `cut${t.why ? `: ${t.why}` : ""}` : "being tried"}
            </Badge>,
          ]),
        ]}
      />
    </Panel>
  );
}

export default function Health() {
  const status = useApi("GET /status", {}, { everyMs: 5000 });
  const health = useProbe(15_000);
  const now = status.data as unknown as Status | undefined;
  return (
    <Page title="Health" about={now ? `asked of ${now.node}, version ${now.version}` : null}>
      <Shown of={status}>
        {() => (
          <Figures
            of={[
              { name: "This node", value: health.data ? <Badge tone={toneOf[health.data.status]}>{wordOf[health.data.status]}</Badge> : f.UNKNOWN, about: now!.draining ? "drains" : "takes calls" },
              { name: "Calls", value: <Count value={now!.calls} />, about: `of at most ${f.count(now!.max_calls)}`, href: "/live" },
              { name: "Up for", value: f.duration(now!.uptime_s * 1000) },
              { name: "Journal", value: <Count value={now!.journal.waiting} />, about: now!.journal.waiting ? `oldest ${f.duration(now!.journal.oldest_age_ms)}` : "facts waiting for the database" },
              { name: "Late at worst", value: `${f.count(Math.max(0, ...now!.media_threads.map((t) => t.lag_worst_us)) / 1000, 1)} ms`, about: "a media thread, lately" },
            ]}
          />
        )}
      </Shown>
      <Nodes own={now} reload={status.reload} />
      <Alarms />
      <div class="columns">
        {now ? <Inside of={now} /> : null}
        <Components of={health} />
      </div>
    </Page>
  );
}
