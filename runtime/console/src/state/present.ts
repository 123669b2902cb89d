// SPDX-License-Identifier: Apache-2.0
// present - what time it is by the node's clock, which stamps what is shown: a desk's clock that is minutes off would
// have an emergency wait for minutes that it does not, and a session end that goes on.
const NOTICED_MS = 2500; // the node tells whole seconds

let aheadMs = 0;

/** An answer that was asked for and came then (ms) says that it is `date`. */
export function heard(date: string | null, askedMs: number, cameMs: number): void {
  const told = date ? Date.parse(date) + 500 : NaN;
  const halfway = (cameMs - askedMs) / 2;
  if (Number.isNaN(told) || halfway < 0) return;
  const offMs = told - (askedMs + halfway);
  aheadMs = Math.abs(offMs) <= NOTICED_MS + halfway ? 0 : offMs;
}

export const presentMs = (): number => Date.now() + aheadMs;
export const present = (): Date => new Date(presentMs());
