// SPDX-License-Identifier: Apache-2.0
// agents - who answers: what each is made of, its versions, files that do not load (with their lines), and the
// releases of all agents' files: what differs, publishing, and the way back.
import { sayWho } from "../api/changed";
import { ask } from "../api/client";
import type { Agent, Release } from "../api/types";
import { useApi } from "../api/use";
import type { PageProps } from "../pages";
import { to, useQuery } from "../state/router";
import { useMay, useMe } from "../state/session";
import { Button, CopyButton, Pager, Tabs } from "../ui/controls";
import { preview } from "../ui/dialog";
import { Diff } from "../ui/diff";
import * as f from "../ui/format";
import { Empty } from "../ui/states";
import { Table, type Column } from "../ui/table";
import { toast } from "../ui/toast";
import { Badge, Code, Count, Phone, Time } from "../ui/values";
import { Facts, Page, Panel, Shown } from "../ui/view";

const short = (version: string | null | undefined) => (version ? version.slice(0, 12) : f.UNKNOWN);

// ---- publishing, which is also the way back ----

interface Wish {
  title: string;
  which: string; // a release's number, or an agent's version
  verb: string;
  current: string; // the release that was seen: "0" when there is none
  done: () => void;
}

async function publish(wish: Wish): Promise<void> {
  let before: string | null = null;
  let made: string | null = null;
  const ifMatch = `"${wish.current}"`;
  const written = await preview({
    title: wish.title,
    verb: wish.verb,
    reason: "optional",
    load: async (signal) => {
      const { data } = await sayWho(ask("POST /agents/releases", { body: { which: wish.which, dry_run: true }, ifMatch, signal }), wish.done);
      return {
        summary: data.next_call,
        nothing: !data.changed,
        changes: data.changed ? [{ what: "Current release", before: data.before ? `release ${data.before}` : "none", after: /^\d{1,9}$/.test(wish.which) ? `a new one, with the files of release ${wish.which}` : "a new one, with these files" }] : [],
        more: data.diff ? <Diff of={data.diff} /> : null,
      };
    },
    commit: async (_plan, note) => {
      const { data } = await sayWho(ask("POST /agents/releases", { body: { which: wish.which, ...(note ? { note } : {}) }, ifMatch }), wish.done);
      before = data.before;
      made = data.release;
    },
  });
  if (!written) return;
  const back = before as string | null;
  const now = made as string | null;
  toast.say(
    `Release ${now} is current.`,
    back && now ? { name: "Undo", run: () => void publish({ title: `Back to release ${back}?`, which: back, verb: `Restore release ${back}`, current: now, done: wish.done }) } : undefined,
  );
  wish.done();
}

// ---- all of them ----

function Errors() {
  const errors = useApi("GET /agents/errors", {}, { everyMs: 10_000 });
  return (
    <Panel title="Files that do not load">
      <Shown of={errors}>
        {(data) =>
          data.items.length === 0 ? (
            <Empty>Every file loads.</Empty>
          ) : (
            <>
              {data.items.map((e) => (
                <section key={e.module} class="broken-file">
                  <h3>
                    <Code>{e.module}</Code>{" "}
                    {e.version ? <Badge tone="warn">its version {short(e.version)} answers meanwhile</Badge> : <Badge tone="bad">nobody answers for it</Badge>}
                  </h3>
                  <pre class="lines" tabIndex={0} aria-label={`What is wrong with ${e.module}`}>
                    {e.lines}
                  </pre>
                </section>
              ))}
              <p class="about">Mend the file and save it: the node loads it anew by itself.</p>
            </>
          )
        }
      </Shown>
    </Panel>
  );
}

