// SPDX-License-Identifier: Apache-2.0
// emergencies - what callers said, which rule it was, what was done, who took it; and, under near misses, what only
// sounded like one: a person says whether it was, and gets the lines for the agent's spec that keep it so.
import type { ComponentChildren } from "preact";
import { ask, type Query } from "../api/client";
import type { Emergency, NearMiss } from "../api/types";
import { useApi } from "../api/use";
import type { PageProps } from "../pages";
import { to, useQuery } from "../state/router";
import { present } from "../state/present";
import { useMay } from "../state/session";
import { Button, CopyButton, Filters, Pager, Tabs } from "../ui/controls";
import { confirm, preview } from "../ui/dialog";
import * as f from "../ui/format";
import { useAgentNames } from "../ui/scope";
import { Empty } from "../ui/states";
import { Table, type Column } from "../ui/table";
import { toast } from "../ui/toast";
import { Badge, Duration, Phone, Since, Time, type Tone } from "../ui/values";
import { Facts, Page, Panel, Shown } from "../ui/view";

const triage = (fact: { type: string }) => fact.type.startsWith("triage");

const stateTones: Record<Emergency["state"], Tone> = { open: "bad", abandoned: "warn", handled: "good", recorded: "quiet" };
const stateWords: Record<Emergency["state"], string> = { open: "nobody has it", abandoned: "abandoned", handled: "taken", recorded: "recorded only" };

function State({ of }: { of: Emergency }) {
  return <Badge tone={stateTones[of.state]}>{stateWords[of.state]}</Badge>;
}

/** How long it took until somebody had it; of an open one, how long it is. */
function Took({ of }: { of: Emergency }) {
  if (of.state === "open") return <Since at={of.matched_at} />;
  return <Duration ms={of.seconds === null ? null : of.seconds * 1000} />;
}

const columns: Column<Emergency>[] = [
  { key: "at", head: "Heard", cell: (e) => <Time at={e.matched_at} precision="second" />, sort: (e) => e.matched_at },
  { key: "state", head: "State", cell: (e) => <State of={e} />, sort: (e) => e.state },
  { key: "rule", head: "Rule", cell: (e) => <span class="nowrap">{f.words(e.rule)}</span>, sort: (e) => e.rule },
  { key: "severity", head: "Severity", cell: (e) => e.severity ?? f.UNKNOWN, sort: (e) => e.severity },
  { key: "words", head: "What the caller said", wide: true, cell: (e) => e.words ?? f.UNKNOWN },
  { key: "from", head: "Caller", cell: (e) => <Phone number={e.from} /> },
  { key: "agent", head: "Agent", cell: (e) => <span class="nowrap">{e.agent ?? f.UNKNOWN}</span>, sort: (e) => e.agent },
  { key: "by", head: "Taken by", cell: (e) => e.handled_by ?? f.UNKNOWN, sort: (e) => e.handled_by },
  { key: "took", head: "After", align: "right", cell: (e) => <Took of={e} />, sort: (e) => e.seconds },
];

const named = (...names: string[]) => names.map((value) => ({ value, name: f.words(value) }));

const useAgents = () => useAgentNames().map((value) => ({ value, name: value }));

function Frame({ children, about }: { children: ComponentChildren; about?: string }) {
  return (
    <Page title="Emergencies" about={about}>
      <Tabs label="Emergencies" of={[{ href: "/emergencies", name: "Emergencies" }, { href: "/emergencies/near-misses", name: "Near misses" }]} />
      {children}
    </Page>
  );
}

/** The named ones of the address, as the API takes them. */
function taken(query: URLSearchParams, ...names: string[]): Record<string, string> {
  return Object.fromEntries([...names, "cursor"].flatMap((name) => (query.get(name) ? [[name, query.get(name)!]] : [])));
}

function List() {
  const [query] = useQuery();
  const asked = { ...taken(query, "agent", "state", "severity", "since"), limit: 50 } as Query<"GET /emergencies">;
  const emergencies = useApi("GET /emergencies", { query: asked }, { on: triage });
  const agents = useAgents();
  const some = ["agent", "state", "severity", "since", "cursor"].some((name) => query.get(name));
  return (
    <Frame about="newest first">
      <Filters
        of={[
          { name: "state", label: "State", type: "select", options: (Object.keys(stateWords) as Emergency["state"][]).map((value) => ({ value, name: stateWords[value] })) },
          { name: "severity", label: "Severity", type: "select", options: named("life", "urgent", "normal") },
          { name: "agent", label: "Agent", type: "select", options: agents },
          ...(query.get("since") ? [{ name: "since", label: "Since (UTC)", type: "text" as const }] : []),
        ]}
      />
      <Panel flush>
        <Shown of={emergencies}>
          {(data) => (
            <>
              <Table
                caption="Emergencies"
                columns={columns}
                rows={data.items}
                rowKey={(e) => `${e.call} ${e.rule}`}
                href={(e) => to("emergencies", e.call, e.rule)}
                rowClass={(e) => (e.state === "open" ? "bad" : e.state === "abandoned" ? "warn" : null)}
                empty={<Empty remedy={some ? "Clear the filters to see all." : "Rules stand in the agent's file (emergencies); ringdown emergencies drill rehearses one."}>{some ? "No emergency fits these filters." : "There was no emergency yet."}</Empty>}
              />
              <Pager next={data.next} shown={data.items.length} what="emergencies" />
            </>
          )}
        </Shown>
      </Panel>
    </Frame>
  );
}

