// SPDX-License-Identifier: Apache-2.0
// parts - of one call: its story, what the caller waited for, its sound, its cost, and why it went so.
import { useState } from "preact/hooks";
import { ask } from "../../api/client";
import { useApi } from "../../api/use";
import type { CallCost, CallWithWaits, Recording } from "../../api/types";
import { useMe } from "../../state/session";
import { Button, Choice, CopyButton } from "../../ui/controls";
import * as f from "../../ui/format";
import { Empty } from "../../ui/states";
import { Table, type Column } from "../../ui/table";
import { Code, Count, Duration, Money, Time } from "../../ui/values";
import { Facts, Panel, Shown } from "../../ui/view";
import type { All } from "../../api/all";
import type { Loaded } from "../../api/use";
import { fallOf, offset, storyOf, topOf, type CallEvent, type Line } from "./story";

function LineRow({ line }: { line: Line }) {
  const what = (
    <>
      {line.kind ? <span class="story-kind">{line.kind}</span> : null} {line.text}
      {line.more ? <span class="story-more">{line.more}</span> : null}
    </>
  );
  return (
    <li class={["story-line", line.who ?? "happened", line.tone ?? ""].filter(Boolean).join(" ")}>
      <time class="story-at num" dateTime={line.at} title={line.at}>
        {offset(line.offsetMs)}
      </time>
      {line.who ? <span class="hidden">{line.who}: </span> : null}
      <div class="story-what">{what}</div>
    </li>
  );
}

export function Story({ events, startedAt }: { events: Loaded<All<CallEvent>>; startedAt: string | null }) {
  const [view, setView] = useState<"story" | "facts">("story");
  return (
    <Panel
      title="What happened"
      actions={<Choice label="How much" value={view} of={[{ value: "story", name: "Conversation" }, { value: "facts", name: "Every fact" }]} onChange={setView} />}
      flush
    >
      <Shown of={events} what="Reading what happened">
        {(all) => (
          <>
            {all.items.length === 0 ? (
              <Empty>Nothing is kept of this call any more.</Empty>
            ) : view === "story" ? (
              <>
                <div class="story-head" aria-hidden="true">
                  <span />
                  <span>Caller</span>
                  <span>Agent</span>
                </div>
                <ol class="story">
                  {storyOf(all.items, startedAt).map((line) => (
                    <LineRow key={line.key} line={line} />
                  ))}
                </ol>
              </>
            ) : (
              <EveryFact events={all.items} startedAt={startedAt} />
            )}
            {all.more ? <p class="state">There are more facts than these {f.count(all.items.length)}: <Code>GET /calls/…/timeline</Code> has them.</p> : null}
          </>
        )}
      </Shown>
    </Panel>
  );
}

function EveryFact({ events, startedAt }: { events: CallEvent[]; startedAt: string | null }) {
  const began = startedAt ? new Date(startedAt).getTime() : null;
  return (
    <ol class="raw-facts">
      {events.map((e) => (
        <li key={`${e.epoch}.${e.seq}`}>
          <time class="story-at num" dateTime={e.at} title={e.at}>
            {offset(began === null ? null : new Date(e.at).getTime() - began)}
          </time>
          <details>
            <summary>
              <Code>{e.type}</Code>
            </summary>
            <pre>{JSON.stringify(e.body, null, 2)}</pre>
          </details>
        </li>
      ))}
    </ol>
  );
}

export function Waits({ of }: { of: CallWithWaits }) {
  const top = topOf(of.waits);
  const worst = Math.max(0, ...of.waits.map((w) => w.first_audio_ms ?? 0));
  return (
    <Panel title="What the caller waited for" actions={<span class="about">from the end of their words, 0 to {f.duration(top)}</span>}>
      {of.waits.length === 0 ? (
        <p class="about">No turn of the agent answered the caller.</p>
      ) : (
        <>
          <ol class="falls">
            {of.waits.map((wait) => {
              const fall = fallOf(wait, top);
              return (
                <li key={fall.key}>
                  <span class="about num">{fall.turn === null ? "" : `turn ${fall.turn}`}</span>
                  <svg viewBox="0 0 1000 14" preserveAspectRatio="none" role="img" aria-label={`Turn ${fall.turn ?? "?"}: ${fall.text}`}>
                    <title>{fall.text}</title>
                    {[0, 250, 500, 750, 1000].map((x) => (
                      <path key={x} d={`M${x} 0V14`} class="grid" vector-effect="non-scaling-stroke" />
                    ))}
                    {fall.bars.map((b, i) => (
                      <rect key={i} x={b.from} width={Math.max(2, b.to - b.from)} y={b.what === "tool" ? 9 : 2} height={b.what === "tool" ? 4 : 6} class={b.what} />
                    ))}
                  </svg>
                  <b class="num">{fall.audioMs === null ? f.UNKNOWN : `${f.count(fall.audioMs)} ms`}</b>
                </li>
              );
            })}
          </ol>
          <p class="fall-keys about">
            <span class="fall-key wait" /> until the first words <span class="fall-key speech" /> until the first sound <span class="fall-key tool" /> a tool; the longest is {f.duration(worst)}
          </p>
        </>
      )}
    </Panel>
  );
}