const agentColumns: Column<Agent>[] = [
  { key: "agent", head: "Agent", cell: (a) => a.agent, sort: (a) => a.agent },
  {
    key: "numbers",
    head: "Numbers in its file",
    cell: (a) => (a.numbers.length ? a.numbers.slice(0, 3).join(", ") + (a.numbers.length > 3 ? ` and ${a.numbers.length - 3} more` : "") : f.UNKNOWN),
    sort: (a) => a.numbers.length,
  },
  { key: "version", head: "Version", cell: (a) => <Code>{short(a.version)}</Code>, sort: (a) => a.version },
  { key: "warnings", head: "Warnings", cell: (a) => (a.warnings ? <Badge tone="warn" title={a.warnings}>{f.plural(a.warnings.trim().split("\n").length, "warning")}</Badge> : <span class="about">none</span>) },
];

const places = (all: boolean) => [{ href: "/agents", name: "Agents" }, ...(all ? [{ href: "/agents/releases", name: "Releases" }] : [])];

function List() {
  const may = useMay();
  const all = may("GET /agents/releases");
  const agents = useApi("GET /agents", {}, { everyMs: 10_000 });
  const broken = (agents.data?.errors ?? 0) > 0;
  return (
    <Page title="Agents" about="those of the node that answers here">
      <Tabs label="Agents" of={places(all)} />
      {broken && may("GET /agents/errors") ? <Errors /> : null}
      <Panel title="Agents" flush>
        <Shown of={agents}>
          {(data) => (
            <Table
              caption="Agents"
              columns={agentColumns}
              rows={data.items}
              rowKey={(a) => a.agent}
              href={(a) => to("agents", a.agent)}
              rowClass={(a) => (a.warnings ? "warn" : null)}
              empty={<Empty remedy="Each .lua file in the folder of agents is one; docs/agents.md shows how to write it.">This node has no agent.</Empty>}
            />
          )}
        </Shown>
      </Panel>
      {!broken && may("GET /agents/errors") ? <p class="about">Every file loads.</p> : null}
    </Page>
  );
}

// ---- one ----

interface ShownAgent {
  name: string;
  prompt?: string;
  opening?: string;
  hours?: string;
  time_zone?: string;
  languages?: string[];
  model?: string;
  record?: boolean;
  numbers?: string[];
  people?: Record<string, string[]>;
  limits?: Record<string, number>;
  needs?: { hosts?: string[]; secrets?: string[] };
  tools?: { name: string; about?: string; effect?: string; timeout_ms?: number; args?: string[] }[];
  emergencies?: { id: string; severity: string; transfer?: string }[];
  hooks?: string[];
}

const arrayOf = <T,>(value: unknown): T[] => (Array.isArray(value) ? (value as T[]) : []);

const toolColumns: Column<NonNullable<ShownAgent["tools"]>[number]>[] = [
  { key: "name", head: "Tool", cell: (t) => <Code>{t.name}</Code>, sort: (t) => t.name },
  { key: "effect", head: "Effect", cell: (t) => t.effect ?? f.UNKNOWN, sort: (t) => t.effect },
  { key: "timeout", head: "At most", align: "right", cell: (t) => f.duration(t.timeout_ms), sort: (t) => t.timeout_ms },
  { key: "args", head: "Takes", cell: (t) => arrayOf<string>(t.args).join(", ") || f.UNKNOWN },
  { key: "about", head: "What the model is told of it", prose: true, cell: (t) => t.about ?? "" },
];

const ruleColumns: Column<NonNullable<ShownAgent["emergencies"]>[number]>[] = [
  { key: "id", head: "Rule", cell: (e) => <Code>{e.id}</Code>, sort: (e) => e.id },
  { key: "severity", head: "Severity", cell: (e) => e.severity, sort: (e) => e.severity },
  { key: "transfer", head: "Handed to", cell: (e) => e.transfer ?? f.UNKNOWN },
];

