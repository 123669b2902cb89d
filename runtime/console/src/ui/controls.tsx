// SPDX-License-Identifier: Apache-2.0
// controls - buttons, tabs, filters that live in the address, and the way through long lists.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../api/problem";
import { useQuery, useRoute } from "../state/router";
import { toast } from "./toast";

interface ButtonProps {
  children: ComponentChildren;
  onClick: () => unknown;
  kind?: "primary" | "danger" | "plain";
  disabled?: boolean;
  title?: string;
}

/** While what it began goes on it cannot be pressed again; what goes wrong is told. */
export function Button({ children, onClick, kind = "plain", disabled, title }: ButtonProps) {
  const [busy, setBusy] = useState(false);
  const mounted = useRef(true);
  useEffect(() => () => void (mounted.current = false), []);
  const press = async () => {
    setBusy(true);
    try {
      await onClick();
    } catch (why) {
      toast.problem(why as Problem);
    } finally {
      if (mounted.current) setBusy(false);
    }
  };
  return (
    <button type="button" class={`button ${kind}`} disabled={disabled || busy} aria-busy={busy} title={title} onClick={() => void press()}>
      {children}
    </button>
  );
}

export function CopyButton({ text, what = "Copy" }: { text: string; what?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button type="button" class="button small" onClick={() => void copy().catch(() => toast.say("The browser does not let this page copy; select the text and copy it."))}>
      <span aria-live="polite">{done ? "Copied" : what}</span>
    </button>
  );
}

/** Tabs are places: each has its address, and what stands below it (/alerts/rules/drift) is in it. */
export function Tabs({ label, of }: { label: string; of: { href: string; name: string; count?: number | null }[] }) {
  const { path } = useRoute();
  const place = (tab: { href: string }) => tab.href.split("?")[0]!;
  const here = of.filter((tab) => path === place(tab) || path.startsWith(place(tab) + "/")).sort((a, b) => place(b).length - place(a).length)[0];
  return (
    <nav class="tabs" aria-label={label}>
      {of.map((tab) => (
        <a key={tab.href} href={tab.href} aria-current={tab === here ? "page" : undefined}>
          {tab.name}
          {tab.count !== undefined && tab.count !== null ? <span class="tab-count num">{tab.count}</span> : null}
        </a>
      ))}
    </nav>
  );
}

/** Two or three choices side by side. */
export function Choice<T extends string>(o: { label: string; value: T; of: { value: T; name: string }[]; onChange: (value: T) => void }) {
  return (
    <div class="choice" role="group" aria-label={o.label}>
      {o.of.map((one) => (
        <button key={one.value} type="button" aria-pressed={one.value === o.value} onClick={() => o.onChange(one.value)}>
          {one.name}
        </button>
      ))}
    </div>
  );
}

export type Filter =
  | { name: string; label: string; type: "text" | "search"; hint?: string }
  | { name: string; label: string; type: "select"; options: { value: string; name: string }[]; any?: string }
  | { name: string; label: string; type: "date" }
  | { name: string; label: string; type: "check" };

function TextFilter({ of, value, set }: { of: Extract<Filter, { type: "text" | "search" }>; value: string; set: (v: string) => void }) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => setText((typed) => (typed.trim() === value ? typed : value)), [value]); // not the blank before the next word
  useEffect(() => () => clearTimeout(timer.current), []);
  const later = (next: string) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => set(next.trim()), 400);
  };
  return <input type={of.type} value={text} placeholder={of.hint} onInput={(e) => later(e.currentTarget.value)} onBlur={() => (clearTimeout(timer.current), text.trim() !== value && set(text.trim()))} />;
}

/** Filters, kept in the address: a link to this page shows the same. Read them with useQuery(). */
export function Filters({ of }: { of: Filter[] }) {
  const [query, change] = useQuery();
  const set = (name: string) => (value: string | null) => change({ [name]: value });
  const some = of.some((f) => query.get(f.name));
  return (
    <form class="filters" role="search" onSubmit={(e) => e.preventDefault()}>
      {of.map((f) => {
        const value = query.get(f.name) ?? "";
        if (f.type === "check")
          return (
            <label key={f.name} class="check">
              <input type="checkbox" checked={value === "true"} onChange={(e) => set(f.name)(e.currentTarget.checked ? "true" : null)} />
              {f.label}
            </label>
          );
        return (
          <label key={f.name}>
            <span>{f.label}</span>
            {f.type === "select" ? (
              <select value={value} onChange={(e) => set(f.name)(e.currentTarget.value)}>
                <option value="">{f.any ?? "all"}</option>
                {f.options.map((o) => (
                  <option key={o.value} value={o.value}>
                    {o.name}
                  </option>
                ))}
              </select>
            ) : f.type === "date" ? (
              <input type="date" value={value} onChange={(e) => set(f.name)(e.currentTarget.value)} />
            ) : (
              <TextFilter of={f} value={value} set={set(f.name)} />
            )}
          </label>
        );
      })}
      {some ? (
        <button type="button" class="link" onClick={() => change(Object.fromEntries(of.map((f) => [f.name, null])))}>
          Clear
        </button>
      ) : null}
    </form>
  );
}

/** Through a list with `next`: the place is in the address, the browser's way back goes back. */
export function Pager({ next, shown, what = "rows" }: { next: string | null | undefined; shown: number; what?: string }) {
  const [query, change] = useQuery();
  const later = query.get("cursor") !== null;
  if (!later && !next) return null;
  return (
    <nav class="pager" aria-label="Through the list">
      <button type="button" class="button small" disabled={!later} onClick={() => change({ cursor: null })}>
        Newest
      </button>
      <span class="about">
        {shown} {what}
      </span>
      <button type="button" class="button small" disabled={!next} onClick={() => change({ cursor: next })}>
        Older
      </button>
    </nav>
  );
}
