// SPDX-License-Identifier: Apache-2.0
// states - nothing there, not there yet, went wrong: each page says so in the same way.
import type { ComponentChildren } from "preact";
import { asProblem, type Problem } from "../api/problem";

export function Loading({ what = "Loading" }: { what?: string }) {
  return (
    <p class="state loading" role="status">
      <span class="dots" aria-hidden="true" />
      {what}…
    </p>
  );
}

export function Empty({ children, remedy }: { children: ComponentChildren; remedy?: ComponentChildren }) {
  return (
    <div class="state empty">
      <p>{children}</p>
      {remedy ? <p class="remedy">{remedy}</p> : null}
    </div>
  );
}

export function Failed({ why, again }: { why: unknown; again?: () => void }) {
  const problem: Problem = asProblem(why);
  return (
    <div class="state failed" role="alert">
      <p>{problem.what}</p>
      <p class="remedy">{problem.remedy}</p>
      {again ? (
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      ) : null}
    </div>
  );
}

/** What is shown is old: the newest question was not answered. */
export function Stale({ why, again }: { why: unknown; again?: () => void }) {
  const problem = asProblem(why);
  return (
    <p class="stale" role="status">
      What you see is from before. {problem.what}{" "}
      {again ? (
        <button type="button" class="link" onClick={again}>
          Try again
        </button>
      ) : null}
    </p>
  );
}
