// SPDX-License-Identifier: Apache-2.0
// view - the frame of a page, and of what it shows of an answer.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { askFailedAgain, type Loaded } from "../api/asking";
import { Failed, Loading, Stale } from "./states";

/** Each page is one of these: its heading gets the focus when one comes here. */
export function Page(o: { title: string; about?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${o.title} · Ringdown`;
  }, [o.title]);
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement?.closest(".rail")) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <header class="page-head">
        <div>
          <h1 tabIndex={-1} ref={heading}>
            {o.title}
          </h1>
          {o.about ? <p class="about">{o.about}</p> : null}
        </div>
        {o.actions ? <div class="actions">{o.actions}</div> : null}
      </header>
      {o.children}
    </>
  );
}

/** A part of a page with a heading of its own. */
export function Panel(o: { title?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren; flush?: boolean; id?: string }) {
  return (
    <section class={o.flush ? "panel flush" : "panel"} id={o.id}>
      {o.title || o.actions ? (
        <header class="panel-head">
          <h2>{o.title}</h2>
          {o.actions ? <div class="actions">{o.actions}</div> : null}
        </header>
      ) : null}
      <div class="panel-body">{o.children}</div>
    </section>
  );
}

/** Loading, failed, old, or there: `children` draws what is there. */
export function Shown<T>({ of, what, children }: { of: Loaded<T>; what?: string; children: (data: T) => ComponentChildren }) {
  const again = () => (of.reload(), askFailedAgain());
  if (of.data === undefined) return of.error ? <Failed why={of.error} again={again} /> : <Loading what={what} />;
  return (
    <>
      {of.error ? <Stale why={of.error} again={again} /> : null}
      {children(of.data)}
    </>
  );
}

/** Name and value, one below the other. */
export function Facts({ rows }: { rows: ([string, ComponentChildren] | null)[] }) {
  return (
    <dl class="facts">
      {rows.map((row) =>
        row ? (
          <div key={row[0]}>
            <dt>{row[0]}</dt>
            <dd>{row[1]}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

/** Large numbers side by side. */
export function Figures({ of }: { of: { name: string; value: ComponentChildren; about?: ComponentChildren; href?: string }[] }) {
  return (
    <dl class="figures">
      {of.map((one) => (
        <div key={one.name}>
          <dt>{one.name}</dt>
          <dd class="value">{one.href ? <a href={one.href}>{one.value}</a> : one.value}</dd>
          {one.about ? <dd class="about">{one.about}</dd> : null}
        </div>
      ))}
    </dl>
  );
}
