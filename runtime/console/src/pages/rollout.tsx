// SPDX-License-Identifier: Apache-2.0
// rollout - which share of an agent's callers meets OpenAI: its stages, who would move, what its guards say of canary
// and baseline, the switches with their undo, and who changed it.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Rollout, RolloutPast, RolloutWithGuards } from "../api/types";
import { useApi } from "../api/use";
import type { PageProps } from "../pages";
import { Interval, Moves, Track } from "../rollout/parts";
import { findingsOf, intervalText, metricWords, share, stateName, verbsOf, verdictWords, wayTo, type Finding } from "../rollout/plan";
import * as go from "../rollout/switches";
import { to } from "../state/router";
import { useMay } from "../state/session";
import { Button } from "../ui/controls";
import * as f from "../ui/format";
import { Empty } from "../ui/states";
import { Table, type Column } from "../ui/table";
import { Badge, Percent, Time, type Tone } from "../ui/values";
import { Facts, Page, Panel, Shown } from "../ui/view";

const toneOf: Record<string, Tone> = { running: "good", done: "good", paused: "warn", rolled_back: "bad", killed: "bad" };

function State({ of }: { of: { state: string; kill?: boolean; mode?: string } }) {
  const forced = go.forcedTo(of);
  if (forced !== "off") return <Badge tone="warn">forced to {forced === "openai" ? "OpenAI" : "Vapi"}</Badge>;
  return <Badge tone={toneOf[of.state] ?? "quiet"}>{stateName(of.state)}</Badge>;
}

// ---- all of them ----

interface Row {
  agent: string;
  of: Rollout | null;
}

const listColumns: Column<Row>[] = [
  { key: "agent", head: "Agent", cell: (r) => <span class="nowrap">{r.agent}</span>, sort: (r) => r.agent },
  { key: "state", head: "State", cell: (r) => (r.of ? <State of={r.of} /> : <span class="about">no plan: its file says</span>), sort: (r) => r.of?.state },
  { key: "share", head: "On OpenAI", align: "right", cell: (r) => <span class="num">{r.of && r.of.state !== "draft" ? share(r.of.percent_bp) : f.UNKNOWN}</span>, sort: (r) => r.of?.percent_bp },
  { key: "track", head: "Stages", cell: (r) => (r.of ? <Track of={r.of.track} small /> : null) },
  { key: "since", head: "In this stage since", cell: (r) => <Time at={r.of?.since} />, sort: (r) => r.of?.since },
  { key: "by", head: "Changed by", cell: (r) => r.of?.updated_by ?? f.UNKNOWN, sort: (r) => r.of?.updated_by },
  { key: "reason", head: "Why", wide: true, cell: (r) => r.of?.reason ?? "" },
];

function List() {
  const rollouts = useApi("GET /rollouts", {}, { everyMs: 10_000 });
  const agents = useApi("GET /agents", {}, { everyMs: 60_000 });
  return (
    <Page title="Rollout" about="which share of each agent’s callers meets OpenAI; the others meet Vapi">
      <Panel flush>
        <Shown of={rollouts}>
          {(data) => {
            const known = new Set(data.items.map((r) => r.agent));
            const rows: Row[] = [...data.items.map((of): Row => ({ agent: of.agent, of })), ...(agents.data?.items ?? []).filter((a) => !known.has(a.agent)).map((a): Row => ({ agent: a.agent, of: null }))];
            return (
              <Table
                caption="Rollouts"
                columns={listColumns}
                rows={rows}
                rowKey={(r) => r.agent}
                href={(r) => to("rollout", r.agent)}
                rowClass={(r) => (r.of?.state === "rolled_back" || r.of?.kill ? "bad" : r.of?.state === "paused" ? "warn" : null)}
                empty={<Empty>There is no agent yet.</Empty>}
              />
            );
          }}
        </Shown>
      </Panel>
    </Page>
  );
}

// ---- the share ----