type Step = Emergency["steps"][number];
const stepTones: Record<string, Tone> = { confirmed: "good", answered: "good", failed: "bad", refused: "warn", no_answer: "warn" };

const stepColumns: Column<Step>[] = [
  { key: "step", head: "Step", cell: (s) => f.count(s.step) },
  { key: "at", head: "At", cell: (s) => <Time at={s.at} precision="second" /> },
  { key: "kind", head: "What", cell: (s) => f.words(s.kind) },
  { key: "target", head: "To", cell: (s) => (s.target ? <Phone number={s.target} /> : "") },
  { key: "state", head: "Came to", cell: (s) => <Badge tone={stepTones[s.state] ?? "quiet"}>{f.words(s.state)}</Badge> },
  { key: "detail", head: "Told", prose: true, cell: (s) => s.detail },
];

async function takeBack(of: Emergency, done: () => void): Promise<void> {
  const { data } = await ask("DELETE /emergencies/{call}/{rule}/confirm", { path: { call: of.call, rule: of.rule } });
  toast.say(data.next_call);
  done();
}

function TakeBack({ of, done }: { of: Emergency; done: () => void }) {
  const press = async () => {
    const yes = await confirm({
      title: `Is ${f.words(of.rule)} of ${of.from ?? of.call} not taken after all?`,
      what: `That ${of.handled_by ?? "somebody"} has it is taken back. It is open again; when it is about life and of today, its people are rung and texted anew.`,
      verb: "It is not taken",
    });
    if (yes) await takeBack(of, done);
  };
  return <Button onClick={press}>Take back…</Button>;
}

function Confirm({ of, done }: { of: Emergency; done: () => void }) {
  const press = async () => {
    const yes = await confirm({
      title: `Have you taken ${f.words(of.rule)} of ${of.from ?? of.call}?`,
      what: "Nobody is rung or texted about it any more, and those who were asked are told that you have it. Confirm only what you look after.",
      verb: "I have it",
      danger: false,
    });
    if (!yes) return;
    const { data } = await ask("POST /emergencies/{call}/{rule}/confirm", { path: { call: of.call, rule: of.rule } });
    if (data.changed) toast.say(`It is yours. ${data.next_call}`, { name: "Undo", run: () => void takeBack(of, done).catch(toast.problem) });
    else toast.say(`${data.handled_by} had taken it before, ${f.ago(new Date(data.handled_at), present())}.`);
    done();
  };
  return (
    <Button kind="primary" onClick={press}>
      Confirm…
    </Button>
  );
}

function One({ call, rule }: { call: string; rule: string }) {
  const one = useApi("GET /emergencies/{call}/{rule}", { path: { call, rule } }, { on: (fact) => fact.call === call && triage(fact) });
  const may = useMay();
  const e = one.data;
  return (
    <Page
      title={`Emergency: ${f.words(rule)}`}
      about={e ? <>{e.agent ?? "no agent"}, {e.severity === "life" ? "about life" : (e.severity ?? "without a severity")}</> : null}
      actions={
        <>
          {e && (e.state === "open" || e.state === "abandoned") && may("POST /emergencies/{call}/{rule}/confirm") ? <Confirm of={e} done={one.reload} /> : null}
          {e && e.state === "handled" && e.at_desk && may("DELETE /emergencies/{call}/{rule}/confirm") ? <TakeBack of={e} done={one.reload} /> : null}
          <a class="button" href="/emergencies">
            All emergencies
          </a>
        </>
      }
    >
      <Shown of={one}>
        {(of) => (
          <>
            <blockquote class="quote">{of.words ?? "What the caller said is not kept any more."}</blockquote>
            <div class="columns">
              <Panel title="What became of it">
                <Facts
                  rows={[
                    ["State", <State of={of} />],
                    ["Heard", <Time at={of.matched_at} precision="second" named />],
                    of.state === "open"
                      ? ["Waiting for", <Since at={of.matched_at} />]
                      : ["Taken", of.handled_at ? <><Time at={of.handled_at} precision="second" named />, after <Took of={of} /></> : f.UNKNOWN],
                    of.state === "open" ? null : ["By", of.handled_by ?? f.UNKNOWN],
                  ]}
                />
              </Panel>
              <Panel title="Who and where">
                <Facts
                  rows={[
                    ["Caller", <Phone number={of.from} />],
                    ["Called", <Phone number={of.to} />],
                    ["Found by", { rule: "the rule", model: "the model, which reported it", provider: "the provider" }[of.source]],
                    ["Call", <a href={to("calls", of.call)}>{of.call}</a>],
                  ]}
                />
              </Panel>
            </div>
            <Panel title="What was done" flush>
              <Table caption="Steps" columns={stepColumns} rows={of.steps} rowKey={(s) => `${s.step} ${s.state} ${s.at}`} empty={<Empty>{of.state === "recorded" ? "Nothing: it is not about life, and is only recorded." : "Nothing yet."}</Empty>} />
            </Panel>
          </>
        )}
      </Shown>
    </Page>
  );
}