function Listen({ call, of }: { call: string; of: Recording }) {
  const [source, setSource] = useState<string | null>(null);
  const [broken, setBroken] = useState(false);
  const begin = async () => {
    setBroken(false);
    const { data } = await ask("POST /tickets", { body: { purpose: "recording", call } });
    setSource(`/api/v1/calls/${encodeURIComponent(call)}/recording/audio?number=${of.number}&ticket=${encodeURIComponent(data.ticket)}`);
  };
  if (!source) return <Button onClick={begin}>Listen</Button>;
  return (
    <>
      <audio class="player" controls autoplay src={source} onError={() => setBroken(true)} aria-label={`Recording ${of.number}`} />
      {broken ? (
        <p class="warning" role="alert">
          The sound did not come: the file is not on this node's disk any more, or it was opened too long ago.{" "}
          <button type="button" class="link" onClick={() => setSource(null)}>
            Begin anew
          </button>
        </p>
      ) : null}
    </>
  );
}

export function Sound({ call }: { call: string }) {
  const me = useMe();
  const list = useApi("GET /calls/{call}/recordings", { path: { call } }, { on: (fact) => fact.call === call && fact.type === "recording", soonMs: 1000 });
  return (
    <Panel title="Recording">
      <Shown of={list}>
        {(data) =>
          data.items.length === 0 ? (
            <p class="about">This call was not recorded.</p>
          ) : (
            <ul class="recordings">
              {data.items.map((r) => (
                <li key={r.number}>
                  <p>
                    <Duration ms={r.duration_ms} /> {r.state === "kept" ? "" : `(${r.state}${r.why ? ": " + f.words(r.why) : ""}) `}
                    {r.gone_at ? (
                      <span class="about">
                        deleted <Time at={r.gone_at} named />
                      </span>
                    ) : (
                      <span class="about">
                        at node {r.node}
                        {r.due_at ? (
                          <>
                            , kept until <Time at={r.due_at} named />
                          </>
                        ) : null}
                      </span>
                    )}
                  </p>
                  {r.gone_at || r.state === "failed" ? null : me.masked ? (
                    <p class="about">A voice cannot be masked: this session may not hear it.</p>
                  ) : r.here ? (
                    <>
                      <Listen call={call} of={r} />
                      <p class="about">Left the caller, right the agent. That you listened is written into the audit.</p>
                    </>
                  ) : (
                    <p class="about">It lies on the disk of node {r.node}: open this call in that node's console.</p>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}

type CostLine = CallCost["lines"][number];
type TurnLine = CallCost["turns"][number];

const lineColumns: Column<CostLine>[] = [
  { key: "item", head: "For", cell: (l) => `${l.item}${l.unit && l.item === "model" ? ", " + f.words(l.unit) : ""}` },
  { key: "quantity", head: "Quantity", align: "right", cell: (l) => <Count value={l.quantity} digits={l.quantity !== null && !Number.isInteger(l.quantity) ? 2 : 0} unit={l.item === "model" ? "tokens" : l.unit ?? undefined} /> },
  { key: "basis", head: "Known", cell: (l) => l.basis ?? l.reason ?? f.UNKNOWN },
  { key: "usd", head: "Cost", align: "right", cell: (l) => <Money microUsd={l.micro_usd_exact} about={l.basis} digits={6} /> },
];

const sum = (units: Record<string, number>, ...names: string[]) => names.reduce((n, name) => n + (units[name] ?? 0), 0);

const turnColumns: Column<TurnLine>[] = [
  { key: "turn", head: "Turn", cell: (t) => (t.turn === null ? (t.role === "caller" ? "transcription" : "without a turn") : f.count(t.turn)) },
  { key: "in", head: "In", align: "right", cell: (t) => (t.role === "caller" ? f.UNKNOWN : <Count value={sum(t.units, "text_in", "audio_in")} />), title: "tokens in, without cached ones" },
  { key: "cached", head: "Cached", align: "right", cell: (t) => (t.role === "caller" ? f.UNKNOWN : <Count value={sum(t.units, "text_cached", "audio_cached")} />), title: "tokens in, from the cache" },
  { key: "out", head: "Out", align: "right", cell: (t) => (t.role === "caller" ? f.UNKNOWN : <Count value={sum(t.units, "text_out", "audio_out")} />), title: "tokens out" },
  { key: "usd", head: "Cost", align: "right", cell: (t) => <Money microUsd={t.micro_usd_exact} about={t.reason} digits={6} /> },
];

export function Cost({ call }: { call: string }) {
  const cost = useApi("GET /calls/{call}/cost", { path: { call } });
  const [view, setView] = useState<"lines" | "turns">("lines");
  return (
    <Panel
      title="Cost"
      actions={<Choice label="By" value={view} of={[{ value: "lines", name: "By item" }, { value: "turns", name: "By turn" }]} onChange={setView} />}
      flush
    >
      <Shown of={cost}>
        {(data) => (
          <>
            <p class="panel-lead">
              <b>
                <Money microUsd={data.micro_usd} />
              </b>
              <span class="about">
                {data.micro_usd === null ? f.words(data.reason ?? "not known") : "in all"}
                {data.computed_at ? (
                  <>
                    , reckoned <Time at={data.computed_at} named />
                  </>
                ) : null}
              </span>
            </p>
            {view === "lines" ? (
              <Table caption="What it cost, by item" columns={lineColumns} rows={data.lines} rowKey={(l) => `${l.item} ${l.model} ${l.unit} ${l.micro_usd_per_million}`} empty={<Empty>No part of it is known yet.</Empty>} />
            ) : (
              <Table caption="What it cost, by turn" columns={turnColumns} rows={data.turns} rowKey={(t) => `${t.role} ${t.turn} ${t.at}`} empty={<Empty>{data.turns_reason ?? "No turn cost anything that is known."}</Empty>} />
            )}
          </>
        )}
      </Shown>
    </Panel>
  );
}

type Told = Record<string, unknown>;
const list = (value: unknown): Told[] => (Array.isArray(value) ? (value as Told[]) : []);
const said = (value: unknown): string => (value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

/** The command that explains this call, and what it would tell. */
export function Why({ call }: { call: string }) {
  const why = useApi("GET /calls/{call}/why", { path: { call } });
  const command = `ringdown why ${call}`;
  return (
    <Panel
      title="Why"
      actions={
        <>
          <Code>{command}</Code>
          <CopyButton text={command} />
        </>
      }
    >
      <Shown of={why}>
        {(data) => {
          const rows: [string, string, string][] = [
            ...list(data.decisions).map((d): [string, string, string] => ["decision", [d.system, said(d.reason).replaceAll("_", " "), d.detail, d.failover].filter(Boolean).map(said).join(", "), said(d.fix)]),
            ...list(data.interventions).map((d): [string, string, string] => ["operator", [d.action, d.who, d.detail].filter(Boolean).map(said).join(", "), ""]),
            ...list(data.errors).map((d): [string, string, string] => ["error", [d.code, d.message].filter(Boolean).map(said).join(": "), said(d.fix)]),
            ...list(data.alarms).map((d): [string, string, string] => ["alarm", [d.kind, d.text].filter(Boolean).map(said).join(": "), said(d.fix)]),
          ];
          return (
            <>
              <Facts
                rows={rows.map(([name, what, fix], i) => [
                  `${name}${"\u200b".repeat(i)}`,
                  <>
                    {what || f.UNKNOWN}
                    {fix ? <div class="about">{fix}</div> : null}
                  </>,
                ])}
              />
              {rows.length === 0 ? <p class="about">Nothing explains it beyond what happened.</p> : null}
              <details class="raw">
                <summary>the whole answer</summary>
                <pre tabIndex={0}>{JSON.stringify(data, null, 2)}</pre>
              </details>
            </>
          );
        }}
      </Shown>
    </Panel>
  );
}