function Versions({ agent }: { agent: string }) {
  const may = useMay();
  const mayPublish = may("POST /agents/releases");
  const sees = may("GET /agents/releases");
  const versions = useApi("GET /agents/{agent}/versions", { path: { agent } });
  const releases = useApi("GET /agents/releases", sees ? { query: { limit: 1 } } : null);
  type Version = NonNullable<typeof versions.data>["items"][number];
  const current = releases.data ? (releases.data.items[0]?.id ?? "0") : null;
  const columns: Column<Version>[] = [
    { key: "version", head: "Version", cell: (v) => <Code>{short(v.version)}</Code> },
    { key: "state", head: "State", cell: (v) => (v.current ? <Badge tone="good">answers here</Badge> : <span class="about">before</span>) },
    { key: "first", head: "First call", cell: (v) => <Time at={v.first_seen_at} />, sort: (v) => v.first_seen_at },
    { key: "last", head: "Last call", cell: (v) => <Time at={v.last_seen_at} />, sort: (v) => v.last_seen_at },
  ];
  if (mayPublish && current !== null)
    columns.push({
      key: "do",
      head: "",
      align: "right",
      cell: (v) => (
        <Button
          title={`Publish the files of version ${v.version}`}
          onClick={() => publish({ title: `Publish the files of ${agent}, version ${short(v.version)}?`, which: v.version, verb: "Publish", current, done: () => (versions.reload(), releases.reload()) })}
        >
          Publish…
        </Button>
      ),
    });
  return (
    <Panel title="Versions that took calls" flush>
      <Shown of={versions}>{(data) => <Table caption={`Versions of ${agent}`} columns={columns} rows={data.items} rowKey={(v) => v.version} empty={<Empty>No version has taken a call yet.</Empty>} />}</Shown>
    </Panel>
  );
}

function One({ agent }: { agent: string }) {
  const shown = useApi("GET /agents/{agent}", { path: { agent } });
  return (
    <Page title={agent} about={<a href="/agents">all agents</a>} actions={<a class="button" href={to("rollout", agent)}>Its rollout</a>}>
      <Shown of={shown}>
        {(data) => {
          const a = data as unknown as ShownAgent;
          const rules = arrayOf<NonNullable<ShownAgent["emergencies"]>[number]>(a.emergencies);
          const tools = arrayOf<NonNullable<ShownAgent["tools"]>[number]>(a.tools);
          return (
            <>
              <div class="columns">
                <Panel title="What it is">
                  <Facts
                    rows={[
                      ["Version", <Code>{(shown.etag ?? "").replaceAll('"', "") || f.UNKNOWN}</Code>],
                      ["Numbers", arrayOf<string>(a.numbers).length ? arrayOf<string>(a.numbers).map((n) => <><Phone number={n} /> </>) : f.UNKNOWN],
                      ["Languages", arrayOf<string>(a.languages).join(", ") || f.UNKNOWN],
                      ["Hours", a.hours ? `${a.hours} (${a.time_zone ?? "its zone"})` : f.UNKNOWN],
                      ["Model", a.model || "that of the settings"],
                      ["Recorded", a.record ? "yes" : "no"],
                      ["A call lasts", a.limits?.max_call_ms ? `at most ${f.duration(a.limits.max_call_ms)}` : f.UNKNOWN],
                      ["Hosts", arrayOf<string>(a.needs?.hosts).join(", ") || "none"],
                      ["Secrets", arrayOf<string>(a.needs?.secrets).join(", ") || "none"],
                      ...Object.entries(a.people ?? {}).map(([name, list]): [string, string] => [f.words(name), arrayOf<string>(list).join(", ")]),
                    ]}
                  />
                </Panel>
                <Panel title="Emergencies" flush>
                  <Table caption="Rules of emergencies" columns={ruleColumns} rows={rules} rowKey={(e) => e.id} empty={<Empty>It has no rules for emergencies.</Empty>} />
                </Panel>
              </div>
              <Panel title="Tools" flush>
                <Table caption="Tools" columns={toolColumns} rows={tools} rowKey={(t) => t.name} empty={<Empty>It has no tools.</Empty>} />
              </Panel>
              {a.opening ? <Panel title="First words"><p>{a.opening}</p></Panel> : null}
              <Panel title="Prompt, as a call would have it now" actions={a.prompt ? <CopyButton text={a.prompt} /> : null} flush>
                <pre class="lines" tabIndex={0} aria-label="Prompt">{a.prompt ?? f.UNKNOWN}</pre>
              </Panel>
            </>
          );
        }}
      </Shown>
      <Versions agent={agent} />
    </Page>
  );
}

