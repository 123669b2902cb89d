// SPDX-License-Identifier: Apache-2.0
// toast - what was done, for a moment; what went wrong, until it was read.
import { asProblem } from "../api/problem";
import { createStore, useStore } from "../state/store";

interface Note {
  id: number;
  tone: "good" | "bad";
  text: string;
  remedy: string | null;
  action: { name: string; run: () => void } | null;
}

const STAYS_MS = 6000;
const MOST = 4;

const notes = createStore<Note[]>([]);
let last = 0;

function remove(id: number): void {
  notes.set((all) => all.filter((n) => n.id !== id));
}

function add(note: Omit<Note, "id">, staysMs: number | null): void {
  const id = ++last;
  notes.set((all) => [...all.slice(1 - MOST), { ...note, id }]);
  if (staysMs) setTimeout(() => remove(id), staysMs);
}

/** For whoever comes next nothing of this is meant. */
export const clearToasts = (): void => notes.set([]);

export const toast = {
  /** `action`: the way back, as "Undo". It stays a little longer then. */
  say(text: string, action?: { name: string; run: () => void }): void {
    add({ tone: "good", text, remedy: null, action: action ?? null }, action ? 3 * STAYS_MS : STAYS_MS);
  },
  problem(why: unknown): void {
    if (why instanceof DOMException && why.name === "AbortError") return;
    const problem = asProblem(why);
    add({ tone: "bad", text: problem.what, remedy: problem.remedy, action: null }, null);
  },
};

export function Toasts() {
  const all = useStore(notes);
  return (
    <div class="toasts" aria-live="polite" role="region" aria-label="Notices">
      {all.map((n) => (
        <div key={n.id} class={`toast ${n.tone}`} role={n.tone === "bad" ? "alert" : undefined}>
          <div>
            <p>{n.text}</p>
            {n.remedy ? <p class="remedy">{n.remedy}</p> : null}
          </div>
          {n.action ? (
            <button type="button" class="link" onClick={() => (n.action!.run(), remove(n.id))}>
              {n.action.name}
            </button>
          ) : null}
          <button type="button" class="close" aria-label="Dismiss" onClick={() => remove(n.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
