// SPDX-License-Identifier: Apache-2.0
// use - the board in a component. Facts that come while /live is asked are put over its answer; what comes within a
// quarter of a second is drawn at once.
import { useEffect, useRef, useState } from "preact/hooks";
import { onFact, type Fact } from "../../api/events";
import { useApi, type Loaded } from "../../api/use";
import type { LiveScreen } from "../../api/types";
import { apply, boardOf, type Board } from "./board";

const DRAW_MS = 250;
const KEPT_MS = 15_000; // an answer is at most so much older than the facts that came while it was asked

export interface LiveBoard {
  of: Loaded<LiveScreen>;
  board: Board;
}

export function useBoard(): LiveBoard {
  const [blind, setBlind] = useState(false); // some calls the stream does not tell of: on other nodes, or with a person
  const begins = (fact: Fact) => fact.type === "state" && fact.state === "live"; // who answers it, only /live knows
  const of = useApi("GET /live", {}, { everyMs: blind ? 4000 : 20_000, on: begins, soonMs: 3000 });
  const [board, setBoard] = useState<Board>(new Map());
  const kept = useRef({ late: [] as { fact: Fact; at: number }[], waiting: [] as Fact[] });

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      const facts = kept.current.waiting.splice(0);
      setBoard((was) => apply(was, facts));
    };
    const forget = onFact((fact) => {
      if (!fact.call) return;
      kept.current.waiting.push(fact);
      kept.current.late.push({ fact, at: Date.now() });
      timer ??= setTimeout(draw, DRAW_MS);
    });
    return () => (clearTimeout(timer), forget());
  }, []);

  useEffect(() => {
    if (!of.data || of.at === null) return;
    const since = of.at - KEPT_MS;
    kept.current.late = kept.current.late.filter((l) => l.at >= since);
    // Those of the last second may be newer than the answer; older ones are in it.
    const newer = kept.current.late.filter((l) => l.at >= of.at! - 1000).map((l) => l.fact);
    const made = apply(boardOf(of.data), newer);
    setBoard((was) => sameRows(was, made));
  }, [of.data, of.at]);

  useEffect(() => setBlind([...board.values()].some((row) => !row.here || row.state === "leaving")), [board]);

  return { of, board };
}

/** Rows that say the same stay the same objects. */
export function sameRows(was: Board, next: Board): Board {
  const kept = new Map(next);
  for (const [call, row] of next) {
    const before = was.get(call);
    if (before && JSON.stringify({ ...before, seconds: 0 }) === JSON.stringify({ ...row, seconds: 0 })) kept.set(call, before);
  }
  return kept;
}