// ---- releases ----

function Releases() {
  const [query, change] = useQuery();
  const mayPublish = useMay()("POST /agents/releases");
  const releases = useApi("GET /agents/releases", { query: { cursor: query.get("cursor") ?? undefined, limit: 50 } }, { everyMs: 15_000 });
  const newest = useApi("GET /agents/releases", { query: { limit: 1 } }, { everyMs: 15_000 });
  const from = query.get("from");
  const until = query.get("to");
  const diff = useApi("GET /agents/releases/diff", from && until ? { query: { from, to: until } } : null);
  const current = newest.data ? (newest.data.items[0]?.id ?? "0") : null;
  const done = () => (releases.reload(), newest.reload());
  const columns: Column<Release>[] = [
    { key: "id", head: "Release", align: "right", cell: (r) => <Count value={Number(r.id)} /> },
    { key: "state", head: "State", cell: (r) => (r.current ? <Badge tone="good">current</Badge> : r.restores ? <span class="about">restored {r.restores}</span> : null) },
    { key: "at", head: "Published", cell: (r) => <Time at={r.at} />, sort: (r) => r.at },
    { key: "by", head: "By", cell: (r) => r.published_by, sort: (r) => r.published_by },
    { key: "note", head: "Note", wide: true, cell: (r) => r.note ?? "" },
    { key: "agents", head: "Agents", cell: (r) => f.plural(Object.keys(r.agents).length, "agent"), sort: (r) => Object.keys(r.agents).length },
    {
      key: "compare",
      head: "",
      align: "right",
      cell: (r) =>
        r.current || !current || current === "0" ? null : (
          <Button title={`What differs between release ${r.id} and the current one`} onClick={() => change({ from: r.id, to: current, cursor: query.get("cursor") })}>
            Compare
          </Button>
        ),
    },
  ];
  if (mayPublish && current !== null)
    columns.push({
      key: "do",
      head: "",
      align: "right",
      cell: (r) =>
        r.current ? null : (
          <Button title={`Restore release ${r.id}`} onClick={() => publish({ title: `Restore the files of release ${r.id}?`, which: r.id, verb: `Restore release ${r.id}`, current, done })}>
            Restore…
          </Button>
        ),
    });
  return (
    <Page title="Agents" about="releases of all agents’ files">
      <Tabs label="Agents" of={places(true)} />
      {from && until ? (
        <Panel title={`From release ${from} to ${until}`} actions={<Button onClick={() => change({ from: null, to: null })}>Close</Button>}>
          <Shown of={diff}>{(data) => <Diff of={data} />}</Shown>
        </Panel>
      ) : null}
      <Panel title="Releases" flush>
        <Shown of={releases}>
          {(data) => (
            <>
              <Table
                caption="Releases of agents’ files"
                columns={columns}
                rows={data.items}
                rowKey={(r) => r.id}
                empty={<Empty remedy="ringdown agents publish makes one; so does Publish… at a version of an agent. Nodes with agents.source = “database” follow it.">Nothing was published yet.</Empty>}
              />
              <Pager next={data.next} shown={data.items.length} what="releases" />
            </>
          )}
        </Shown>
      </Panel>
    </Page>
  );
}

export default function Agents({ rest }: PageProps) {
  const me = useMe();
  const name = rest[0];
  if (name === "releases" && !me.agents) return <Releases />;
  return name ? <One key={name} agent={name} /> : <List />;
}
