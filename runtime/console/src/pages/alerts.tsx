// SPDX-License-Identifier: Apache-2.0
// alerts - what the rules found: what is open, who looks after it, what it is not told while somebody works, and what
// there was. /alerts, /alerts/history, /alerts/silences, /alerts/rules, and /alerts/{id} for one.
import { useState } from "preact/hooks";
import { ask, newKey } from "../api/client";
import type { Alert, AlertRules, Silence } from "../api/types";
import { useApi } from "../api/use";
import type { PageProps } from "../pages";
import { navigate, to, useQuery } from "../state/router";
import { useMay, useMe } from "../state/session";
import { Button, CopyButton, Filters, Pager, Tabs } from "../ui/controls";
import { confirm, preview } from "../ui/dialog";
import { plural } from "../ui/format";
import { Empty } from "../ui/states";
import { Table, type Column } from "../ui/table";
import { toast } from "../ui/toast";
import { Badge, Code, Since, Time } from "../ui/values";
import { Facts, Page, Panel, Shown } from "../ui/view";
import { Place, Runbook } from "./alerts/runbook";
import { byNeed, endOf, isAbout, labelsText, lasts, leftOf, order, silenceName, toneOf, valueText, whyOf } from "./alerts/words";

type Rule = AlertRules["items"][number];

const MOST = 200;
const severityTone = { page: "bad", ticket: "warn", info: "quiet" } as const;

async function giveBack(alert: Alert, reload: () => void): Promise<void> {
  try {
    await ask("DELETE /alerts/{id}/acknowledge", { path: { id: alert.id } });
    toast.say(`${alert.rule}: nobody looks after it; it is told again.`);
  } finally {
    reload(); // it may be over, or somebody else's
  }
}

async function unacknowledge(alert: Alert, reload: () => void): Promise<void> {
  const yes = await confirm({ title: `Give ${alert.rule} (${alert.id}) back?`, what: `${alert.acked_by ?? "Nobody"} looks after it now. From then on nobody does, and it is told again.`, verb: "Give back", danger: false });
  if (yes) await giveBack(alert, reload);
}

async function acknowledge(alert: Alert, reload: () => void): Promise<void> {
  const done = await preview({
    title: `Acknowledge ${alert.rule} (${alert.id})?`,
    verb: "Acknowledge",
    reason: "optional",
    load: async (signal) => {
      const { data } = await ask("GET /alerts/{id}", { path: { id: alert.id }, signal });
      const over = data.state === "resolved";
      return {
        summary: over
          ? "It is over already: nobody needs to look after it."
          : data.acked_by
            ? `${data.acked_by} looks after it already.`
            : "You look after it: it is told nobody again until it is over.",
        changes: over || data.acked_by ? [] : [{ what: "Who looks after it", before: "nobody", after: "you" }],
        nothing: over || !!data.acked_by,
      };
    },
    commit: (_, note) => ask("POST /alerts/{id}/acknowledge", { path: { id: alert.id }, body: note ? { note } : {} }),
  });
  reload(); // whoever was quicker is seen
  if (done) toast.say(`${alert.rule}: you look after it.`, { name: "Undo", run: () => void giveBack(alert, reload).catch(toast.problem) });
}

const silenceHref = (alert: Alert) => {
  const agent = alert.labels.agent;
  return "/alerts/silences?" + new URLSearchParams({ rule: alert.rule, ...(agent ? { agent } : {}) }).toString();
};

