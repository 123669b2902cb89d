// SPDX-License-Identifier: Apache-2.0
// intention - one Idempotency-Key for one thing that somebody wants, however often they press the button for it.
//
//   const wish = useIntention();
//   await ask("POST /calls/{call}/whisper", { …, body, once: wish.keyOf(body) });
//   wish.done();
//
// The same said again is the same wish until it is done: after a lost answer the node does it once. Something else is
// another wish; so is the same after two minutes, when whoever presses has looked whether the first one came through.
import { useRef } from "preact/hooks";
import { newKey } from "./client";

const KEPT_MS = 120_000;

export class Intention {
  private kept: { of: string; key: string; at: number } | null = null;

  keyOf(what: unknown, now = Date.now()): string {
    const of = JSON.stringify(what);
    if (this.kept?.of !== of || now - this.kept.at >= KEPT_MS) this.kept = { of, key: newKey(), at: now };
    return this.kept.key;
  }

  done(): void {
    this.kept = null;
  }
}

export function useIntention(): Intention {
  const kept = useRef<Intention>();
  return (kept.current ??= new Intention());
}