const WHY: Record<NearMiss["why"], string> = {
  unless: "words that the rule takes back",
  negated: "it was denied",
  unclear: "it was not clear",
  model: "the model reported it, and no rule agrees",
};

const VERDICT = { was: "was one", was_not: "was none" };
type Verdict = keyof typeof VERDICT;

const shown = (lines: string | undefined): lines is string => !!lines && lines !== "[hidden]";

function SpecLines({ lines }: { lines: string }) {
  return (
    <div class="spec">
      <pre tabIndex={0} aria-label="Lines for the agent's spec">
        {lines}
      </pre>
      <CopyButton text={lines} what="Copy the spec" />
    </div>
  );
}

function Miss({ of, done }: { of: NearMiss; done: () => void }) {
  const may = useMay()("PUT /emergencies/near-misses/{call}/{rule}/{why}");
  const write = (verdict: Verdict | "none") => ask("PUT /emergencies/near-misses/{call}/{rule}/{why}", { path: { call: of.call, rule: of.rule, why: of.why }, body: { verdict } });
  const mark = async (verdict: Verdict) => {
    const before = of.verdict;
    const written = await preview({
      title: `${f.words(of.rule)}: say that it ${VERDICT[verdict]}`,
      verb: `It ${VERDICT[verdict]}`,
      load: async () => ({
        summary: "The rule stays as it is; the lines below keep the agent to what you say, once they are in its spec.",
        changes: [{ what: "verdict", before: before ? VERDICT[before] : "nobody has said", after: VERDICT[verdict] }],
        more: shown(of.spec?.[verdict]) ? <SpecLines lines={of.spec![verdict]!} /> : undefined,
      }),
      commit: () => write(verdict),
    });
    if (!written) return;
    toast.say(`${f.words(of.rule)} ${VERDICT[verdict]}, it is written.`, { name: "Undo", run: () => void write(before ?? "none").then(done, toast.problem) });
    done();
  };
  const lines = of.verdict ? of.spec?.[of.verdict] : undefined;
  return (
    <li class="miss">
      <div class="miss-head">
        <b>{f.words(of.rule)}</b>
        <Badge tone={of.verdict === "was" ? "bad" : "quiet"}>{of.verdict ? VERDICT[of.verdict] : "nobody has said"}</Badge>
        <span class="about">
          {WHY[of.why]}; {of.agent ?? "no agent"}, <Phone number={of.from} />, <Time at={of.at} named />,{" "}
          <a href={to("calls", of.call)}>
            its call<span class="hidden"> {of.call}</span>
          </a>
        </span>
        {may ? (
          <span class="actions">
            {of.verdict === "was" ? null : <Button onClick={() => mark("was")}>It was one…</Button>}
            {of.verdict === "was_not" ? null : <Button onClick={() => mark("was_not")}>It was none…</Button>}
          </span>
        ) : null}
      </div>
      <blockquote class="quote small">{of.words ?? "What the caller said is not kept any more."}</blockquote>
      {shown(lines) ? <SpecLines lines={lines} /> : null}
    </li>
  );
}

function NearMisses() {
  const [query] = useQuery();
  const asked = { ...taken(query, "agent", "verdict"), limit: 50 } as Query<"GET /emergencies/near-misses">;
  const misses = useApi("GET /emergencies/near-misses", { query: asked }, { on: (fact) => fact.type === "near_miss" });
  const agents = useAgents();
  const some = ["agent", "verdict", "cursor"].some((name) => query.get(name));
  return (
    <Frame about="what only sounded like an emergency, and was not acted on">
      <Filters
        of={[
          { name: "verdict", label: "Verdict", type: "select", options: [{ value: "none", name: "nobody has said" }, { value: "was", name: VERDICT.was }, { value: "was_not", name: VERDICT.was_not }] },
          { name: "agent", label: "Agent", type: "select", options: agents },
        ]}
      />
      <Panel flush>
        <Shown of={misses}>
          {(data) => (
            <>
              {data.items.length === 0 ? (
                <Empty remedy={some ? "Clear the filters to see all." : null}>{some ? "No near miss fits these filters." : "Nothing sounded like an emergency without being one."}</Empty>
              ) : (
                <ul class="misses">
                  {data.items.map((m) => (
                    <Miss key={`${m.call} ${m.rule} ${m.why}`} of={m} done={misses.reload} />
                  ))}
                </ul>
              )}
              <Pager next={data.next} shown={data.items.length} what="near misses" />
            </>
          )}
        </Shown>
      </Panel>
    </Frame>
  );
}

export default function EmergenciesPage({ rest }: PageProps) {
  if (rest[0] === "near-misses") return <NearMisses />;
  if (rest[0] && rest[1]) return <One key={rest.join(" ")} call={rest[0]} rule={rest[1]} />;
  return <List />;
}