function columnsOf(may: boolean, reload: () => void, past: boolean): Column<Alert>[] {
  const columns: Column<Alert>[] = [
    { key: "rule", head: "Rule", cell: (a) => a.rule.replaceAll("_", " "), sort: (a) => a.rule },
    {
      key: "severity",
      head: "Severity",
      cell: (a) => <Badge tone={toneOf(a)}>{a.severity}</Badge>,
      sort: (a) => order[a.severity],
    },
    {
      key: "text",
      head: "In words, and what to do",
      prose: true,
      cell: (a) => (
        <>
          {a.labels.agent ? <b>{a.labels.agent}: </b> : null}
          {a.text ?? labelsText(a.labels)}
          {a.fix ? <div class="about">{a.fix}</div> : null}
        </>
      ),
    },
    {
      key: "who",
      head: "Who",
      cell: (a) =>
        a.acked_by ? (
          <>
            {a.acked_by}
            {a.ack_note ? <div class="about">{a.ack_note}</div> : null}
          </>
        ) : (
          <span class="about">{a.muted_by ? `not told: ${a.muted_by}` : "nobody yet"}</span>
        ),
      sort: (a) => a.acked_by,
    },
    { key: "since", head: past ? "Fired" : "Since", cell: (a) => <Time at={a.fired_at ?? a.began_at} />, sort: (a) => a.fired_at ?? a.began_at },
  ];
  if (past) columns.push({ key: "over", head: "Over", cell: (a) => (a.resolved_at ? <Time at={a.resolved_at} /> : <Badge tone={toneOf(a)}>{a.state}</Badge>), sort: (a) => a.resolved_at });
  else columns.push({ key: "lasts", head: "Lasts", align: "right", cell: (a) => <Since at={a.fired_at ?? a.began_at} /> });
  if (may && !past)
    columns.push({
      key: "do",
      head: "",
      align: "right",
      cell: (a) =>
        a.acked_at ? (
          <Button onClick={() => unacknowledge(a, reload)} title={`Give ${a.rule} back`}>
            Give back…
          </Button>
        ) : (
          <Button onClick={() => acknowledge(a, reload)} title={`Acknowledge ${a.rule}`}>
            Acknowledge…
          </Button>
        ),
    });
  return columns;
}

const onAlert = (fact: { type: string }) => fact.type.startsWith("alert") || fact.type === "alarm";

function OpenAlerts() {
  const may = useMay()("POST /alerts/{id}/acknowledge");
  const alerts = useApi("GET /alerts", { query: { limit: MOST } }, { everyMs: 10_000, on: onAlert });
  return (
    <Panel title="Open" flush>
      <Shown of={alerts}>
        {(data) => (
          <>
            <Table
              caption="Open alerts"
              columns={columnsOf(may, alerts.reload, false)}
              rows={[...data.items].sort(byNeed)}
              rowKey={(a) => a.id}
              href={(a) => to("alerts", a.id)}
              rowClass={(a) => (a.acked_at ? null : toneOf(a) === "bad" ? "bad" : "warn")}
              empty={<Empty remedy="The rules that look are under Rules; what there was is under History.">Nothing is wrong that a rule knows of.</Empty>}
            />
            {data.next ? <p class="stale">More than {MOST} are open; these are the newest.</p> : null}
          </>
        )}
      </Shown>
    </Panel>
  );
}

function History() {
  const [query] = useQuery();
  const rules = useApi("GET /alerts/rules", {});
  const state = (query.get("state") ?? "resolved") as "resolved";
  const alerts = useApi("GET /alerts", { query: { state, rule: query.get("rule") ?? undefined, cursor: query.get("cursor") ?? undefined, limit: 50 } }, { on: onAlert });
  return (
    <>
      <Filters
        of={[
          { name: "rule", label: "Rule", type: "select", options: (rules.data?.items ?? []).map((r) => ({ value: r.name, name: r.name.replaceAll("_", " ") })) },
          { name: "state", label: "State", type: "select", any: "over", options: [{ value: "all", name: "all" }, { value: "firing", name: "firing" }, { value: "pending", name: "pending" }] },
        ]}
      />
      <Panel title="What there was" flush>
        <Shown of={alerts}>
          {(data) => (
            <>
              <Table
                caption="Alerts of before"
                columns={columnsOf(false, alerts.reload, true)}
                rows={data.items}
                rowKey={(a) => a.id}
                href={(a) => to("alerts", a.id)}
                empty={<Empty remedy="Clear the filters to see all of them.">No alert is like that.</Empty>}
              />
              <Pager next={data.next} shown={data.items.length} what="alerts" />
            </>
          )}
        </Shown>
      </Panel>
    </>
  );
}

// ---- silences ----

