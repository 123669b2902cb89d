// SPDX-License-Identifier: Apache-2.0
// dialog - two questions before something is changed.
//
//   if (await confirm({ title: "Hang up on +1…42?", what: "The call ends once …", verb: "Hang up" })) …
//   await preview({ title: "Send 3 numbers to us", load: () => Plan, verb: "Switch 3 numbers", commit: (plan) => … })
//
// confirm() names the thing; with `type` its name must be written. preview() shows what will be written, as the node
// says it (dry_run), before it is; what goes wrong in it is shown in it, and can be tried again.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, type Problem } from "../api/problem";
import { createStore, useStore } from "../state/store";
import { Failed, Loading } from "./states";

interface ConfirmOptions {
  title: string; // names the thing
  what: ComponentChildren; // what happens then, to whom
  verb: string;
  danger?: boolean;
  type?: string; // must be written before
}

export interface Plan {
  summary: ComponentChildren; // one sentence
  changes: { what: string; before: ComponentChildren; after: ComponentChildren; note?: ComponentChildren }[];
  warnings?: ComponentChildren[];
  more?: ComponentChildren; // whatever else one should see
  nothing?: boolean; // there is nothing to change
  reason?: "optional" | "needed"; // as of the options, when only the plan tells
  accept?: string; // what one must say to know, by a tick
  danger?: boolean;
  verb?: string;
}

interface PreviewOptions<P extends Plan> {
  title: string;
  verb: string;
  danger?: boolean;
  type?: string;
  reason?: "optional" | "needed"; // asks for words for the audit
  load: (signal: AbortSignal) => Promise<P>;
  commit: (plan: P, reason: string) => Promise<unknown>;
}

type Open = { kind: "confirm"; o: ConfirmOptions; done: (yes: boolean) => void } | { kind: "preview"; o: PreviewOptions<Plan>; done: (yes: boolean) => void };

const open = createStore<Open | null>(null);

function ask(make: (done: (yes: boolean) => void) => Open): Promise<boolean> {
  open.get()?.done(false);
  const before = document.activeElement as HTMLElement | null;
  return new Promise((resolve) => {
    const mine = make((yes) => {
      resolve(yes);
      if (open.get() !== mine) return; // another one is asked by now
      open.set(null);
      before?.focus?.();
    });
    open.set(mine);
  });
}

export const confirm = (o: ConfirmOptions): Promise<boolean> => ask((done) => ({ kind: "confirm", o, done }));

/** Nobody is asked any more: whoever was is gone. */
export const closeDialogs = (): void => open.get()?.done(false);

/** True: it was written. */
export const preview = <P extends Plan>(o: PreviewOptions<P>): Promise<boolean> =>
  ask((done) => ({ kind: "preview", o: o as unknown as PreviewOptions<Plan>, done }));

function Frame(o: { title: string; onCancel: () => void; children: ComponentChildren; wide?: boolean; stays?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={box}
      class={o.wide ? "dialog wide" : "dialog"}
      aria-labelledby="dialog-title"
      onCancel={(e) => (e.preventDefault(), o.onCancel())}
      onClose={() => box.current?.isConnected && (o.stays ? box.current.showModal() : o.onCancel())} // Escape twice closes it whatever we say
      onClick={(e) => e.target === box.current && o.onCancel()}
    >
      <div class="dialog-inner">
        <h2 id="dialog-title">{o.title}</h2>
        {o.children}
      </div>
    </dialog>
  );
}

function TypeName({ name, onMatch }: { name: string; onMatch: (yes: boolean) => void }) {
  return (
    <label class="field">
      <span>
        Write <code class="code">{name}</code> to go on
      </span>
      <input type="text" autocomplete="off" spellcheck={false} onInput={(e) => onMatch(e.currentTarget.value.trim() === name)} />
    </label>
  );
}

