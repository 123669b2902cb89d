// SPDX-License-Identifier: Apache-2.0
// shell - what stands around each page: the rail, and a bar that says whether what one sees is live, in which zone
// times are told, and who is here.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { connection, reconnect } from "./api/events";
import { pages, type PageEntry, type PageProps } from "./pages";
import { ownZone, theme, zone, type Theme } from "./state/prefs";
import { navigate, useRoute } from "./state/router";
import { hasRole, logOut, useMe, type Me } from "./state/session";
import { useStore } from "./state/store";
import { Dialogs } from "./ui/dialog";
import * as f from "./ui/format";
import { Guard } from "./ui/guard";
import { Empty, Failed, Loading } from "./ui/states";
import { Toasts } from "./ui/toast";
import { Badge, useNow } from "./ui/values";
import { Page } from "./ui/view";

function Connection() {
  const now = useStore(connection);
  const present = useNow(1000);
  if (now.state === "live")
    return (
      <Badge tone="good" title="Changes are shown as they happen">
        live
      </Badge>
    );
  if (now.state === "connecting" || now.state === "off") return <Badge>connecting</Badge>;
  const left = now.retryAt ? Math.max(0, Math.ceil((now.retryAt - present.getTime()) / 1000)) : null;
  if (now.state === "stale")
    return (
      <Badge tone="warn" title={now.why ?? undefined}>
        stale for {f.duration(present.getTime() - now.since)}
      </Badge>
    );
  return (
    <span class="connection">
      <Badge tone="bad" title={now.why ?? undefined}>
        disconnected{left === null ? "" : `, again in ${left} s`}
      </Badge>
      {now.retryAt ? (
        <button type="button" class="link" onClick={reconnect}>
          now
        </button>
      ) : null}
    </span>
  );
}

function ConnectionNote() {
  const now = useStore(connection);
  if (now.state !== "disconnected" && now.state !== "stale") return null;
  return (
    <p class="stale" role="status">
      {now.why}: what you see may be old. {now.retryAt ? "This page connects again by itself; calls do not depend on it." : "Log in again to go on."}
    </p>
  );
}

function Zone() {
  const chosen = useStore(zone);
  const present = useNow(1000);
  return (
    <label class="bar-item">
      <span class="num">{f.clock(present, chosen)}</span>
      <span class="hidden">Time zone</span>
      <select value={chosen} onChange={(e) => zone.set(e.currentTarget.value)}>
        <option value={ownZone}>{ownZone}</option>
        {ownZone === "UTC" ? null : <option value="UTC">UTC</option>}
      </select>
    </label>
  );
}

const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function ThemeSwitch() {
  const chosen = useStore(theme);
  return (
    <button type="button" class="bar-button" title="Light, dark, or as the system has it" onClick={() => theme.set(next[chosen])}>
      <span class="hidden">Colours: </span>
      <span aria-hidden="true">{{ system: "◐", light: "○", dark: "●" }[chosen]}</span> {{ system: "auto", light: "light", dark: "dark" }[chosen]}
    </button>
  );
}

export function whoIs(me: Me): string {
  return me.who.replace(/^token (\S+) \(\w+\)$/, "$1");
}

function Who() {
  const me = useMe();
  const present = useNow(30_000);
  const left = me.expires_unix ? me.expires_unix * 1000 - present.getTime() : null;
  return (
    <div class="bar-item who">
      <span title={me.agents ? `only ${me.agents.join(", ")}` : "all agents"}>
        <b>{whoIs(me)}</b> {me.role}
        {me.agents ? `, ${f.plural(me.agents.length, "agent")}` : ""}
        {me.masked ? ", masked" : ""}
      </span>
      {left !== null && left < 30 * 60_000 ? <Badge tone="warn">{f.duration(Math.max(0, left))} left</Badge> : null}
      <button type="button" class="bar-button" onClick={() => void logOut()}>
        Log out
      </button>
    </div>
  );
}

const seen = (entry: PageEntry, me: Me) => hasRole(me, entry.role) && !(entry.all && me.agents);

function Rail({ here, me }: { here: string; me: Me }) {
  const shown = pages.filter((p) => seen(p, me));
  return (
    <nav class="rail" aria-label="Pages">
      <a class="brand" href="/today">
        <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
          <circle cx="9" cy="9" r="7" class="jack" />
          <circle cx="9" cy="9" r="2.5" class="lamp" />
        </svg>
        Ringdown
      </a>
      <ul>
        {shown.map((p, i) => (
          <li key={p.path} class={i > 0 && shown[i - 1]!.group !== p.group ? "gap" : undefined}>
            <a href={"/" + p.path} aria-current={here === p.path ? "page" : undefined}>
              {p.title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Draws a page, once its file is here. */
function Place({ entry, rest }: { entry: PageEntry; rest: string[] }) {
  const [found, setFound] = useState<{ of: PageEntry; component: ComponentType<PageProps> | null; why: unknown } | null>(null);
  const [tried, setTried] = useState(0);
  useEffect(() => {
    let current = true;
    entry.load!().then(
      (m) => current && setFound({ of: entry, component: m.default, why: null }),
      (why: unknown) => current && setFound({ of: entry, component: null, why }),
    );
    return () => void (current = false);
  }, [entry, tried]);
  if (!found || found.of !== entry) return <Loading />;
  if (!found.component) return <Failed why={found.why} again={() => setTried((n) => n + 1)} />;
  const Component = found.component;
  return <Component rest={rest} />;
}

export function Shell() {
  const me = useMe();
  const { segments, path, query } = useRoute();
  const [first, ...rest] = segments;
  const entry = pages.find((p) => p.path === first && seen(p, me));
  useEffect(() => {
    if (!first) navigate("/today", { replace: true });
  }, [first]);
  return (
    <div class="shell">
      <a class="skip" href="#main">
        To the page
      </a>
      <Rail here={first ?? ""} me={me} />
      <header class="bar">
        <Connection />
        <span class="bar-space" />
        <Zone />
        <ThemeSwitch />
        <Who />
      </header>
      <main id="main" tabIndex={-1}>
        {me.demo ? <p class="demo">Demo data: calls in this database were made up or came from the simulator.</p> : null}
        <ConnectionNote />
        {entry ? (
          <Guard at={`${path}?${query.toString()}`}>
            <Place key={entry.path} entry={entry} rest={rest} />
          </Guard>
        ) : first ? (
          <Page title="Nothing here">
            <Empty remedy="The pages stand at the left.">There is no page at this address, or it is not for your role.</Empty>
          </Page>
        ) : null}
      </main>
      <Dialogs />
      <Toasts />
    </div>
  );
}
