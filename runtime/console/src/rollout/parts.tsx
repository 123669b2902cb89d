// SPDX-License-Identifier: Apache-2.0
// parts - what the pages of rollouts are made of: the track of stages, an interval about zero, who moves.
import type { RolloutMoves, RolloutWithGuards } from "../api/types";
import * as f from "../ui/format";
import { intervalText, movesText, share, type Finding } from "./plan";

/** The stages in their order; where it stands is said by a word and by weight. */
export function Track({ of, small }: { of: RolloutWithGuards["track"]; small?: boolean }) {
  return (
    <ol class={small ? "track small" : "track"} aria-label="Stages">
      {of.map((s) => (
        <li key={s.name} class={s.is} aria-current={s.is === "now" ? "step" : undefined}>
          <span class="track-share num">{share(s.percent_bp)}</span>
          {small ? null : (
            <>
              <span class="track-name">{s.name}</span>
              <span class="about">
                {s.bake_s
                  ? `at least ${f.duration(s.bake_s * 1000)}, ${f.count(s.min_canary)} calls on OpenAI${s.min_baseline ? `, ${f.count(s.min_baseline)} on Vapi` : ""}`
                  : "for named numbers only"}
              </span>
            </>
          )}
          <span class="hidden">{s.is === "past" ? " is past" : s.is === "now" ? " now" : " comes later"}</span>
        </li>
      ))}
    </ol>
  );
}

const W = 140;
const H = 18;

/** Canary less baseline, with its interval of 95 %, about a line at zero; all rows have one scale. */
export function Interval({ of, most }: { of: NonNullable<Finding["interval"]>; most: number }) {
  const x = (v: number) => W / 2 + (v / most) * (W / 2 - 4);
  return (
    <svg class="interval" width={W} height={H} role="img" aria-label={intervalText(of)}>
      <path class="zero" d={`M${W / 2} 0V${H}`} />
      <path class="span" d={`M${x(of.low)} ${H / 2}H${x(of.high)}M${x(of.low)} 5V${H - 5}M${x(of.high)} 5V${H - 5}`} />
      <circle class="dot" cx={x(of.difference)} cy={H / 2} r="3.5" />
    </svg>
  );
}

function Callers({ name, of, n }: { name: string; of: string[]; n: number }) {
  if (n === 0) return null;
  return (
    <details class="movers">
      <summary>
        {f.plural(n, "caller")} {name}
      </summary>
      <div class="table-scroll movers-list num" tabIndex={0} role="region" aria-label={`Callers ${name}`}>
        {of.join("  ")}
        {n > of.length ? `  and ${f.count(n - of.length)} more` : ""}
      </div>
    </details>
  );
}

export function Moves({ of }: { of: RolloutMoves }) {
  return (
    <div class="moves">
      <p>{movesText(of)}</p>
      <Callers name="from Vapi to OpenAI" of={of.to_openai ?? []} n={of.n_to_openai} />
      <Callers name="from OpenAI to Vapi" of={of.to_vapi ?? []} n={of.n_to_vapi} />
    </div>
  );
}
