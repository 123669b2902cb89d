// SPDX-License-Identifier: Apache-2.0
// settings - who may come in, what things cost, and who changed what: /settings/tokens, /settings/rates, /settings/audit.
import { useState } from "preact/hooks";
import { sayWho } from "../api/changed";
import { ask, newKey } from "../api/client";
import { asProblem } from "../api/problem";
import type { Change, Rate, Token } from "../api/types";
import { useApi } from "../api/use";
import type { PageProps } from "../pages";
import { useQuery } from "../state/router";
import { useMay, useMe } from "../state/session";
import { Button, CopyButton, Filters, Pager, Tabs } from "../ui/controls";
import { confirm, preview } from "../ui/dialog";
import * as f from "../ui/format";
import { Empty } from "../ui/states";
import { Table, type Column } from "../ui/table";
import { toast } from "../ui/toast";
import { Badge, Code, Time } from "../ui/values";
import { Page, Panel, Shown } from "../ui/view";
import { aligned, behind, differences, perOf, priceOf, rateName, startOf, tokenBody, units, whatName, withOrWithout, type TokenForm, type What } from "./settings/words";

// ---- tokens ----

const lasts = { "1d": "a day", "30d": "30 days", "90d": "90 days", "365d": "a year", never: "for ever" };
const blank: TokenForm = { name: "", role: "viewer", agents: [], sees: false, expires: "90d" };