async function endSilence(s: Silence, reload: () => void): Promise<void> {
  const left = leftOf(s, new Date());
  const again = async () => {
    await ask("POST /alerts/silences", { body: { labels: s.labels, for: left!, reason: s.reason ?? "as before" }, once });
    toast.say(`Alerts of ${silenceName(s)} are silent again.`);
    reload();
  };
  const once = newKey();
  try {
    await ask("DELETE /alerts/silences/{id}", { path: { id: s.id } });
    toast.say(`Alerts of ${silenceName(s)} are told again.`, left ? { name: "Undo", run: () => void again().catch(toast.problem) } : undefined);
  } finally {
    reload(); // somebody else may have ended it
  }
}

function NewSilence({ reload }: { reload: () => void }) {
  const [query] = useQuery();
  const [rule, setRule] = useState(query.get("rule") ?? "");
  const [agent, setAgent] = useState(query.get("agent") ?? "");
  const [severity, setSeverity] = useState("");
  const [lasting, setLasting] = useState<string>("4h");
  const rules = useApi("GET /alerts/rules", {});
  const labels: Record<string, string> = {};
  if (rule) labels.rule = rule;
  if (agent.trim()) labels.agent = agent.trim();
  if (severity) labels.severity = severity;
  const some = Object.keys(labels).length > 0;

  const silence = async () => {
    const once = newKey();
    const name = labelsText(labels);
    let made: Silence | null = null;
    const done = await preview({
      title: `Silence ${name}?`,
      verb: "Silence",
      reason: "needed",
      load: async (signal) => {
        const { data } = await ask("GET /alerts", { query: { limit: MOST }, signal });
        const hit = data.items.filter((a) => isAbout(labels, a));
        const pages = hit.filter((a) => a.severity === "page");
        return {
          summary: (
            <>
              Nobody is told of alerts of <b>{name}</b> until <Time at={endOf(lasting, new Date())} named />. They are still shown here.
            </>
          ),
          warnings: pages.length ? [`${plural(pages.length, "open alert")} of these would get somebody up: ${pages.map((a) => a.rule).join(", ")}.`] : [],
          changes: [
            { what: "Open now and of these", before: plural(hit.length, "alert") + " told", after: hit.length ? "not told" : "nothing to tell" },
            { what: "New ones of these", before: "told", after: "not told" },
          ],
        };
      },
      commit: async (_, reason) => void (made = (await ask("POST /alerts/silences", { body: { labels, for: lasting, reason }, once })).data),
    });
    if (!done) return;
    reload();
    toast.say(`Alerts of ${name} are silent.`, { name: "Undo", run: () => void endSilence(made!, reload).catch(toast.problem) });
  };
  return (
    <Panel title="New silence">
      <form class="filters form" onSubmit={(e) => (e.preventDefault(), some && void silence())}>
        <label>
          <span>Rule</span>
          <select value={rule} onChange={(e) => setRule(e.currentTarget.value)}>
            <option value="">any</option>
            {(rules.data?.items ?? []).map((r) => (
              <option key={r.name} value={r.name} selected={r.name === rule}>
                {r.name.replaceAll("_", " ")}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Agent</span>
          <input type="text" value={agent} maxLength={64} placeholder="any" onInput={(e) => setAgent(e.currentTarget.value)} />
        </label>
        <label>
          <span>Severity</span>
          <select value={severity} onChange={(e) => setSeverity(e.currentTarget.value)}>
            <option value="">any</option>
            {["page", "ticket", "info"].map((s) => (
              <option key={s} value={s}>
                {s}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>For</span>
          <select value={lasting} onChange={(e) => setLasting(e.currentTarget.value)}>
            {lasts.map((l) => (
              <option key={l.value} value={l.value}>
                {l.name}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="button" disabled={!some}>
          Silence…
        </button>
        {some ? null : <span class="about">Say a rule, an agent or a severity.</span>}
      </form>
    </Panel>
  );
}

function Silences() {
  const may = useMay();
  const silences = useApi("GET /alerts/silences", {}, { everyMs: 15_000 });
  const [query] = useQuery();
  const end = async (s: Silence) => {
    const yes = await confirm({ title: `End the silence of ${silenceName(s)}?`, what: "Alerts of these are told again from now on, those that are open too.", verb: "End it", danger: false });
    if (yes) await endSilence(s, silences.reload);
  };
  const columns: Column<Silence>[] = [
    { key: "labels", head: "Alerts of", cell: (s) => <b>{silenceName(s)}</b>, sort: silenceName },
    { key: "reason", head: "Why", cell: (s) => s.reason },
    { key: "who", head: "Who", cell: (s) => s.who, sort: (s) => s.who },
    { key: "from", head: "From", cell: (s) => <Time at={s.from_at} />, sort: (s) => s.from_at },
    { key: "until", head: "Until", cell: (s) => <Time at={s.until_at} named />, sort: (s) => s.until_at },
  ];
  if (may("DELETE /alerts/silences/{id}"))
    columns.push({
      key: "do",
      head: "",
      align: "right",
      cell: (s) => (
        <Button onClick={() => end(s)} title={`End the silence of ${silenceName(s)}`}>
          End…
        </Button>
      ),
    });
  return (
    <>
      {may("POST /alerts/silences") ? <NewSilence key={query.toString()} reload={silences.reload} /> : null}
      <Panel title="Silent now" flush>
        <Shown of={silences}>
          {(data) => <Table caption="Silences" columns={columns} rows={data.items} rowKey={(s) => s.id} empty={<Empty>Nothing is silent: all that fires is told.</Empty>} />}
        </Shown>
      </Panel>
    </>
  );
}

// ---- rules ----

const ruleColumns: Column<Rule>[] = [
  { key: "name", head: "Rule", cell: (r) => r.name.replaceAll("_", " "), sort: (r) => r.name },
  { key: "severity", head: "Severity", cell: (r) => <Badge tone={severityTone[r.severity]}>{r.severity}</Badge>, sort: (r) => order[r.severity] },
  { key: "about", head: "What it means", prose: true, cell: (r) => r.about },
  {
    key: "when",
    head: "Fires",
    prose: true,
    cell: (r) => (
      <>
        {r.condition}
        {r.for_s ? <span class="about">, for {r.for_s < 120 ? `${r.for_s} s` : `${Math.round(r.for_s / 60)} min`}</span> : null}
      </>
    ),
  },
  { key: "runbook", head: "What to do", cell: (r) => <Place at={r.runbook} href={to("alerts", "rules", r.name)} /> },
];

function Rules({ name }: { name: string | undefined }) {
  const rules = useApi("GET /alerts/rules", {});
  const chosen = rules.data?.items.find((r) => r.name === name);
  return (
    <>
      {chosen ? (
        <Panel title={`What to do: ${chosen.name.replaceAll("_", " ")}`} actions={<a class="button" href="/alerts/rules">Close</a>}>
          <Runbook at={chosen.runbook} />
        </Panel>
      ) : null}
      <Panel title="Rules" flush>
        <Shown of={rules}>
          {(data) => (
            <>
              {data.mistakes.map((m) => (
                <p key={m} class="stale">
                  {m}. Until it is mended the shipped rules hold.
                </p>
              ))}
              <Table
                caption="Rules"
                columns={ruleColumns}
                rows={data.items}
                rowKey={(r) => r.name}
                href={(r) => `/alerts/history?state=all&rule=${encodeURIComponent(r.name)}`}
                rowClass={(r) => (r.name === name ? "chosen" : null)}
              />
            </>
          )}
        </Shown>
      </Panel>
    </>
  );
}

// ---- one ----

function One({ id }: { id: string }) {
  const may = useMay();
  const alert = useApi("GET /alerts/{id}", { path: { id } }, { everyMs: 10_000, on: onAlert });
  const rules = useApi("GET /alerts/rules", {});
  return (
    <Shown of={alert}>
      {(a) => {
        const rule = rules.data?.items.find((r) => r.name === a.rule);
        const command = whyOf(a);
        return (
          <>
            <Panel
              title={
                <>
                  {a.rule.replaceAll("_", " ")} <Badge tone={toneOf(a)}>{`${a.severity}, ${a.state}`}</Badge>
                </>
              }
              actions={
                <>
                  {may("POST /alerts/silences") && a.state !== "resolved" ? (
                    <button type="button" class="button" onClick={() => navigate(silenceHref(a))}>
                      Silence…
                    </button>
                  ) : null}
                  {may("POST /alerts/{id}/acknowledge") && a.state !== "resolved" && !a.acked_at ? (
                    <Button kind="primary" onClick={() => acknowledge(a, alert.reload)}>
                      Acknowledge…
                    </Button>
                  ) : null}
                  {may("DELETE /alerts/{id}/acknowledge") && a.state === "firing" && a.acked_at ? <Button onClick={() => unacknowledge(a, alert.reload)}>Give back…</Button> : null}
                </>
              }
            >
              <p class="alert-text">{a.text ?? rule?.about ?? a.rule}</p>
              {a.fix ? <p class="remedy">{a.fix}</p> : null}
              <Facts
                rows={[
                  ["About", labelsText(a.labels) || "all of it"],
                  a.value === null ? null : ["Value", `${valueText(a.value, rule?.unit)}${a.threshold === null ? "" : `, fires at ${valueText(a.threshold, rule?.unit)}`}`],
                  ["Began", <Time at={a.began_at} named />],
                  ["Fired", <Time at={a.fired_at} named />],
                  a.resolved_at ? ["Over", <Time at={a.resolved_at} named />] : null,
                  ["Looked after by", a.acked_by ? <>{a.acked_by}, <Time at={a.acked_at} named />{a.ack_note ? `: ${a.ack_note}` : ""}</> : "nobody yet"],
                  a.muted_by ? ["Not told because of", a.muted_by] : null,
                  a.call ? ["A call that shows it", <a href={to("calls", a.call)}>{a.call}</a>] : null,
                  ["Look", <span class="command"><Code>{command}</Code> <CopyButton text={command} /></span>],
                ]}
              />
            </Panel>
            {rule ? (
              <Panel title="What to do">
                <Runbook at={rule.runbook} />
              </Panel>
            ) : null}
            <Panel title="Who was told" flush>
              <Table
                caption="Who was told"
                columns={[
                  { key: "channel", head: "Channel", cell: (n) => n.channel },
                  { key: "status", head: "Of what", cell: (n) => n.status },
                  { key: "how", head: "State", cell: (n) => (n.sent_at ? <Badge tone="good">told</Badge> : n.given_up_at ? <Badge tone="bad">given up</Badge> : <Badge tone="warn">waits</Badge>) },
                  { key: "at", head: "At", cell: (n) => <Time at={n.sent_at ?? n.given_up_at ?? n.made_at} precision="second" /> },
                  { key: "attempts", head: "Tries", align: "right", cell: (n) => <span class="num">{n.attempts}</span> },
                  { key: "why", head: "Why", cell: (n) => n.why ?? "" },
                ]}
                rows={a.notices}
                rowKey={(n) => `${n.channel} ${n.status} ${n.made_at}`}
                empty={<Empty remedy="ringdown alerts test CHANNEL tries one.">Nobody was told: there is no channel for it, it is silent, or something else explains it.</Empty>}
              />
            </Panel>
          </>
        );
      }}
    </Shown>
  );
}

export default function Alerts({ rest }: PageProps) {
  const me = useMe();
  const [what, which] = rest;
  const tabs = [
    { href: "/alerts", name: "Open" },
    { href: "/alerts/history", name: "History" },
    ...(me.agents ? [] : [{ href: "/alerts/silences", name: "Silences" }]),
    { href: "/alerts/rules", name: "Rules" },
  ];
  return (
    <Page title="Alerts" about="What the rules found, who looks after it, and what nobody wants to hear now.">
      <Tabs label="Alerts" of={tabs} />
      {!what ? <OpenAlerts /> : what === "history" ? <History /> : what === "silences" ? <Silences /> : what === "rules" ? <Rules name={which} /> : <One key={what} id={what} />}
    </Page>
  );
}