function ConfirmBox({ o, done }: { o: ConfirmOptions; done: (yes: boolean) => void }) {
  const [matches, setMatches] = useState(!o.type);
  return (
    <Frame title={o.title} onCancel={() => done(false)}>
      <form method="dialog" onSubmit={(e) => (e.preventDefault(), matches && done(true))}>
        <div class="dialog-body">{typeof o.what === "string" ? <p>{o.what}</p> : o.what}</div>
        {o.type ? <TypeName name={o.type} onMatch={setMatches} /> : null}
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={() => done(false)}>
            Cancel
          </button>
          <button type="submit" class={`button ${o.danger === false ? "primary" : "danger"}`} disabled={!matches}>
            {o.verb}
          </button>
        </footer>
      </form>
    </Frame>
  );
}

export function Changes({ of }: { of: Plan["changes"] }) {
  return (
    <div class="table-scroll changes" tabIndex={0} role="region" aria-label="What will be written">
      <table>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Now</th>
            <th scope="col">Then</th>
          </tr>
        </thead>
        <tbody>
          {of.map((c) => (
            <tr key={c.what}>
              <th scope="row">{c.what}</th>
              <td>{c.before}</td>
              <td class="after">
                {c.after}
                {c.note ? <div class="about">{c.note}</div> : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function PreviewBox({ o, done }: { o: PreviewOptions<Plan>; done: (yes: boolean) => void }) {
  const [plan, setPlan] = useState<Plan | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [matches, setMatches] = useState(!o.type);
  const [reason, setReason] = useState("");
  const [accepted, setAccepted] = useState(false);
  const [tried, setTried] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setPlan(null);
    setProblem(null);
    setMatches(!o.type); // its name is written anew under each plan
    setAccepted(false);
    o.load(stop.signal).then(
      (made) => stop.signal.aborted || setPlan(made),
      (why: unknown) => stop.signal.aborted || setProblem(asProblem(why)),
    );
    return () => stop.abort();
  }, [tried]);
  const asks = plan?.reason ?? o.reason;
  const may = plan && !plan.nothing && matches && !busy && (!plan.accept || accepted) && (asks !== "needed" || reason.trim() !== "");
  const write = async () => {
    if (!plan || !may) return;
    setBusy(true);
    try {
      await o.commit(plan, reason.trim());
      done(true);
    } catch (why) {
      setProblem(asProblem(why));
      setBusy(false);
    }
  };
  return (
    <Frame title={o.title} onCancel={() => busy || done(false)} stays={busy} wide>
      <form method="dialog" onSubmit={(e) => (e.preventDefault(), void write())}>
        <div class="dialog-body">
          {problem ? <Failed why={problem} again={() => setTried((n) => n + 1)} /> : null}
          {plan ? (
            <>
              <p class="summary">{plan.summary}</p>
              {plan.warnings?.map((w, i) => (
                <p key={i} class="warning">
                  {w}
                </p>
              ))}
              {plan.changes.length > 0 ? <Changes of={plan.changes} /> : null}
              {plan.more}
            </>
          ) : problem ? null : (
            <Loading what="Asking what would be written" />
          )}
          {asks && plan && !plan.nothing ? (
            <label class="field">
              <span>Why{asks === "optional" ? " (optional, for the audit)" : " (for the audit)"}</span>
              <input type="text" maxLength={1000} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
            </label>
          ) : null}
          {plan?.accept ? (
            <label class="check">
              <input type="checkbox" checked={accepted} onChange={(e) => setAccepted(e.currentTarget.checked)} />
              <span>{plan.accept}</span>
            </label>
          ) : null}
          {o.type && plan && !plan.nothing ? <TypeName name={o.type} onMatch={setMatches} /> : null}
        </div>
        <footer class="dialog-foot">
          <span class="about">{problem?.status === 0 ? "" : busy ? "Being written." : "Nothing is written yet."}</span>
          <button type="button" class="button" disabled={busy} onClick={() => done(false)}>
            Cancel
          </button>
          <button type="submit" class={`button ${(plan?.danger ?? o.danger) ? "danger" : "primary"}`} disabled={!may} aria-busy={busy}>
            {plan?.verb ?? o.verb}
          </button>
        </footer>
      </form>
    </Frame>
  );
}

export function Dialogs() {
  const now = useStore(open);
  if (!now) return null;
  return now.kind === "confirm" ? <ConfirmBox o={now.o} done={now.done} /> : <PreviewBox o={now.o} done={now.done} />;
}