function NewToken({ made }: { made: (token: Token) => void }) {
  const [form, setForm] = useState(blank);
  const agents = useApi("GET /agents", {});
  const set = (patch: Partial<TokenForm>) => setForm((was) => ({ ...was, ...patch }));
  const names = [...new Set((agents.data?.items ?? []).map((a) => a.agent))].sort();
  const create = async () => {
    const body = tokenBody(form);
    let token: Token | null = null;
    await preview({
      title: `Make the token ${body.name}?`,
      verb: `Make ${body.name}`,
      load: async () => ({
        summary: "Its secret is shown once, after this; nobody can look it up later.",
        warnings: [
          ...(body.role === "admin" ? ["An admin may do all: make tokens, drain nodes, change prices."] : []),
          ...(body.expires === "never" ? ["It works until somebody revokes it."] : []),
          ...(body.sees_personal ? ["It sees callers’ numbers, names and words."] : []),
        ],
        changes: [
          { what: "Name", before: "–", after: body.name, note: "what the audit calls it" },
          { what: "Role", before: "–", after: body.role },
          { what: "Agents", before: "–", after: body.agents?.join(", ") ?? "all" },
          { what: "Lasts", before: "–", after: lasts[body.expires as keyof typeof lasts] },
        ],
      }),
      commit: async () => void (token = (await ask("POST /tokens", { body })).data),
    });
    if (!token) return;
    setForm(blank);
    made(token);
  };
  return (
    <Panel title="New token">
      <form class="filters form" onSubmit={(e) => (e.preventDefault(), form.name.trim() && void create())}>
        <label>
          <span>Name</span>
          <input type="text" required maxLength={64} pattern="[A-Za-z0-9_.\-]+" title="letters, digits, _ . -" autocomplete="off" value={form.name} onInput={(e) => set({ name: e.currentTarget.value })} />
        </label>
        <label>
          <span>Role</span>
          <select value={form.role} onChange={(e) => set({ role: e.currentTarget.value as TokenForm["role"] })}>
            <option value="viewer">viewer</option>
            <option value="operator">operator</option>
            <option value="admin">admin</option>
          </select>
        </label>
        <label>
          <span>Lasts</span>
          <select value={form.expires} onChange={(e) => set({ expires: e.currentTarget.value })}>
            {Object.entries(lasts).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {form.role === "viewer" ? (
          <label class="check">
            <input type="checkbox" checked={form.sees} onChange={(e) => set({ sees: e.currentTarget.checked })} />
            sees numbers, names and words
          </label>
        ) : null}
        <button type="submit" class="button">
          Make…
        </button>
        <fieldset class="some">
          <legend>Only these agents (none chosen: all)</legend>
          {names.map((name) => (
            <label key={name} class="check">
              <input type="checkbox" checked={form.agents.includes(name)} onChange={(e) => set({ agents: withOrWithout(form.agents, name, e.currentTarget.checked) })} />
              {name}
            </label>
          ))}
          {names.length === 0 ? <span class="about">{agents.error ? asProblem(agents.error).sentence : "This node has no agent."}</span> : null}
        </fieldset>
      </form>
    </Panel>
  );
}

function Secret({ token, done }: { token: Token; done: () => void }) {
  return (
    <Panel title={`The secret of ${token.name}`} actions={<Button onClick={done}>I have it</Button>}>
      <p>This is the only time it is shown. Keep it where secrets are kept.</p>
      <p class="command secret">
        <Code>{token.token}</Code> <CopyButton text={token.token ?? ""} />
      </p>
    </Panel>
  );
}

const tokenTone = { good: "good", expired: "quiet", revoked: "quiet" } as const;

function Tokens() {
  const [query] = useQuery();
  const me = useMe();
  const [made, setMade] = useState<Token | null>(null);
  const tokens = useApi("GET /tokens", { query: { all: query.get("all") === "true", cursor: query.get("cursor") ?? undefined } });
  const revoke = async (t: Token) => {
    const own = me.who.includes(`token ${t.name} `);
    const yes = await confirm({
      title: `Revoke ${t.name}?`,
      what: (
        <>
          <p>Its next request is refused and its streams end within a minute. There is no way back: make another.</p>
          {t.session ? <p class="remedy">It is a session of this console: whoever has it is logged out.</p> : null}
          {own ? <p class="remedy">It is yours: you are logged out.</p> : null}
        </>
      ),
      verb: `Revoke ${t.name}`,
      type: t.session ? undefined : t.name,
    });
    if (!yes) return;
    await ask("DELETE /tokens/{id}", { path: { id: t.id } });
    if (made?.id === t.id) setMade(null);
    toast.say(`${t.name} is revoked.`);
    tokens.reload();
  };
  const columns: Column<Token>[] = [
    {
      key: "name",
      head: "Name",
      cell: (t) => (
        <>
          <b>{t.name}</b>
          {t.session ? <span class="about"> session</span> : null}
        </>
      ),
      sort: (t) => t.name,
    },
    { key: "state", head: "State", cell: (t) => <Badge tone={tokenTone[t.state]}>{t.state}</Badge>, sort: (t) => t.state },
    { key: "role", head: "Role", cell: (t) => t.role + (t.sees_personal ? ", sees personal data" : ""), sort: (t) => t.role },
    { key: "agents", head: "Agents", cell: (t) => t.agents?.join(", ") ?? "all", sort: (t) => t.agents?.join(", ") ?? "" },
    { key: "by", head: "Made by", cell: (t) => t.made_by, sort: (t) => t.made_by },
    { key: "made", head: "Made", cell: (t) => <Time at={t.made_at} />, sort: (t) => t.made_at },
    { key: "expires", head: "Ends", cell: (t) => (t.revoked_at || t.expires_at ? <Time at={t.revoked_at ?? t.expires_at} /> : "never"), sort: (t) => t.expires_at },
    { key: "used", head: "Last used", cell: (t) => <Time at={t.last_used_at} relative />, sort: (t) => t.last_used_at },
    {
      key: "do",
      head: "",
      align: "right",
      cell: (t) =>
        t.state === "good" ? (
          <Button kind="danger" onClick={() => revoke(t)} title={`Revoke ${t.name}`}>
            Revoke…
          </Button>
        ) : null,
    },
  ];
  return (
    <>
      {made ? (
        <Secret token={made} done={() => setMade(null)} />
      ) : (
        <NewToken
          made={(token) => {
            setMade(token);
            tokens.reload();
          }}
        />
      )}
      <Filters of={[{ name: "all", label: "expired and revoked ones too", type: "check" }]} />
      <Panel title="Tokens" flush>
        <Shown of={tokens}>
          {(data) => (
            <>
              <Table caption="Tokens" columns={columns} rows={data.items} rowKey={(t) => t.id} rowClass={(t) => (t.state === "good" ? null : "faint")} empty={<Empty>There is no token.</Empty>} />
              <Pager next={data.next} shown={data.items.length} what="tokens" />
            </>
          )}
        </Shown>
      </Panel>
    </>
  );
}

// ---- rates ----

interface RateForm {
  what: What;
  model: string;
  unit: string;
  price: string;
  from: string;
  source: string;
  recost: boolean;
}

const dollars = (r: Rate) => `$${r.usd} per ${r.per}`;

function RateEditor({ rate, rates, done }: { rate: Rate | null; rates: Rate[]; done: (changed: boolean) => void }) {
  const [form, setForm] = useState<RateForm>({ what: rate?.what ?? "sms", model: rate?.model ?? "", unit: rate?.unit ?? "segment", price: rate?.usd ?? "", from: "", source: rate?.source ?? "", recost: false });
  const set = (patch: Partial<RateForm>) => setForm((was) => ({ ...was, ...patch }));
  const price = priceOf(form.price);
  const write = async () => {
    const once = newKey();
    const name = rateName(form);
    let job: string | null = null;
    let seen: string | null = null;
    const body = {
      what: form.what,
      unit: form.unit,
      price: price!,
      ...(form.model ? { model: form.model } : {}),
      ...(form.from ? { from: form.from } : {}),
      ...(form.source.trim() ? { source: form.source.trim() } : {}),
      ...(form.recost ? { recost: true } : {}),
    };
    const yes = await preview({
      title: `Another price of ${name}?`,
      verb: "Set the price",
      load: async (signal) => {
        const { data, etag } = await ask("POST /costs/rates", { body: { ...body, dry_run: true }, signal });
        if (!("rate" in data)) throw new Error("the node did not say what would be written");
        seen = etag;
        const held = data.was;
        const day = form.from || "now";
        const moved = rate && held && (held.micro_usd_per_million !== rate.micro_usd_per_million || held.valid_from !== rate.valid_from);
        const again = data.calls === null || data.calls === undefined ? "Calls since then are" : data.calls >= 100_000 ? "100,000 calls or more since then are" : `${f.plural(data.calls, "call")} since then ${data.calls === 1 ? "is" : "are"}`;
        return {
          summary: `From ${day}${form.from ? " (UTC)" : ""} on ${name} is reckoned at ${dollars(data.rate)}. ${form.recost ? `${again} reckoned anew, by a job.` : "What was reckoned before keeps its own price."} It cannot be taken back; another price can be set from a day on.`,
          warnings: moved && !form.from ? ["Somebody else has set another price meanwhile; this is shown against theirs."] : [],
          changes: [
            { what: `${name}, from ${day}`, before: held ? dollars(held) : "no price", after: dollars(data.rate) },
            ...(held ? [{ what: `${dollars(held)}, ends`, before: held.valid_to ?? "open", after: day }] : []),
          ],
        };
      },
      commit: async () => {
        const { data } = await sayWho(ask("POST /costs/rates", { once, body, ifMatch: seen ?? undefined }));
        job = "job" in data ? data.job : null;
      },
    });
    if (!yes) return;
    toast.say(job ? `Job ${job} reckons calls since then anew.` : `${name} has another price.`);
    done(true);
  };
  const models = [...new Set(rates.filter((r) => r.what === form.what && r.model).map((r) => r.model))].sort();
  return (
    <Panel title={rate ? `Another price of ${rateName(rate)}` : "Another price"} actions={<Button onClick={() => done(false)}>Cancel</Button>}>
      <form class="filters form" onSubmit={(e) => (e.preventDefault(), price && void write())}>
        <label>
          <span>What</span>
          <select value={form.what} onChange={(e) => set({ what: e.currentTarget.value as What, unit: units[e.currentTarget.value as What][0]!, model: "" })}>
            {Object.entries(whatName).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {form.what === "openai" ? (
          <label>
            <span>Model</span>
            <input type="text" required maxLength={128} list="models" value={form.model} onInput={(e) => set({ model: e.currentTarget.value })} />
            <datalist id="models">
              {models.map((m) => (
                <option key={m} value={m} />
              ))}
            </datalist>
          </label>
        ) : null}
        <label>
          <span>Unit</span>
          <select value={form.unit} onChange={(e) => set({ unit: e.currentTarget.value })}>
            {units[form.what].map((u) => (
              <option key={u} value={u}>
                {u.replaceAll("_", " ")}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Dollars per {perOf(form.unit)}</span>
          <input type="text" inputMode="decimal" required value={form.price} aria-invalid={!price && form.price !== ""} onInput={(e) => set({ price: e.currentTarget.value })} />
        </label>
        <label>
          <span>From (UTC; empty: now)</span>
          <input type="date" value={form.from} onInput={(e) => set({ from: e.currentTarget.value })} />
        </label>
        <label>
          <span>Where it stands</span>
          <input type="text" maxLength={400} value={form.source} onInput={(e) => set({ source: e.currentTarget.value })} />
        </label>
        <label class="check">
          <input type="checkbox" checked={form.recost} onChange={(e) => set({ recost: e.currentTarget.checked })} />
          reckon calls since then anew
        </label>
        <button type="submit" class="button" disabled={!price}>
          See what changes…
        </button>
        {!price && form.price ? <span class="about">A price is dollars like 0.0085.</span> : null}
      </form>
    </Panel>
  );
}

function Rates() {
  const [query] = useQuery();
  const may = useMay()("POST /costs/rates");
  const what = (query.get("what") ?? undefined) as What | undefined;
  const rates = useApi("GET /costs/rates", { query: { what } });
  const [edited, setEdited] = useState<{ rate: Rate | null } | null>(null);
  const past = query.get("past") === "true";
  const columns: Column<Rate>[] = [
    { key: "what", head: "What", cell: (r) => <b class="nowrap">{whatName[r.what]}</b>, sort: (r) => r.what },
    { key: "model", head: "Model", cell: (r) => <span class="nowrap">{r.model}</span>, sort: (r) => r.model },
    { key: "unit", head: "Unit", cell: (r) => <span class="nowrap">{r.unit.replaceAll("_", " ")}</span>, sort: (r) => r.unit },
    { key: "usd", head: "US dollars", align: "right", cell: (r) => <span class="num">{aligned(r.usd)}</span>, sort: (r) => Number(r.usd) },
    { key: "per", head: "per", cell: (r) => <span class="nowrap">{r.per}</span> },
    { key: "from", head: "From", cell: (r) => <Time at={r.valid_from} precision="day" zone="UTC" />, sort: (r) => r.valid_from },
    { key: "to", head: "To", cell: (r) => (r.valid_to ? <Time at={r.valid_to} precision="day" zone="UTC" /> : r.now ? <Badge tone="good">holds</Badge> : "open"), sort: (r) => r.valid_to },
    { key: "source", head: "Where it stands", prose: true, cell: (r) => r.source ?? "", sort: (r) => r.source },
  ];
  if (may)
    columns.push({
      key: "do",
      head: "",
      align: "right",
      cell: (r) =>
        r.now ? (
          <Button onClick={() => setEdited({ rate: r })} title={`Another price of ${rateName(r)}`}>
            Change…
          </Button>
        ) : null,
    });
  return (
    <>
      {edited ? (
        <RateEditor
          key={edited.rate ? rateName(edited.rate) : ""}
          rate={edited.rate}
          rates={rates.data?.items ?? []}
          done={(changed) => {
            setEdited(null);
            if (changed) rates.reload();
          }}
        />
      ) : null}
      <Filters
        of={[
          { name: "what", label: "What", type: "select", options: Object.entries(whatName).map(([value, name]) => ({ value, name })) },
          { name: "past", label: "those of before too", type: "check" },
        ]}
      />
      <Panel title="Prices" flush actions={may && !edited ? <Button onClick={() => setEdited({ rate: null })}>Another price…</Button> : null}>
        <Shown of={rates}>
          {(data) => (
            <Table
              caption="Prices"
              columns={columns}
              rows={data.items.filter((r) => past || r.now || !r.valid_to)}
              rowKey={(r) => `${r.what} ${r.model} ${r.unit} ${r.valid_from}`}
              rowClass={(r) => (r.now ? null : "faint")}
              empty={<Empty remedy="Without prices costs are not known.">There is no such price.</Empty>}
            />
          )}
        </Shown>
      </Panel>
    </>
  );
}

// ---- audit ----

function Changed({ of }: { of: Change }) {
  const list = differences(of.before, of.after);
  if (!list.length) return null;
  const shown = list.slice(0, 3);
  const one = (d: (typeof list)[number]) => (
    <li key={d.what}>
      <span class="about">{d.what}</span> {of.before ? <>{d.before} <span class="about">to</span> </> : null}
      {d.after}
    </li>
  );
  return (
    <>
      <ul class="differences">{shown.map(one)}</ul>
      {list.length > shown.length ? (
        <details>
          <summary>{list.length - shown.length} more</summary>
          <ul class="differences">{list.slice(3).map(one)}</ul>
        </details>
      ) : null}
    </>
  );
}

const changeColumns: Column<Change>[] = [
  { key: "at", head: "At", cell: (c) => <Time at={c.at} precision="second" />, sort: (c) => c.at },
  { key: "who", head: "Who", cell: (c) => c.who, sort: (c) => c.who },
  { key: "what", head: "What", cell: (c) => <Code>{c.what}</Code>, sort: (c) => c.what },
  { key: "subject", head: "Of", cell: (c) => c.subject ?? "", sort: (c) => c.subject },
  { key: "changed", head: "Before and after", cell: (c) => <Changed of={c} /> },
  { key: "node", head: "Node", cell: (c) => c.node ?? "", sort: (c) => c.node },
];

function Audit() {
  const [query] = useQuery();
  const of = (name: string) => query.get(name) ?? undefined;
  const audit = useApi("GET /audit", { query: { who: of("who"), what: of("what"), subject: of("subject"), since: startOf(query.get("since")), until: behind(query.get("until")), cursor: of("cursor") } });
  return (
    <>
      <Filters
        of={[
          { name: "who", label: "Who", type: "search", hint: "token ops (operator)" },
          { name: "what", label: "What", type: "search", hint: "tokens, or tokens.create" },
          { name: "subject", label: "Of", type: "search" },
          { name: "since", label: "Since (UTC)", type: "date" },
          { name: "until", label: "Until (UTC)", type: "date" },
        ]}
      />
      <Panel title="Who changed what" flush>
        <Shown of={audit}>
          {(data) => (
            <>
              <Table caption="Who changed what" columns={changeColumns} rows={data.items} rowKey={(c) => c.id} empty={<Empty remedy="Who, what and of are taken whole; clear the filters to see all.">No change is like that.</Empty>} />
              <Pager next={data.next} shown={data.items.length} what="changes" />
            </>
          )}
        </Shown>
      </Panel>
    </>
  );
}

export default function Settings({ rest }: PageProps) {
  const may = useMay();
  const tabs = [
    may("GET /tokens") ? { href: "/settings/tokens", name: "Tokens", of: Tokens } : null,
    { href: "/settings/rates", name: "Rates", of: Rates },
    may("GET /audit") ? { href: "/settings/audit", name: "Audit", of: Audit } : null,
  ].filter((t) => t !== null);
  const here = rest[0] ? tabs.find((t) => t.href === `/settings/${rest[0]}`) : tabs[0];
  return (
    <Page title="Settings" about="Who may come in, what things cost, and who changed what.">
      <Tabs label="Settings" of={tabs.map((t) => (t === here && !rest[0] ? { ...t, href: "/settings" } : t))} />
      {here ? <here.of key={here.href} /> : <Empty remedy="An admin sees more.">There is nothing here for your role.</Empty>}
    </Page>
  );
}
