// SPDX-License-Identifier: Apache-2.0
// texts - conversations, the last text of each; and one of them, as both sides wrote it, with what became of each text.
import type { Fact } from "../api/events";
import type { Text } from "../api/types";
import { useApi } from "../api/use";
import { to, useQuery } from "../state/router";
import { useMe } from "../state/session";
import { Pager } from "../ui/controls";
import * as f from "../ui/format";
import { ScopeFilters } from "../ui/scope";
import { Empty } from "../ui/states";
import { listOf } from "../ui/sums";
import { Table, type Column } from "../ui/table";
import { Badge, Code, Phone, Time, type Tone } from "../ui/values";
import { Page, Panel, Shown } from "../ui/view";
import type { PageProps } from "../pages";

const isText = (fact: Fact) => fact.type === "text" || fact.type === "missed";

/** What the carrier says became of it, as a state. */
export function stateOf(text: Pick<Text, "direction" | "status" | "error_code">): { tone: Tone; word: string } {
  if (text.direction === "in") return { tone: "quiet", word: "received" };
  const status = text.status ?? "not told";
  if (text.error_code || status === "failed" || status === "undelivered") return { tone: "bad", word: f.words(status) };
  if (status === "delivered") return { tone: "good", word: status };
  if (status === "scheduled" || status === "held") return { tone: "warn", word: status };
  return { tone: "quiet", word: f.words(status) };
}

function State({ of }: { of: Text }) {
  const { tone, word } = stateOf(of);
  return (
    <Badge tone={tone}>
      {word}
      {of.status === "scheduled" && of.due_at ? (
        <>
          {" until "}
          <Time at={of.due_at} />
        </>
      ) : null}
    </Badge>
  );
}

const threadHref = (t: Text) => listOf(to("texts", t.number ?? ""), { agent: t.agent });

function Body({ of, masked }: { of: Text; masked: boolean }) {
  if (of.body !== null) return <>{of.body}</>;
  return <span class="unknown">{masked ? "hidden" : "its words were not kept"}</span>;
}

function Threads() {
  const [query] = useQuery();
  const me = useMe();
  const texts = useApi("GET /texts", { query: { agent: query.get("agent") ?? undefined, cursor: query.get("cursor") ?? undefined, limit: 50 } }, { on: isText, everyMs: 60_000 });
  const columns: Column<Text>[] = [
    { key: "number", head: "With", cell: (t) => <Phone number={t.number} />, sort: (t) => t.number },
    { key: "at", head: "Last", cell: (t) => <Time at={t.created_at} />, sort: (t) => t.created_at },
    { key: "way", head: "From", cell: (t) => (t.direction === "in" ? "them" : "us"), sort: (t) => t.direction },
    { key: "body", head: "What", wide: true, cell: (t) => <Body of={t} masked={me.masked} /> },
    { key: "kind", head: "For", cell: (t) => (t.to_people ? "one of ours" : f.words(t.kind)), sort: (t) => t.kind },
    { key: "agent", head: "Agent", cell: (t) => <span class="nowrap">{t.agent ?? f.UNKNOWN}</span>, sort: (t) => t.agent },
    { key: "state", head: "State", cell: (t) => <State of={t} />, sort: (t) => t.status },
  ];
  return (
    <Page title="Texts" about="conversations, the last text of each; the newest first">
      <ScopeFilters days={false} />
      <Panel flush>
        <Shown of={texts}>
          {(data) => (
            <>
              <Table
                caption="Conversations"
                columns={columns}
                rows={data.items}
                rowKey={(t) => t.id}
                href={(t) => (me.masked || !t.number ? null : threadHref(t))}
                rowClass={(t) => (stateOf(t).tone === "bad" ? "bad" : null)}
                empty={<Empty remedy="Agents text whom they promised to, and whom they missed.">There is no text yet.</Empty>}
              />
              <Pager next={data.next} shown={data.items.length} what="conversations" />
            </>
          )}
        </Shown>
      </Panel>
      {me.masked ? <p class="about">This token sees no numbers and no words, so it cannot open a conversation. A token made with --personal can.</p> : null}
    </Page>
  );
}

function Bubble({ of }: { of: Text }) {
  const me = useMe();
  return (
    <li class={of.direction === "in" ? "text-in" : "text-out"}>
      <p class="text-body">
        <Body of={of} masked={me.masked} />
      </p>
      <p class="about">
        {of.direction === "in" ? "they, " : "we, "}
        <Time at={of.created_at} precision="second" /> {of.direction === "out" ? <State of={of} /> : null}
        {of.error_code ? (
          <>
            {" "}
            <Code>{of.error_code}</Code>
          </>
        ) : null}
        {of.kind ? ` ${f.words(of.kind)}${of.template ? `, ${f.words(of.template)}` : ""}` : ""}
        {of.segments && of.segments > 1 ? `, ${f.plural(of.segments, "segment")}` : ""}
        {of.agent ? `, ${of.agent}` : ""} {of.call ? <a href={to("calls", of.call)}>its call</a> : null}
      </p>
    </li>
  );
}

function Thread({ number }: { number: string }) {
  const [query] = useQuery();
  const agent = query.get("agent") ?? undefined;
  const texts = useApi("GET /texts/{number}", { path: { number }, query: { agent, cursor: query.get("cursor") ?? undefined, limit: 100 } }, { on: isText, everyMs: 60_000 });
  return (
    <Page
      title={`Texts with ${number}`}
      about="the oldest above"
      actions={
        <>
          <a href={listOf("/calls", { number })}>Calls of this number</a>
          <a href={listOf("/appointments", { number })}>Visits</a>
          <a href="/texts">All conversations</a>
        </>
      }
    >
      <ScopeFilters days={false} />
      <Panel flush>
        <Shown of={texts}>
          {(data) =>
            data.items.length === 0 ? (
              <Empty remedy="Look under another agent, or at all conversations.">There is no text with this number.</Empty>
            ) : (
              <>
                <ol class="thread">
                  {[...data.items].reverse().map((t) => (
                    <Bubble key={t.id} of={t} />
                  ))}
                </ol>
                <Pager next={data.next} shown={data.items.length} what="texts" />
              </>
            )
          }
        </Shown>
      </Panel>
    </Page>
  );
}

export default function TextsPage({ rest }: PageProps) {
  return rest[0] ? <Thread number={rest[0]} /> : <Threads />;
}
