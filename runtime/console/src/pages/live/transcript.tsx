// SPDX-License-Identifier: Apache-2.0
// transcript - what is said in one call, while it is said: what is kept already, then what the stream tells.
import { useEffect, useRef, useState } from "preact/hooks";
import { onFact } from "../../api/events";
import { useAll } from "../../api/all";
import { Empty } from "../../ui/states";
import { Shown } from "../../ui/view";
import * as f from "../../ui/format";

export interface Said {
  turn: number;
  role: string;
  text: string;
  interrupted: boolean;
  withheld: boolean;
}

/** By their number in the conversation, each once; what came last of a turn counts. */
export function merged(kept: Said[], told: Said[]): Said[] {
  const by = new Map(kept.map((t) => [t.turn, t]));
  for (const t of told) by.set(t.turn, t);
  return [...by.values()].sort((a, b) => a.turn - b.turn);
}

export function Transcript({ call }: { call: string }) {
  const kept = useAll("GET /calls/{call}/transcript", { path: { call } }, { most: 1000 });
  const [told, setTold] = useState<Said[]>([]);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    setTold([]);
    return onFact((fact) => {
      if (fact.call !== call || fact.type !== "turn" || typeof fact.seq !== "number") return;
      setTold((was) => [...was, { turn: fact.seq as number, role: String(fact.role), text: String(fact.text ?? ""), interrupted: fact.interrupted === true, withheld: !!fact.withheld }]);
    });
  }, [call]);
  const turns = merged(
    (kept.data?.items ?? []).map((t, i) => ({ turn: t.turn ?? i, role: t.role, text: t.heard, interrupted: t.interrupted, withheld: t.withheld !== null })),
    told,
  );
  useEffect(() => {
    const box = end.current;
    if (box && box.scrollHeight - box.scrollTop - box.clientHeight < 160) box.scrollTop = box.scrollHeight;
  }, [turns.length]);
  return (
    <Shown of={kept} what="Reading what was said">
      {() =>
        turns.length === 0 ? (
          <Empty>Nobody has spoken yet.</Empty>
        ) : (
          <div class="said" ref={end} tabIndex={0} role="log" aria-label="What is said" aria-live="off">
            {turns.map((t) => (
              <p key={t.turn} class={`said-${t.role === "caller" ? "caller" : "agent"}`}>
                <span class="said-who">{t.role}</span>
                <span class="said-text">
                  {t.withheld ? <i class="about">not kept: before the notice, or while recording was paused</i> : t.text || f.UNKNOWN}
                  {t.interrupted ? <span class="about"> — cut in</span> : null}
                </span>
              </p>
            ))}
          </div>
        )
      }
    </Shown>
  );
}