function useLater<T>(value: T, ms: number): T {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLater(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return later;
}

function Share({ seen }: { seen: go.Seen }) {
  const { of } = seen;
  const may = useMay();
  const [bp, setBp] = useState(of.percent_bp);
  useEffect(() => setBp(of.percent_bp), [of.version]);
  const asked = useLater(bp, 250);
  const byCall = of.unit === "call";
  const still = bp === of.percent_bp;
  const moves = useApi("GET /rollouts/{agent}/preview", byCall || still ? null : { path: { agent: of.agent }, query: { to: String(asked / 100), days: 30 } });
  const way = wayTo(bp, of.percent_bp, of.track);
  const begun = ["pilot", "running", "paused", "rolled_back", "done"].includes(of.state);
  const set = (percent: number) => Number.isFinite(percent) && setBp(Math.round(Math.min(100, Math.max(0, percent)) * 100));
  return (
    <Panel title="Share">
      <div class="share">
        <label class="share-range">
          <span>Callers that meet OpenAI</span>
          <input type="range" min="0" max="100" step="1" value={bp / 100} aria-valuetext={share(bp)} onInput={(e) => set(e.currentTarget.valueAsNumber)} />
        </label>
        <label class="field share-exact">
          <span>exactly, in %</span>
          <input type="number" min="0" max="100" step="0.01" value={bp / 100} onInput={(e) => set(e.currentTarget.valueAsNumber)} />
        </label>
        <div class="share-do">
          {way.how === "back" && begun && may("POST /rollouts/{agent}/rollback") ? (
            <Button kind="danger" onClick={() => go.rollBack(seen, bp)}>
              Back to {share(bp)}…
            </Button>
          ) : null}
          {way.how === "advance" && verbsOf(of.state).includes("advance") && may("POST /rollouts/{agent}/advance") ? (
            <Button kind="primary" onClick={() => go.advance(seen)}>
              Advance to {share(bp)}…
            </Button>
          ) : null}
          {way.how === "insert" && may("PUT /rollouts/{agent}") ? <Button onClick={() => go.insertStage(seen, bp)}>Make {share(bp)} the next stage…</Button> : null}
          {bp !== of.percent_bp ? <Button onClick={() => setBp(of.percent_bp)}>As it is</Button> : null}
        </div>
      </div>
      {way.how === "too-far" ? <p class="remedy">{way.stage ? `Stages are not skipped: ${share(way.stage.percent_bp)} comes first.` : "It has no further stage."}</p> : null}
      {byCall ? (
        <p class="about">Each call is drawn anew, so no caller has a side, and nobody can be named.</p>
      ) : still ? (
        <p class="about">Move it to see which callers would change sides. Nothing is written by that.</p>
      ) : (
        <Shown of={moves} what="Asking who would move">
          {(data) => (
            <Moves of={{ ...data, callers: data.callers ?? 0, days: data.days ?? 30, n_to_openai: data.n_to_openai ?? 0, n_to_vapi: data.n_to_vapi ?? 0 }} />
          )}
        </Shown>
      )}
    </Panel>
  );
}

// ---- the guards ----

const findingTone: Record<string, Tone> = { pass: "good", fail: "bad", rollback: "bad", hold: "bad", warn: "warn" };

function Part({ of }: { of: Finding["canary"] }) {
  if (!of) return <span class="unknown">{f.UNKNOWN}</span>;
  return (
    <span class="num">
      <Percent value={of.n ? of.k / of.n : null} /> <span class="unit">{`${f.count(of.k)} of ${f.count(of.n)}`}</span>
    </span>
  );
}

const guardColumns = (most: number): Column<Finding>[] => [
  { key: "verdict", head: "Verdict", cell: (x) => <Badge tone={findingTone[x.verdict] ?? "quiet"}>{x.verdict}</Badge>, sort: (x) => x.verdict },
  { key: "guard", head: "Guard", cell: (x) => (x.canary || x.baseline ? <span title={x.text}>{metricWords[x.guard] ?? x.text.split(":")[0]}</span> : x.text), sort: (x) => x.guard },
  { key: "canary", head: "OpenAI (canary)", align: "right", cell: (x) => <Part of={x.canary} />, sort: (x) => (x.canary?.n ? x.canary.k / x.canary.n : null) },
  { key: "baseline", head: "Vapi (baseline)", align: "right", cell: (x) => <Part of={x.baseline} />, sort: (x) => (x.baseline?.n ? x.baseline.k / x.baseline.n : null) },
  {
    key: "difference",
    head: "Difference, 95 % sure",
    title: "canary less baseline, in points, with the interval that it is in with 95 % certainty",
    cell: (x) =>
      x.interval ? (
        <span class="difference">
          <Interval of={x.interval} most={most} />
          <span class="num">{intervalText(x.interval)}</span>
        </span>
      ) : x.limit !== null && x.canary ? (
        <span class="about">more than {f.percent(x.limit)} is too much</span>
      ) : (
        f.UNKNOWN
      ),
  },
];

function Guards({ of }: { of: RolloutWithGuards }) {
  const findings = findingsOf(of);
  const most = Math.max(0.01, ...findings.flatMap((x) => (x.interval ? [Math.abs(x.interval.low), Math.abs(x.interval.high)] : [])));
  const progress = (of.said ?? []).filter((line) => /^ {2}(time|OpenAI|Vapi) /.test(line)).map((line): [string, ComponentChildren] => {
    const [name, ...rest] = line.trim().split(/\s{2,}/);
    return [name === "time" ? "Watched for" : `Calls on ${name}`, rest.join(" ").replace(/^([\d,]+) of ([\d,]+) calls/, "$1, at least $2 are needed")];
  });
  return (
    <Panel
      title="Guards"
      flush
      actions={of.verdict ? <Badge tone={of.verdict === "ready" || of.verdict === "pass" ? "good" : of.verdict === "rollback" || of.verdict === "hold" || of.verdict === "failing" ? "bad" : "quiet"}>{verdictWords[of.verdict] ?? of.verdict}</Badge> : null}
    >
      {progress.length ? (
        <div class="inset">
          <Facts rows={progress} />
        </div>
      ) : null}
      <Table
        caption="What the guards say"
        columns={guardColumns(most)}
        rows={findings}
        rowKey={(x) => x.guard}
        empty={<Empty remedy={of.verdict ? "As soon as there are enough, canary and baseline are compared here, each with its n." : "They look while a rollout runs with somebody on OpenAI."}>{of.verdict ? "There are too few calls to say anything yet." : "The guards do not watch it now."}</Empty>}
      />
    </Panel>
  );
}

// ---- history ----

type Past = RolloutPast["items"][number];
const at = (value: Record<string, unknown> | null, name: string) => value?.[name] as string | number | null | undefined;
const how = (value: Record<string, unknown> | null) => {
  if (!value) return f.UNKNOWN;
  const state = at(value, "state");
  const bp = at(value, "percent_bp");
  return [state ? stateName(String(state)) : "", typeof bp === "number" ? share(bp) : ""].filter(Boolean).join(", ") || f.UNKNOWN;
};

const pastColumns: Column<Past>[] = [
  { key: "at", head: "When", cell: (p) => <Time at={p.at} />, sort: (p) => p.at },
  { key: "who", head: "Who", cell: (p) => (p.who?.startsWith("auto:") ? "its guards" : (p.who?.replace(/^token /, "") ?? f.UNKNOWN)), sort: (p) => p.who },
  { key: "what", head: "What", cell: (p) => f.words((p.what ?? "").replace(/^rollout\./, "")), sort: (p) => p.what },
  { key: "before", head: "Before", cell: (p) => how(p.before) },
  { key: "after", head: "After", cell: (p) => how(p.after) },
  { key: "reason", head: "Why", cell: (p) => at(p.after, "reason") ?? "" },
];

function History({ agent, version }: { agent: string; version: number }) {
  const past = useApi("GET /rollouts/{agent}/history", { path: { agent } });
  useEffect(() => past.reload(), [version]);
  return (
    <Panel title="Who changed it, and what was refused" flush>
      <Shown of={past}>
        {(data) => <Table caption="History" columns={pastColumns} rows={[...data.items].sort((a, b) => Number(b.id) - Number(a.id))} rowKey={(p) => p.id ?? ""} empty={<Empty>Nobody has changed it yet.</Empty>} />}
      </Shown>
    </Panel>
  );
}

// ---- one ----

function Switches({ seen }: { seen: go.Seen }) {
  const may = useMay();
  const { of } = seen;
  const verbs = verbsOf(of.state);
  const forced = go.forcedTo(of);
  const next = of.track.find((s) => s.is === "next");
  if (of.loads && !of.has_both) return null;
  return (
    <>
      {verbs.includes("start") && may("POST /rollouts/{agent}/start") ? (
        <Button kind="primary" onClick={() => go.start(seen)}>
          {of.state === "draft" ? "Begin…" : "Go on…"}
        </Button>
      ) : null}
      {verbs.includes("advance") && may("POST /rollouts/{agent}/advance") ? (
        <Button kind={of.verdict === "ready" || of.state === "pilot" ? "primary" : "plain"} onClick={() => go.advance(seen)}>
          {next ? `Advance to ${share(next.percent_bp)}…` : "End it…"}
        </Button>
      ) : null}
      {verbs.includes("hold") && may("POST /rollouts/{agent}/hold") ? <Button onClick={() => go.hold(seen)}>Hold…</Button> : null}
      {of.version > 0 && may("POST /undo") ? <Button onClick={() => go.undo(of.agent, seen.reload)}>Undo…</Button> : null}
      {verbs.includes("rollback") && may("POST /rollouts/{agent}/rollback") ? (
        <Button kind="danger" onClick={() => go.rollBack(seen)}>
          Roll back…
        </Button>
      ) : null}
      {may("POST /rollouts/{agent}/force") ? (
        forced !== "off" ? (
          <Button kind="danger" onClick={() => go.force(seen, "off")}>
            End the force…
          </Button>
        ) : (
          <>
            <Button kind="danger" onClick={() => go.force(seen, "vapi")}>
              Force to Vapi…
            </Button>
            <Button kind="danger" onClick={() => go.force(seen, "openai")}>
              Force to OpenAI…
            </Button>
          </>
        )
      ) : null}
    </>
  );
}

function One({ agent }: { agent: string }) {
  const one = useApi("GET /rollouts/{agent}", { path: { agent } }, { everyMs: 10_000 });
  const seen: go.Seen | null = one.data && one.etag ? { of: one.data, etag: one.etag, reload: one.reload } : null;
  return (
    <Page title={agent} about={<a href="/rollout">all rollouts</a>} actions={seen ? <Switches seen={seen} /> : null}>
      <Shown of={one}>
        {(r) => (
          <>
            <p class="lead">{r.next_call}</p>
            <Panel title="Stages" actions={<State of={r} />}>
              <Track of={r.track} />
              <Facts
                rows={[
                  ["In this stage since", <Time at={r.since} named />],
                  ["Changed by", r.updated_by ? <>{r.updated_by.startsWith("auto:") ? "its guards" : r.updated_by}{r.reason ? `: ${r.reason}` : ""}</> : f.UNKNOWN],
                  r.held_for ? ["Held for", r.held_for === "person" ? "a person" : f.words(r.held_for)] : null,
                  ["Goes on by itself", r.auto_advance ? "when every guard passes, but not to 100 %" : "no: a person advances it"],
                  r.n_allow || r.n_deny ? ["Named numbers", `${f.count(r.n_allow ?? 0)} always meet OpenAI, ${f.count(r.n_deny ?? 0)} always Vapi`] : null,
                  r.file ? ["Its file", r.file.trim().replace(/^file\s+/, "")] : null,
                ]}
              />
              {!r.loads ? <p class="warning">This node has no such agent: its file does not load, or is not here.</p> : null}
              {r.loads && !r.has_both ? <p class="remedy">Its file names one system only, so its calls cannot be split until it has both an openai and a vapi table.</p> : null}
            </Panel>
            {seen ? <Share key={agent} seen={seen} /> : null}
            <Guards of={r} />
            <History agent={agent} version={r.version} />
          </>
        )}
      </Shown>
    </Page>
  );
}

export default function RolloutPage({ rest }: PageProps) {
  return rest[0] ? <One key={rest[0]} agent={rest[0]} /> : <List />;
}
